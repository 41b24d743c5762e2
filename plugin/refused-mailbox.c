#include "lib.h"
#include "mail-storage-private.h"
#include "refused-mailbox.h"

#define REFUSED_CONTEXT(obj) \
	MODULE_CONTEXT_REQUIRE(obj, refused_mailbox_module)

struct refused_mailbox {
	union mailbox_module_context module_ctx;
	enum mail_error error_code;
	const char *error;
};

static MODULE_CONTEXT_DEFINE_INIT(refused_mailbox_module,
				  &mail_storage_module_register);

static int refuse(struct mailbox *box)
{
	struct refused_mailbox *refused = REFUSED_CONTEXT(box);

	mail_storage_set_error(box->storage, refused->error_code,
			       refused->error);
	return -1;
}

static int
refused_exists(struct mailbox *box, bool auto_boxes ATTR_UNUSED,
	       enum mailbox_existence *existence_r ATTR_UNUSED)
{
	return refuse(box);
}

static int
refused_create_box(struct mailbox *box,
		   const struct mailbox_update *update ATTR_UNUSED,
		   bool directory ATTR_UNUSED)
{
	return refuse(box);
}

static int
refused_update_box(struct mailbox *box,
		   const struct mailbox_update *update ATTR_UNUSED)
{
	return refuse(box);
}

static int
refused_rename_box(struct mailbox *src, struct mailbox *dest ATTR_UNUSED)
{
	return refuse(src);
}

static int
refused_get_status(struct mailbox *box,
		   enum mailbox_status_items items ATTR_UNUSED,
		   struct mailbox_status *status_r ATTR_UNUSED)
{
	return refuse(box);
}

static int
refused_get_metadata(struct mailbox *box,
		     enum mailbox_metadata_items items ATTR_UNUSED,
		     struct mailbox_metadata *metadata_r ATTR_UNUSED)
{
	return refuse(box);
}

static int refused_set_subscribed(struct mailbox *box, bool set ATTR_UNUSED)
{
	return refuse(box);
}

static int
refused_attribute_get(struct mailbox *box,
		      enum mail_attribute_type type_flags ATTR_UNUSED,
		      const char *key ATTR_UNUSED,
		      struct mail_attribute_value *value_r ATTR_UNUSED)
{
	return refuse(box);
}

void refused_mailbox_init(struct mailbox *box, enum mail_error error_code,
			  const char *error)
{
	struct mailbox_vfuncs *v = box->vlast;
	struct refused_mailbox *refused;

	refused = p_new(box->pool, struct refused_mailbox, 1);
	refused->module_ctx.super = *v;
	box->vlast = &refused->module_ctx.super;
	refused->error_code = error_code;
	refused->error = p_strdup(box->pool, error);

	v->open = refuse;
	v->exists = refused_exists;
	v->create_box = refused_create_box;
	v->update_box = refused_update_box;
	v->delete_box = refuse;
	v->rename_box = refused_rename_box;
	v->get_status = refused_get_status;
	v->get_metadata = refused_get_metadata;
	v->set_subscribed = refused_set_subscribed;
	v->attribute_get = refused_attribute_get;
	MODULE_CONTEXT_SET(box, refused_mailbox_module, refused);
}
