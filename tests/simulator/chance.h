/*
 * chance: what is drawn, and from which distribution
 *
 * All of a generator's own state: whoever draws has his own, so that what one
 * draws doesn't change what the others do.
 */
#ifndef CHANCE_H
#define CHANCE_H

#include "corpus.h"

/* From 0 to below 1. */
double chance_unit(struct corpus_rng *rng);
bool chance(struct corpus_rng *rng, double probability);
double chance_between(struct corpus_rng *rng, double min, double max);
/* Without its fraction: a span of time in seconds. */
static inline int64_t chance_whole(double value)
{
	return (int64_t)value;
}
/* The time until the next of events that come without memory. */
double chance_exponential(struct corpus_rng *rng, double mean);
double chance_lognormal(struct corpus_rng *rng, double median, double sigma);
/* Bounded at both ends. */
double chance_pareto(struct corpus_rng *rng, double min, double max,
		     double alpha);
/* 1, 2, ...: so many until one that isn't followed by another. */
unsigned int chance_geometric(struct corpus_rng *rng, double another);
unsigned int chance_poisson(struct corpus_rng *rng, double mean);

/* One of the table's values, by weights, which needn't add up to anything. */
struct chance_weight {
	double weight;
	int64_t value;
};
int64_t chance_weighted(struct corpus_rng *rng,
			const struct chance_weight *table, unsigned int count);

#endif
