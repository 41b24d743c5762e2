/*
 * milter-callbacks: between libmilter and what we do
 *
 * The MTA is asked for as little as will do: no body, no DATA, no end of headers,
 * no unknown commands; and not to wait for an answer to connect, HELO, MAIL, RCPT
 * (but when mail is being deferred) and each header. What is left is one question
 * and one answer a mail, at its end. Of the macros, only those that are read.
 *
 * Whatever fails here, the mail is accepted and the failure reported.
 */
#ifndef MILTER_CALLBACKS_H
#define MILTER_CALLBACKS_H

/* Tells libmilter of them. -1 when it has no memory. */
int milter_callbacks_register(void);

#endif
