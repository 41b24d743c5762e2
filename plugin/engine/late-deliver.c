#include "lib.h"
#include "sha2.h"
#include "sleep.h"
#include "strescape.h"
#include "migration-user.h"
#include "service-link.h"
#include "worker-link.h"
#include "deliver/deliver-protocol.h"
#include "deliver/deliver-request.h"
#include "worker/worker-protocol.h"
#include "lease.h"
#include "late-deliver.h"

/* to start a deliverer: it looks the user up */
#define START_MSECS (20 * 1000)
/* as long as SMTP waits for the end of DATA (RFC 5321, 4.5.3.2.6) */
#define DELIVER_MSECS (10 * 60 * 1000)
#define SETTLE_SECS 60
/* a reload of Dovecot makes the service's socket anew */
#define CONNECT_TRIES 3
#define CONNECT_RETRY_MSECS 100

struct late_deliver {
	struct migration_user *muser;
	/* NULL: not connected */
	struct worker_link *link;
};

struct late_deliver *late_deliver_init(struct migration_user *muser)
{
	struct late_deliver *deliver = i_new(struct late_deliver, 1);

	deliver->muser = muser;
	return deliver;
}

void late_deliver_deinit(struct late_deliver **_deliver)
{
	struct late_deliver *deliver = *_deliver;

	if (deliver == NULL)
		return;
	*_deliver = NULL;
	worker_link_deinit(&deliver->link);
	i_free(deliver);
}

void late_mail_guid(const char *username, const char *vname,
		    uint32_t uid_validity, uint32_t resets, uint32_t uid,
		    guid_128_t guid_r)
{
	const char *numbers = resets == 0 ?
		t_strdup_printf("%u/%u", uid_validity, uid) :
		t_strdup_printf("%u/%u/%u", uid_validity, uid, resets);
	unsigned char digest[SHA256_RESULTLEN];
	struct sha256_ctx ctx;

	/* each with its NUL, so that none runs into the next */
	sha256_init(&ctx);
	sha256_loop(&ctx, username, strlen(username) + 1);
	sha256_loop(&ctx, vname, strlen(vname) + 1);
	sha256_loop(&ctx, numbers, strlen(numbers) + 1);
	sha256_result(&ctx, digest);
	memcpy(guid_r, digest, GUID_128_SIZE);
}

static int try_connect(struct late_deliver *deliver, const char **error_r)
{
	const char *version = t_strdup_printf("VERSION\t%s\t%u\t%u\n",
		DELIVER_PROTOCOL_NAME, DELIVER_PROTOCOL_MAJOR,
		DELIVER_PROTOCOL_MINOR);

	return service_link_start(deliver->muser->user, DELIVER_SERVICE_SOCKET,
				  version, worker_link_now() + START_MSECS,
				  &deliver->link, error_r);
}

static int deliver_connect(struct late_deliver *deliver, const char **error_r)
{
	if (deliver->link != NULL && worker_link_is_alive(deliver->link))
		return 0;
	worker_link_deinit(&deliver->link);
	for (unsigned int i = 0; i < CONNECT_TRIES; i++) {
		if (i > 0)
			i_sleep_msecs(CONNECT_RETRY_MSECS);
		if (try_connect(deliver, error_r) == 0)
			return 0;
	}
	return -1;
}

/* Returns 0 with the answer, which may be NO; -1 with an error. */
static int ask(struct late_deliver *deliver, const struct late_mail *mail,
	       const char *const **words_r, const char **error_r)
{
	uint64_t deadline = worker_link_now() + DELIVER_MSECS;
	const char *line = t_strconcat(deliver_request_line(mail), "\n", NULL);
	int ret;

	if (worker_link_send(deliver->link, line, mail->fd, deadline,
			     error_r) < 0)
		return -1;
	ret = worker_link_read(deliver->link, deadline, &line, error_r);
	if (ret > 0) {
		*words_r = t_strsplit_tabescaped(line);
		return 0;
	}
	if (ret == 0)
		*error_r = "No answer in time";
	return -1;
}

static int lost(struct late_deliver *deliver, enum mail_error *error_code_r,
		const char **error_r)
{
	worker_link_deinit(&deliver->link);
	*error_code_r = MAIL_ERROR_TEMP;
	*error_r = t_strconcat(DELIVER_PROTOCOL_NAME": ", *error_r, NULL);
	return -1;
}

int late_deliver(struct late_deliver *deliver, const struct late_mail *mail,
		 enum mail_error *error_code_r, const char **error_r)
{
	const char *const *words;

	if (deliver_connect(deliver, error_r) < 0 ||
	    ask(deliver, mail, &words, error_r) < 0)
		return lost(deliver, error_code_r, error_r);
	if (words[0] != NULL && strcmp(words[0], "OK") == 0)
		return 0;
	if (str_array_length(words) < 3 || strcmp(words[0], "NO") != 0) {
		*error_r = "It answers what isn't understood";
		return lost(deliver, error_code_r, error_r);
	}
	*error_code_r = worker_error_from_str(words[1]);
	*error_r = words[2];
	return -1;
}

int late_deliver_settle(struct late_deliver *deliver, const char **error_r)
{
	struct lease *lease;
	int ret;

	/* who comes behind it finds that its asker has gone */
	ret = lease_deliver(deliver->muser->set.dir, SETTLE_SECS, &lease,
			    error_r);
	if (ret == 0)
		*error_r = "A delivery of this user's late mail doesn't end";
	if (ret <= 0)
		return -1;
	lease_release(&lease);
	return 0;
}
