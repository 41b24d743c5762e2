#include "lib.h"
#include "array.h"
#include "str.h"
#include "imap-arg.h"
#include "seq-range-array.h"
#include "old-fetch.h"
#include "old-mailbox.h"
#include "old-sizes.h"

#define SAMPLE_MESSAGES 100

struct sample {
	uint32_t messages;
	uint64_t bytes;
};

/*
 * STATUS
 */

static bool
parse_item(struct old_size *size, const char *key, const char *value)
{
	if (strcasecmp(key, "MESSAGES") == 0)
		return str_to_uint32(value, &size->messages) == 0;
	if (strcasecmp(key, "SIZE") == 0)
		return str_to_uint64(value, &size->bytes) == 0;
	return TRUE;
}

/* STATUS name (MESSAGES n SIZE m). The name is that of the command that is
   answered: servers write it in their own way. */
static bool
status_untagged(const struct old_untagged *untagged, struct old_size *size)
{
	const struct imap_arg *items;
	const char *name, *key, *value;

	if (strcmp(untagged->name, "STATUS") != 0)
		return FALSE;
	if (!imap_arg_get_astring(&untagged->args[0], &name) ||
	    !imap_arg_get_list(&untagged->args[1], &items))
		return TRUE;
	size->known = TRUE;
	for (; imap_arg_get_atom(&items[0], &key) &&
	       imap_arg_get_atom(&items[1], &value); items += 2)
		size->known = parse_item(size, key, value) && size->known;
	return TRUE;
}

/* NO: it isn't there any more, or can't be looked into. */
static void status_done(const struct old_reply *reply ATTR_UNUSED,
			struct old_size *size ATTR_UNUSED)
{
}

static void send_status(struct old_client *client, struct old_size *size,
			const char *items)
{
	struct old_command *cmd = old_command_new(client, "STATUS");

	old_command_add_string(cmd, size->old_name);
	old_command_add(cmd, items);
	old_command_set_untagged(cmd, status_untagged, size);
	old_command_send(&cmd, status_done, size);
}

/*
 * The sample
 */

static void
sample_fetched(const struct old_fetch_item *item, struct sample *sample)
{
	if ((item->fields & OLD_FETCH_SIZE) != 0) {
		sample->messages++;
		sample->bytes += item->size;
	}
}

/* Evenly spread: new mails are larger than old ones. */
static const char *sample_seqs(uint32_t messages)
{
	uint32_t step = I_MAX(messages / SAMPLE_MESSAGES, 1);
	string_t *str = t_str_new(512);

	str_append_c(str, '1');
	for (uint64_t seq = 1 + (uint64_t)step; seq <= messages; seq += step)
		str_printfa(str, ",%u", (unsigned int)seq);
	return str_c(str);
}

static int
take_sample(struct old_client *client, const char *old_name,
	    struct sample *sample_r,
	    enum mail_error *error_code_r, const char **error_r)
{
	struct old_mailbox mailbox;
	struct old_command *cmd;
	int ret;

	i_zero(sample_r);
	if (old_mailbox_open(client, old_name, FALSE, &mailbox, error_code_r,
			     error_r) < 0)
		return -1;
	if (mailbox.messages == 0)
		return 0;
	cmd = old_command_new(client, "FETCH");
	old_command_add(cmd, sample_seqs(mailbox.messages));
	old_command_add(cmd, "RFC822.SIZE");
	old_client_set_fetch(client, sample_fetched, sample_r);
	ret = old_command_run(&cmd, error_code_r, error_r);
	(old_client_set_fetch)(client, NULL, NULL);
	return ret;
}

static struct old_size *find_largest(ARRAY_TYPE(old_size) *sizes)
{
	struct old_size *size, *largest = NULL;

	array_foreach_modifiable(sizes, size) {
		if (size->known && size->messages > 0 &&
		    (largest == NULL || size->messages > largest->messages))
			largest = size;
	}
	return largest;
}

static int
estimate(struct old_client *client, ARRAY_TYPE(old_size) *sizes,
	 enum mail_error *error_code_r, const char **error_r)
{
	struct old_size *size, *largest = find_largest(sizes);
	struct sample sample;

	if (largest == NULL)
		return 0;
	if (take_sample(client, largest->old_name, &sample, error_code_r,
			error_r) < 0)
		return -1;
	if (sample.messages == 0)
		return 0;
	array_foreach_modifiable(sizes, size)
		size->bytes = sample.bytes * size->messages / sample.messages;
	return 0;
}

int old_sizes_get(struct old_client *client, ARRAY_TYPE(old_size) *sizes,
		  enum mail_error *error_code_r, const char **error_r)
{
	struct old_size *size;
	bool exact;

	/* its capabilities are known then */
	if (old_client_connect(client, error_code_r, error_r) < 0)
		return -1;
	exact = old_client_has(client, "STATUS=SIZE");
	array_foreach_modifiable(sizes, size)
		send_status(client, size, exact ? "(MESSAGES SIZE)" :
			    "(MESSAGES)");
	if (old_client_wait(client, error_code_r, error_r) < 0)
		return -1;
	return exact ? 0 : estimate(client, sizes, error_code_r, error_r);
}
