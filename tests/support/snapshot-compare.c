/*
 * snapshot-compare: what differs between two pictures, for snapshot.h
 */
#include "snapshot.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct compare {
	unsigned int flags;
	FILE *out;
	struct snapshot_diff *diff;
	/* The folder's name, or "POP3". */
	const char *where;
};

static void say(const struct compare *cmp, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static void say(const struct compare *cmp, const char *fmt, ...)
{
	va_list args;

	if (cmp->out == NULL)
		return;
	fprintf(cmp->out, "%s: ", cmp->where);
	va_start(args, fmt);
	vfprintf(cmp->out, fmt, args);
	va_end(args);
	fputc('\n', cmp->out);
}

static int cmp_digest(const void *a, const void *b)
{
	return memcmp(a, b, SNAPSHOT_DIGEST_SIZE);
}

/* The digests of a folder, sorted; the caller frees them. */
static unsigned char *
sorted_digests(const struct snapshot_folder *folder, size_t *count_r)
{
	unsigned char *digests;
	size_t i;

	digests = malloc((folder->count + 1) * SNAPSHOT_DIGEST_SIZE);
	if (digests == NULL)
		abort();
	for (*count_r = i = 0; i < folder->count; i++) {
		if (!folder->messages[i].has_digest)
			continue;
		memcpy(digests + *count_r * SNAPSHOT_DIGEST_SIZE,
		       folder->messages[i].digest, SNAPSHOT_DIGEST_SIZE);
		++*count_r;
	}
	qsort(digests, *count_r, SNAPSHOT_DIGEST_SIZE, cmp_digest);
	return digests;
}

static void
lost_message(struct compare *cmp, const struct snapshot_message *msg)
{
	cmp->diff->lost++;
	say(cmp, "UID %u: lost (%llu bytes)", msg->uid,
	    (unsigned long long)msg->size);
}

static void
extra_message(struct compare *cmp, const struct snapshot_message *msg,
	      const unsigned char *digests, size_t count)
{
	if (msg->has_digest && bsearch(msg->digest, digests, count,
				       SNAPSHOT_DIGEST_SIZE, cmp_digest)) {
		cmp->diff->doubled++;
		say(cmp, "UID %u: doubled", msg->uid);
	} else {
		cmp->diff->added++;
		say(cmp, "UID %u: added", msg->uid);
	}
}

static void
same_uid(struct compare *cmp, const struct snapshot_message *a,
	 const struct snapshot_message *b)
{
	bool changed = false;

	if (a->has_digest && b->has_digest &&
	    memcmp(a->digest, b->digest, SNAPSHOT_DIGEST_SIZE) != 0) {
		changed = true;
		say(cmp, "UID %u: body changed", a->uid);
	}
	if (a->size != b->size) {
		changed = true;
		say(cmp, "UID %u: size %llu, now %llu", a->uid,
		    (unsigned long long)a->size, (unsigned long long)b->size);
	}
	if (a->instant != b->instant) {
		changed = true;
		say(cmp, "UID %u: date %lld, now %lld", a->uid,
		    (long long)a->instant, (long long)b->instant);
	}
	if (strcmp(a->flags, b->flags) != 0) {
		changed = true;
		say(cmp, "UID %u: flags (%s), now (%s)", a->uid, a->flags,
		    b->flags);
	}
	if (changed)
		cmp->diff->changed++;
}

static void
compare_by_uid(struct compare *cmp, const struct snapshot_folder *a,
	       const struct snapshot_folder *b)
{
	unsigned char *digests;
	size_t i = 0, j = 0, count;

	digests = sorted_digests(a, &count);
	while (i < a->count || j < b->count) {
		if (j == b->count || (i < a->count && a->messages[i].uid <
				      b->messages[j].uid))
			lost_message(cmp, &a->messages[i++]);
		else if (i == a->count ||
			 b->messages[j].uid < a->messages[i].uid)
			extra_message(cmp, &b->messages[j++], digests, count);
		else
			same_uid(cmp, &a->messages[i++], &b->messages[j++]);
	}
	free(digests);
}

/* UIDs mean nothing: counts each body's copies. */
static void
compare_by_digest(struct compare *cmp, const struct snapshot_folder *a,
		  const struct snapshot_folder *b)
{
	unsigned char *from, *to;
	size_t i = 0, j = 0, from_count, to_count;
	const size_t size = SNAPSHOT_DIGEST_SIZE;
	int ret;

	from = sorted_digests(a, &from_count);
	to = sorted_digests(b, &to_count);
	while (i < from_count || j < to_count) {
		ret = i == from_count ? 1 : j == to_count ? -1 :
			memcmp(from + i * size, to + j * size, size);
		if (ret < 0)
			cmp->diff->lost++;
		else if (ret > 0 && i > 0 &&
			 memcmp(from + (i - 1) * size, to + j * size,
				size) == 0)
			cmp->diff->doubled++;
		else if (ret > 0)
			cmp->diff->added++;
		i += ret <= 0;
		j += ret >= 0;
	}
	/* those without a digest can only be counted */
	i = a->count - from_count;
	j = b->count - to_count;
	cmp->diff->lost += i > j ? i - j : 0;
	cmp->diff->added += j > i ? j - i : 0;
	free(from);
	free(to);
}

static void
compare_attributes(struct compare *cmp, const struct snapshot_folder *a,
		   const struct snapshot_folder *b)
{
	bool changed = false;

	if (a->uidvalidity != b->uidvalidity) {
		changed = true;
		say(cmp, "UIDVALIDITY %u, now %u", a->uidvalidity,
		    b->uidvalidity);
	}
	if (a->uidnext != b->uidnext &&
	    (cmp->flags & SNAPSHOT_IGNORE_UIDNEXT) == 0) {
		changed = true;
		say(cmp, "UIDNEXT %u, now %u", a->uidnext, b->uidnext);
	}
	if (a->subscribed != b->subscribed &&
	    (cmp->flags & SNAPSHOT_IGNORE_SUBSCRIPTIONS) == 0) {
		changed = true;
		say(cmp, "%s", b->subscribed ? "now subscribed" :
		    "no longer subscribed");
	}
	if (a->listed != b->listed || a->selectable != b->selectable) {
		changed = true;
		say(cmp, "listed %d selectable %d, now %d and %d", a->listed,
		    a->selectable, b->listed, b->selectable);
	}
	if (strcmp(a->special_use, b->special_use) != 0 &&
	    (cmp->flags & SNAPSHOT_IGNORE_SPECIAL_USE) == 0) {
		changed = true;
		say(cmp, "special use (%s), now (%s)", a->special_use,
		    b->special_use);
	}
	if (changed)
		cmp->diff->folders_changed++;
}

static void
compare_folder(struct compare *cmp, const struct snapshot_folder *a,
	       const struct snapshot_folder *b)
{
	cmp->where = a->name;
	compare_attributes(cmp, a, b);
	if (a->uidvalidity == b->uidvalidity)
		compare_by_uid(cmp, a, b);
	else
		compare_by_digest(cmp, a, b);
}

static void
lost_folder(struct compare *cmp, const struct snapshot_folder *folder)
{
	cmp->where = folder->name;
	cmp->diff->folders_lost++;
	cmp->diff->lost += folder->count;
	say(cmp, "folder lost, with %zu messages", folder->count);
}

static void
added_folder(struct compare *cmp, const struct snapshot_folder *folder)
{
	cmp->where = folder->name;
	cmp->diff->folders_added++;
	cmp->diff->added += folder->count;
	say(cmp, "folder added, with %zu messages", folder->count);
}

/* A picture with holes in it proves nothing, even when both have the same. */
static void compare_errors(struct compare *cmp, const struct snapshot *snapshot,
			   const char *which)
{
	size_t i;

	for (i = 0; i < snapshot->count; i++) {
		if (snapshot->folders[i].error == NULL)
			continue;
		cmp->where = snapshot->folders[i].name;
		cmp->diff->folders_changed++;
		say(cmp, "couldn't be read %s: %s", which,
		    snapshot->folders[i].error);
	}
}

static void
compare_pop3(struct compare *cmp, const struct pop3_list *a,
	     const struct pop3_list *b)
{
	const struct pop3_item *x, *y;
	size_t i;

	cmp->where = "POP3";
	for (i = 0; i < a->count || i < b->count; i++) {
		x = i < a->count ? &a->items[i] : NULL;
		y = i < b->count ? &b->items[i] : NULL;
		if (y == NULL) {
			cmp->diff->lost++;
			say(cmp, "message %u: UIDL %s lost", x->number,
			    x->uidl);
		} else if (x == NULL) {
			cmp->diff->added++;
			say(cmp, "message %u: UIDL %s added", y->number,
			    y->uidl);
		} else if (strcmp(x->uidl, y->uidl) != 0 ||
			   x->number != y->number || x->size != y->size) {
			cmp->diff->changed++;
			say(cmp, "message %u: UIDL %s, %llu bytes, now %s, "
			    "%llu bytes", x->number, x->uidl,
			    (unsigned long long)x->size, y->uidl,
			    (unsigned long long)y->size);
		}
	}
}

static bool no_difference(const struct snapshot_diff *diff)
{
	return diff->lost == 0 && diff->doubled == 0 && diff->added == 0 &&
		diff->changed == 0 && diff->folders_lost == 0 &&
		diff->folders_added == 0 && diff->folders_changed == 0;
}

bool snapshot_compare(const struct snapshot *a, const struct snapshot *b,
		      unsigned int flags, FILE *out,
		      struct snapshot_diff *diff_r)
{
	struct compare cmp = { .flags = flags, .out = out, .diff = diff_r };
	size_t i = 0, j = 0;
	int ret;

	memset(diff_r, 0, sizeof(*diff_r));
	while (i < a->count || j < b->count) {
		ret = i == a->count ? 1 : j == b->count ? -1 :
			strcmp(a->folders[i].name, b->folders[j].name);
		if (ret < 0)
			lost_folder(&cmp, &a->folders[i]);
		else if (ret > 0)
			added_folder(&cmp, &b->folders[j]);
		else
			compare_folder(&cmp, &a->folders[i], &b->folders[j]);
		i += ret <= 0;
		j += ret >= 0;
	}
	compare_errors(&cmp, a, "before");
	compare_errors(&cmp, b, "after");
	if (a->has_pop3 && b->has_pop3 && (flags & SNAPSHOT_IGNORE_POP3) == 0)
		compare_pop3(&cmp, &a->pop3, &b->pop3);
	return no_difference(diff_r);
}
