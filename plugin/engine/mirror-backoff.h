#ifndef MIRROR_BACKOFF_H
#define MIRROR_BACKOFF_H

/*
 * mirror-backoff: when to try a connection again.
 *
 * Each time twice as late, up to a minute; a quarter of an hour where the login
 * was refused, for servers lock out who tries too often. Up to a quarter is
 * added by chance, so that not all users' workers come at once after an outage.
 * A connection that lived as long as was last waited for begins anew, so that
 * one which is accepted and dropped at once isn't tried each second.
 */

#define MIRROR_BACKOFF_MIN_MSECS 1000
#define MIRROR_BACKOFF_MAX_MSECS (60 * 1000)
#define MIRROR_BACKOFF_REFUSED_MIN_MSECS (60 * 1000)
#define MIRROR_BACKOFF_REFUSED_MAX_MSECS (15 * 60 * 1000)

/* Begins as all zeros. */
struct mirror_backoff {
	/* what the last delay was, without chance; 0 before the first */
	unsigned int msecs;
};

/* It failed, after the connection had lived so long (0: it never did). Returns
   how long to wait. */
unsigned int mirror_backoff_failed(struct mirror_backoff *backoff,
				   unsigned int lived_msecs, bool refused);

#endif
