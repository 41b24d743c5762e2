#include "lib.h"
#include "old-client.h"
#include "mirror-private.h"

/* a doveadm migration fill of other mailboxes may be under way */
#define FILLER_LOCK_SECS 30

typedef int
cutover_step_t(struct filler *filler, const ARRAY_TYPE(const_string) *vnames,
	       ARRAY_TYPE(cutover_result) *results_r,
	       enum mail_error *error_code_r, const char **error_r);

/* With the copies closed: cutover opens them its own way. */
static int
with_filler(struct mirror *mirror, cutover_step_t *step,
	    const ARRAY_TYPE(const_string) *vnames,
	    ARRAY_TYPE(cutover_result) *results_r,
	    enum mail_error *error_code_r, const char **error_r)
{
	struct filler *filler;
	int ret;

	mirror_boxes_close(mirror);
	if (filler_init_mirrored(mirror->muser, mirror->client,
				 FILLER_LOCK_SECS, &filler, error_code_r,
				 error_r) < 0)
		return -1;
	ret = step(filler, vnames, results_r, error_code_r, error_r);
	filler_deinit(&filler);
	return ret;
}

static int
prepare(struct filler *filler, const ARRAY_TYPE(const_string) *vnames,
	ARRAY_TYPE(cutover_result) *results_r ATTR_UNUSED,
	enum mail_error *error_code_r, const char **error_r)
{
	return cutover_prepare(filler, vnames, error_code_r, error_r);
}

/* What was read while the old server was away: afterwards nobody asks for
   it. An old server that can't be told now isn't cut over either. */
static void
replay_seen(struct mirror *mirror, const ARRAY_TYPE(const_string) *vnames)
{
	enum mail_error error_code;
	const char *vname, *error;
	bool changed;

	array_foreach_elem(vnames, vname) {
		if (mirror_seen_waits(mirror, vname, 0))
			(void)mirror_refresh(mirror, vname, &changed,
					     &error_code, &error);
	}
}

int mirror_cutover_prepare(struct mirror *mirror,
			   const ARRAY_TYPE(const_string) *vnames,
			   enum mail_error *error_code_r, const char **error_r)
{
	replay_seen(mirror, vnames);
	return with_filler(mirror, prepare, vnames, NULL, error_code_r,
			   error_r);
}

int mirror_cutover(struct mirror *mirror,
		   const ARRAY_TYPE(const_string) *vnames,
		   ARRAY_TYPE(cutover_result) *results_r,
		   enum mail_error *error_code_r, const char **error_r)
{
	return with_filler(mirror, cutover_prepared, vnames, results_r,
			   error_code_r, error_r);
}
