/*
 * test-milter-lab: a milter of the test's own at the lab's old Postfix
 *
 * It takes the place of the lab's. What Postfix accepts stays in its queue, as it
 * was after the milter: milter_queued() shows it. Clients may say who they are
 * (XCLIENT), so that a mail can come from anywhere, and from who has logged in.
 *
 * All calls fail aloud, as those of case.h do.
 */
#ifndef TEST_MILTER_LAB_H
#define TEST_MILTER_LAB_H

#include "case.h"

/* 0; -1 when the tests can't go on. */
int milter_lab_init(void);
void milter_lab_deinit(void);
/* The settings file, a folder for more, and the key. */
const char *milter_conf(void);
const char *milter_dir(void);

/* Writes the settings (Socket, Host, KeyFile and User are there, and what fmt
   says), and starts it, until its socket answers. */
bool milter_start(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void milter_write(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Ends it with the signal; returns its exit status as process_stop() does. */
int milter_end(int signal);
pid_t milter_pid(void);
/* The worker's process. */
pid_t milter_worker(void);

/* What of the log came since the last call of milter_log_mark(): */
void milter_log_mark(void);
/* Does a line with this text come? */
bool milter_log_wait(const char *text);
unsigned int milter_log_count(const char *text);

/*
 * A client of Postfix
 */
struct smtp_dialog;

/* Says EHLO, after XCLIENT with these attributes if not NULL. */
struct smtp_dialog *smtp_begin(const char *xclient);
/* A command without its line end, and the code of its answer; 0 when the
   connection is lost. */
int smtp_say(struct smtp_dialog *dialog, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* DATA, the text, the end. The answer's code. */
int smtp_data(struct smtp_dialog *dialog, const void *data, size_t size);
/* The last answer. */
const char *smtp_answer(const struct smtp_dialog *dialog);
void smtp_end(struct smtp_dialog **dialog);

/* A whole mail: headers end in CRLF each, a body is added. Returns Postfix's
   queue ID, static; "" when it wasn't taken. */
const char *milter_send(const char *xclient, const char *from, const char *to,
			const char *headers);
/* The headers of a mail in the queue; static. */
const char *milter_queued(const char *id);
/* Whether the queue holds as many mails, once all that Postfix has said 250 to
   were counted: who counts can miss one that the queue manager moves on. */
bool milter_queue_holds(unsigned int mails);
void milter_queue_empty(void);

#endif
