/*
 * do-nothing-milter SOCKET: the floor of what any milter costs
 *
 * Asks the MTA to leave out every stage that it may leave out, and adds nothing:
 * one round trip a mail is left, at its end, which the protocol can't do
 * without. What a milter that does something takes longer is its own work.
 * SOCKET as smfi_setconn() has it. Ends at SIGTERM. Exits 0, 1 when libmilter
 * fails, 64 for wrong usage.
 */
#include <libmilter/mfapi.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define LEFT_OUT (SMFIP_NOCONNECT | SMFIP_NOHELO | SMFIP_NOMAIL | \
	SMFIP_NORCPT | SMFIP_NODATA | SMFIP_NOUNKNOWN | SMFIP_NOHDRS | \
	SMFIP_NOEOH | SMFIP_NOBODY)

static sfsistat
negotiate(SMFICTX *ctx, unsigned long actions, unsigned long stages,
	  unsigned long more1, unsigned long more2, unsigned long *actions_r,
	  unsigned long *stages_r, unsigned long *more1_r,
	  unsigned long *more2_r)
{
	(void)ctx;
	(void)actions;
	(void)more1;
	(void)more2;
	*actions_r = SMFIF_NONE;
	*stages_r = LEFT_OUT & stages;
	*more1_r = *more2_r = 0;
	return SMFIS_CONTINUE;
}

static sfsistat end_of_message(SMFICTX *ctx)
{
	(void)ctx;
	return SMFIS_CONTINUE;
}

int main(int argc, char *argv[])
{
	struct smfiDesc filter = {
		.xxfi_name = "do-nothing",
		.xxfi_version = SMFI_VERSION,
		.xxfi_flags = SMFIF_NONE,
		.xxfi_eom = end_of_message,
		.xxfi_negotiate = negotiate,
	};

	if (argc != 2) {
		fprintf(stderr, "usage: do-nothing-milter SOCKET\n");
		return 64;
	}
	/* the MTA asks as another user */
	(void)umask(0);
	if (smfi_setconn(argv[1]) != MI_SUCCESS ||
	    smfi_register(filter) != MI_SUCCESS ||
	    smfi_main() != MI_SUCCESS)
		return EXIT_FAILURE;
	return EXIT_SUCCESS;
}
