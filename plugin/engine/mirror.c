#include "lib.h"
#include "migration-user.h"
#include "mirror.h"

struct mirror {
	struct migration_user *muser;
};

int mirror_init(struct migration_user *muser, struct mirror **mirror_r,
		const char **error_r ATTR_UNUSED)
{
	struct mirror *mirror = i_new(struct mirror, 1);

	mirror->muser = muser;
	*mirror_r = mirror;
	return 0;
}

void mirror_deinit(struct mirror **_mirror)
{
	i_free(*_mirror);
}
void mirror_write(struct mirror *mirror ATTR_UNUSED, const char *vname ATTR_UNUSED,
		  const ARRAY_TYPE(mirror_write) *writes)
{
	struct mirror_write *write;

	array_foreach_elem(writes, write)
		write->answer = MIRROR_GONE;
}
enum mirror_answer
mirror_refresh(struct mirror *mirror ATTR_UNUSED, const char *vname ATTR_UNUSED, bool *changed_r,
	       enum mail_error *error_code_r ATTR_UNUSED, const char **error_r ATTR_UNUSED)
{
	*changed_r = FALSE;
	return MIRROR_GONE;
}
enum mirror_answer
mirror_fill(struct mirror *mirror ATTR_UNUSED, const char *vname ATTR_UNUSED, enum fill_flags flags ATTR_UNUSED,
	    struct fill_result *result_r ATTR_UNUSED,
	    enum mail_error *error_code_r ATTR_UNUSED, const char **error_r ATTR_UNUSED)
{
	return MIRROR_GONE;
}
bool mirror_knows(struct mirror *mirror ATTR_UNUSED, const char *vname ATTR_UNUSED,
		  const struct mirror_status *status ATTR_UNUSED)
{
	return TRUE;
}
int mirror_cutover_prepare(struct mirror *mirror ATTR_UNUSED,
			   const ARRAY_TYPE(const_string) *vnames ATTR_UNUSED,
			   enum mail_error *error_code_r, const char **error_r)
{
	*error_code_r = MAIL_ERROR_TEMP;
	*error_r = "not built";
	return -1;
}
int mirror_cutover(struct mirror *mirror ATTR_UNUSED,
		   const ARRAY_TYPE(const_string) *vnames ATTR_UNUSED,
		   ARRAY_TYPE(cutover_result) *results_r ATTR_UNUSED,
		   enum mail_error *error_code_r, const char **error_r)
{
	*error_code_r = MAIL_ERROR_TEMP;
	*error_r = "not built";
	return -1;
}
void mirror_release(struct mirror *mirror ATTR_UNUSED)
{
}
unsigned int mirror_rtt_msecs(const struct mirror *mirror ATTR_UNUSED)
{
	return 0;
}
bool mirror_is_connected(const struct mirror *mirror ATTR_UNUSED)
{
	return FALSE;
}
