/*
 * case-folder: what tests of folders do over and over, each in a session of its
 * own: server is a key of `lab env`, as in case_imap().
 */
#ifndef CASE_FOLDER_H
#define CASE_FOLDER_H

#include "case.h"

/* Any command; a reason why it isn't OK is printed. */
enum imap_status
folder_run(const char *server, unsigned int user, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* CREATE, and so many messages. */
void folder_make(const char *server, unsigned int user, const char *name,
		 unsigned int messages);
/* One message of 2 KB with that Message-ID. */
void folder_append(const char *server, unsigned int user, const char *name,
		   const char *id);
/* Messages in it, UINT32_MAX when it can't be selected. */
uint32_t folder_count(const char *server, unsigned int user, const char *name);
/* Is it LISTed? */
bool folder_listed(const char *server, unsigned int user, const char *name);
/* STORE \Deleted and EXPUNGE of those sequence numbers. */
void folder_expunge(const char *server, unsigned int user, const char *name,
		    const char *set);
/* Flags of the message with that sequence number, each followed by a blank.
   Valid until the next call. */
const char *folder_flags(const char *server, unsigned int user,
			 const char *name, unsigned int seq);

/* The file of that mailbox in <migration_dir>/FOLDER/. */
const char *folder_file(unsigned int user, const char *folder,
			const char *name);

/* `doveadm WORDS` in the background, each such system call of which takes so
   long. For process_wait(). */
pid_t folder_start_slow(const char *call, unsigned int ms, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
