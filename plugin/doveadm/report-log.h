#ifndef REPORT_LOG_H
#define REPORT_LOG_H

/*
 * report-log: where report lines of `doveadm migration` go.
 *
 * doveadm itself logs to the terminal. What it decides must be found where
 * the other programs' lines are (I8): in syslog, or the file that Dovecot's
 * info log is. Within doveadm-server lines go through Dovecot's log process
 * anyway, and nothing is done here.
 */

/* Opens the log, while the process is still privileged to do so. Without a
   log that can be written, report lines go to the terminal, with a warning. */
void report_log_init(void);
void report_log_deinit(void);

#endif
