#include "lib.h"
#include "mail-search.h"
#include "mail-index-private.h"
#include "mail-index-view-private.h"
#include "mirrored-mailbox.h"
#include "mirrored-search.h"

#define MIRRORED_REQUIRE(obj) \
	((struct mirrored_mailbox *) \
	 MODULE_CONTEXT_REQUIRE(obj, mirrored_mailbox_module))

/* those that the header counts */
#define COUNTED_FLAGS (MAIL_SEEN | MAIL_DELETED)

/* The header is asked only about flags that aren't in parentheses. */
static void
put_into_parentheses(struct mail_search_args *args, struct mail_search_arg *arg)
{
	struct mail_search_arg *sub =
		p_new(args->pool, struct mail_search_arg, 1);

	*sub = *arg;
	sub->next = NULL;
	i_zero(&arg->value);
	arg->type = SEARCH_SUB;
	arg->value.subargs = sub;
	arg->match_not = FALSE;
}

static struct mail_search_context *
mirrored_search_begin(struct mailbox_transaction_context *t,
		      struct mail_search_args *args,
		      const enum mail_sort_type *sort_program,
		      enum mail_fetch_field wanted_fields,
		      struct mailbox_header_lookup_ctx *wanted_headers)
{
	struct mirrored_mailbox *mbox = MIRRORED_REQUIRE(t->box);
	struct mail_search_arg *arg;

	if (t->box->view->map != t->box->index->map) {
		for (arg = args->args; arg != NULL; arg = arg->next) {
			if (arg->type == SEARCH_FLAGS &&
			    (arg->value.flags & COUNTED_FLAGS) != 0)
				put_into_parentheses(args, arg);
		}
	}
	return mbox->module_ctx.super.search_init(t, args, sort_program,
						  wanted_fields,
						  wanted_headers);
}

void mirrored_search_init(struct mailbox_vfuncs *v)
{
	v->search_init = mirrored_search_begin;
}
