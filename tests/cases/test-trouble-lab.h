#ifndef TEST_TROUBLE_LAB_H
#define TEST_TROUBLE_LAB_H

/*
 * test-trouble-lab: a lab whose way to the old server can be broken, at a point
 * (trouble_between) or wholly (trouble_tell), and a look at the old server past
 * all of that.
 */

#include "case.h"
#include "test-trouble-between.h"

#define TROUBLE_RECOVERY_MS 20000

extern struct between *trouble_between;

/* Stands between both servers from now on; the new one has these settings, and
   a short imapc_cmd_timeout. */
bool trouble_start(const char *settings);
/* As a program's last test: nothing crashed, or what the log says of it. */
void trouble_end(void);
/* The delay proxy's commands: stall, refuse, go, cut. */
bool trouble_tell(const char *command);
/* Nothing can be reached any more; the way is free again. */
void trouble_down(void);
void trouble_up(void);
/* The new server uses this password at the old one. */
bool trouble_password(unsigned int user, const char *password);

/* Messages there, asked for directly; UINT32_MAX on failure. */
uint32_t trouble_old_count(unsigned int user, const char *folder);
/* "\Flagged \Seen", sorted; the message by UID; "" for none. */
const char *trouble_old_flags(unsigned int user, uint32_t uid);
/* Messages with this Message-ID in the folder. */
uint32_t trouble_old_copies(unsigned int user, const char *folder,
			    const char *id);

/* Fills the folder of the old server; sizes in bytes. */
bool trouble_seed(unsigned int user, const char *folder, unsigned int count,
		  size_t size);
struct imap_client *trouble_select(unsigned int user, const char *folder,
				   struct imap_box *box_r);
/* Says SELECT until it works again; in the same session when *client isn't
   NULL, and in a new one when that is over. */
bool trouble_recovers(struct imap_client **client, unsigned int user,
		      const char *folder, uint32_t exists);
/* Is the last answer NO with this code ("[UNAVAILABLE]": without brackets),
   and a reason? NULL: any. */
bool trouble_is_no(struct imap_client *client, const char *code,
		   const char *what);

#endif
