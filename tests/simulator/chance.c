#include "chance.h"

#include <math.h>

double chance_unit(struct corpus_rng *rng)
{
	return (double)(corpus_rng_next(rng) >> 11) * 0x1p-53;
}

bool chance(struct corpus_rng *rng, double probability)
{
	return chance_unit(rng) < probability;
}

double chance_between(struct corpus_rng *rng, double min, double max)
{
	return min + chance_unit(rng) * (max - min);
}

double chance_exponential(struct corpus_rng *rng, double mean)
{
	return -log(1 - chance_unit(rng)) * mean;
}

double chance_lognormal(struct corpus_rng *rng, double median, double sigma)
{
	double radius = sqrt(-2 * log(1 - chance_unit(rng)));

	return median * exp(sigma * radius * cos(2 * M_PI * chance_unit(rng)));
}

double chance_pareto(struct corpus_rng *rng, double min, double max,
		     double alpha)
{
	double all = 1 - pow(min / max, alpha);

	return min * pow(1 - chance_unit(rng) * all, -1 / alpha);
}

unsigned int chance_geometric(struct corpus_rng *rng, double another)
{
	unsigned int count = 1;

	while (chance(rng, another))
		count++;
	return count;
}

unsigned int chance_poisson(struct corpus_rng *rng, double mean)
{
	double left = mean - chance_exponential(rng, 1);
	unsigned int count = 0;

	for (; left > 0; left -= chance_exponential(rng, 1))
		count++;
	return count;
}

int64_t chance_weighted(struct corpus_rng *rng,
			const struct chance_weight *table, unsigned int count)
{
	double all = 0, at;
	unsigned int i;

	for (i = 0; i < count; i++)
		all += table[i].weight;
	at = chance_unit(rng) * all;
	for (i = 0; i + 1 < count && at >= table[i].weight; i++)
		at -= table[i].weight;
	return table[i].value;
}
