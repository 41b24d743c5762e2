#include "lib.h"
#include "ioloop.h"
#include "istream.h"
#include "istream-unix.h"
#include "net.h"
#include "strescape.h"
#include "write-full.h"
#include "engine/delivered.h"
#include "engine/lease.h"
#include "worker/worker-answer.h"
#include "late-save.h"
#include "migration-user.h"
#include "passed-file.h"
#include "deliver-mail.h"
#include "deliver-protocol.h"
#include "deliver-request.h"
#include "deliver.h"

#include <poll.h>

/* Another deliverer of the user ends before that, or hangs. */
#define LEASE_SECS 60

struct migration_deliver {
	struct migration_user *muser;
	deliver_lda_t *lda;
	struct deliver_mails *mails;

	int fd;
	struct istream *input;
	struct io *io;
	void (*ended)(void);
};

/* Who has gone has his mail delivered by another one, soon. */
static bool is_asker_there(struct migration_deliver *deliver)
{
	struct pollfd pfd = { .fd = deliver->fd, .events = POLLRDHUP };

	return poll(&pfd, 1, 0) == 0;
}

static int save_mail(struct migration_deliver *deliver, struct mail *src,
		     const struct late_mail *mail,
		     enum mail_error *error_code_r, const char **error_r)
{
	if (mail->save_into == NULL)
		return deliver->lda(deliver->muser->user, src, mail,
				    error_code_r, error_r);
	return deliver_mail_save(deliver->muser->user, src, mail->save_into,
				 error_code_r, error_r);
}

static int deliver_mail(struct migration_deliver *deliver,
			const struct late_mail *mail,
			enum mail_error *error_code_r, const char **error_r)
{
	struct late_save *save;
	struct mail *src;
	int ret;

	*error_code_r = MAIL_ERROR_TEMP;
	if (deliver_mail_open(deliver->mails, mail, &src, error_r) < 0)
		return -1;
	save = late_save_begin(deliver->muser, mail);
	ret = save_mail(deliver, src, mail, error_code_r, error_r);
	late_save_end(&save);
	deliver_mail_close(&src);
	return ret;
}

static int deliver_once(struct migration_deliver *deliver,
			const struct late_mail *mail,
			enum mail_error *error_code_r, const char **error_r)
{
	const char *dir = deliver->muser->set.dir;
	int ret = 0;

	*error_code_r = MAIL_ERROR_TEMP;
	if (!is_asker_there(deliver)) {
		*error_r = "Nobody waits for it any more";
		return -1;
	}
	if (mail->begun != 0)
		ret = delivered_find(dir, mail->guid, error_r);
	if (ret == 0) {
		ret = deliver_mail(deliver, mail, error_code_r, error_r);
		if (ret == 0)
			ret = delivered_add(dir, mail->guid, error_r);
	}
	return ret < 0 ? -1 : 0;
}

static int deliver_in_turn(struct migration_deliver *deliver,
			   const struct late_mail *mail,
			   enum mail_error *error_code_r, const char **error_r)
{
	struct lease *lease;
	int ret;

	*error_code_r = MAIL_ERROR_TEMP;
	ret = lease_deliver(deliver->muser->set.dir, LEASE_SECS, &lease,
			    error_r);
	if (ret == 0)
		*error_r = "Another delivery of this user's late mail "
			"doesn't end";
	if (ret <= 0)
		return -1;
	ret = deliver_once(deliver, mail, error_code_r, error_r);
	lease_release(&lease);
	return ret;
}

static int parse(const char *line, int fd, struct late_mail *mail_r,
		 const char **error_r)
{
	if (deliver_request_parse(t_strsplit_tabescaped(line),
				  pool_datastack_create(), mail_r,
				  error_r) < 0)
		return -1;
	if (!passed_file_has(fd, mail_r->size)) {
		*error_r = "Expected the mail's file";
		return -1;
	}
	mail_r->fd = fd;
	return 0;
}

/* Returns the answer. */
static const char *
answer(struct migration_deliver *deliver, const char *line, int fd)
{
	struct late_mail mail;
	enum mail_error error_code;
	const char *error;

	if (parse(line, fd, &mail, &error) < 0) {
		i_error("migration: A request can't be understood: %s", error);
		return worker_answer_no(MAIL_ERROR_PARAMS, error);
	}
	if (deliver_in_turn(deliver, &mail, &error_code, &error) < 0)
		return worker_answer_no(error_code, error);
	return worker_answer_ok();
}

static void deliver_end(struct migration_deliver *deliver)
{
	io_remove(&deliver->io);
	deliver->ended();
}

static int answer_line(struct migration_deliver *deliver, const char *line)
{
	int ret, fd = passed_file_take(deliver->input);

	T_BEGIN {
		line = t_strconcat(answer(deliver, line, fd), "\n", NULL);
		ret = write_full(deliver->fd, line, strlen(line));
	} T_END;
	i_close_fd(&fd);
	return ret;
}

static void deliver_input(struct migration_deliver *deliver)
{
	const char *line;
	int ret = i_stream_read(deliver->input);

	while ((line = i_stream_next_line(deliver->input)) != NULL) {
		if (answer_line(deliver, line) < 0) {
			deliver_end(deliver);
			return;
		}
	}
	/* -2: too long a line */
	if (ret < 0)
		deliver_end(deliver);
}

static void migration_deliver_start(struct migration_deliver *deliver, int fd,
				    void (*ended)(void))
{
	deliver->fd = fd;
	deliver->ended = ended;
	deliver->input = i_stream_create_unix(fd, DELIVER_MAX_LINE);
	i_stream_unix_set_read_fd(deliver->input);
	deliver->io = io_add(fd, IO_READ, deliver_input, deliver);
}

static int
migration_deliver_init(struct mail_user *user, deliver_lda_t *lda,
		       struct migration_deliver **deliver_r,
		       const char **error_r)
{
	struct migration_user *muser = MIGRATION_USER_CONTEXT(user);
	struct migration_deliver *deliver;

	if (muser == NULL) {
		*error_r = "The user isn't being moved: migration isn't on";
		return -1;
	}
	deliver = i_new(struct migration_deliver, 1);
	deliver->muser = muser;
	deliver->lda = lda;
	deliver->fd = -1;
	if (deliver_mails_init(user, &deliver->mails, error_r) < 0) {
		i_free(deliver);
		return -1;
	}
	*deliver_r = deliver;
	return 0;
}

static void migration_deliver_deinit(struct migration_deliver **_deliver)
{
	struct migration_deliver *deliver = *_deliver;

	*_deliver = NULL;
	io_remove(&deliver->io);
	i_stream_destroy(&deliver->input);
	i_close_fd(&deliver->fd);
	deliver_mails_deinit(&deliver->mails);
	i_free(deliver);
}

const struct migration_deliver_class migration_deliver_class = {
	.init = migration_deliver_init,
	.start = migration_deliver_start,
	.deinit = migration_deliver_deinit,
};
