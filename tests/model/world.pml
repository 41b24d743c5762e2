/*
 * world.pml: who is around the worker of mirror.pml: the old server and its
 * clients, the sessions, what takes processes and power away.
 */

#ifndef SESSIONS
#define SESSIONS 1
#endif
#ifndef WRITES		/* of each session */
#define WRITES 1
#endif
#ifndef DIRECT		/* changes by clients of the old server */
#define DIRECT 1
#endif
#ifndef LOSSES		/* of the worker's connection */
#define LOSSES 0
#endif
#ifndef LATE		/* 1: what was lost may be done long afterwards */
#define LATE 0
#endif
#ifndef KILLS		/* of the worker */
#define KILLS 0
#endif
#ifndef POWER_CUTS
#define POWER_CUTS 0
#endif
#ifndef CUTOVERS
#define CUTOVERS 0
#endif
#ifndef MAILS		/* in both at the beginning; UIDs are 0, 1... */
#define MAILS 2
#endif
#define APPENDS (SESSIONS * WRITES + DIRECT)
#define UIDS (MAILS + APPENDS)
#ifdef NO_GAP
#define GAP 0
#else
#define GAP APPENDS
#endif
/* UIDs of the local mailbox are beyond those of the old one */
#define ALL_UIDS (UIDS + GAP + SESSIONS * WRITES)

mtype:write = { W_NONE, W_SET, W_CLEAR, W_EXPUNGE, W_APPEND };
mtype:answer = { A_NONE, A_DONE, A_FAILED, A_LOST, A_LOCAL };

typedef mailbox {
	bit has[ALL_UIDS];
	bit flag[ALL_UIDS];
	byte next;
};

/* the old server, with MODSEQs */
mailbox old;
byte modseq[ALL_UIDS];
byte highest;
/* the copy as everybody sees it, and as a power cut leaves it */
mailbox copy;
mailbox disk;
mailbox nothing;
/* the state file: MODSEQ, messages, and whether it is local */
byte state_modseq, state_messages;
bit is_local;
/* which mail has the UID: 1 + who appended it; 0: none yet */
byte mail[ALL_UIDS];

/* requests on the worker's socket */
mtype:write request[SESSIONS] = W_NONE;
byte request_uid[SESSIONS];
mtype:answer answer[SESSIONS] = A_NONE;
/* how often the old server did it; whether the mail was gone by then */
byte did[SESSIONS];

#if LATE
mtype:write late = W_NONE;
byte late_uid, late_who;
#define NOTHING_LATE (late == W_NONE)
#else
#define NOTHING_LATE true
#endif

byte losses = LOSSES, direct_left = DIRECT;
byte busy;	/* sessions that have something to do */
bit dead;	/* the worker was killed */
bit all_done;
bit cutover_wanted;

#define FOR_UIDS(u) for (u : 0 .. ALL_UIDS - 1)

inline count(box, n)
{
	n = 0;
	FOR_UIDS(cu) {
		n = n + box.has[cu];
	}
	cu = 0;
}

inline take(dest, source)
{
	FOR_UIDS(cu) {
		dest.has[cu] = source.has[cu];
		dest.flag[cu] = source.flag[cu];
	}
	cu = 0;
	dest.next = source.next;
}

/* Gives the UID to that mail. */
inline give(uid, who)
{
	assert(mail[uid] == 0);	/* I9 */
	mail[uid] = who;
}

inline change(uid)
{
	highest++;
	modseq[uid] = highest;
}

/* An IMAP command on the old server; old_did: something came of it */
inline old_do(what, uid, who, old_did)
{
	old_did = 0;
	if
	:: what == W_APPEND ->
		uid = old.next;
		give(uid, who);
		old.has[uid] = 1;
		old.flag[uid] = 0;
		old.next++;
		change(uid);
		old_did = 1;
	:: what == W_EXPUNGE && old.has[uid] ->
		old.has[uid] = 0;
		old.flag[uid] = 0;
		change(uid);
		old_did = 1;
	:: (what == W_SET || what == W_CLEAR) && old.has[uid] ->
		old.flag[uid] = (what == W_SET);
		change(uid);
		old_did = 1;
	:: else
	fi;
}

/* Any UID that was given there. */
inline pick(box, uid)
{
	do
	:: uid + 1 < box.next && uid + 1 < ALL_UIDS -> uid++
	:: break
	od;
}

/* The same in the mailbox that is local (super.transaction_commit); a local
   server makes it durable. */
inline local_do(what, uid, who)
{
	if
	:: what == W_APPEND ->
		uid = copy.next;
		give(uid, who);
		copy.has[uid] = 1;
		copy.next++;
	:: what == W_EXPUNGE ->
		copy.has[uid] = 0;
		copy.flag[uid] = 0;
	:: else -> copy.flag[uid] = (what == W_SET) && copy.has[uid]
	fi;
	disk.has[uid] = copy.has[uid];
	disk.flag[uid] = copy.flag[uid];
	disk.next = copy.next;
}

/* A client of the old server. */
proctype direct()
{
	byte uid, cu;
	bit done;
	mtype:write what;

end:	do
	:: atomic { direct_left > 0 ->
		if
		:: what = W_APPEND
		:: what = W_SET
		:: what = W_CLEAR
		:: what = W_EXPUNGE
		fi;
		uid = 0;
		if
		:: what == W_APPEND
		:: else -> pick(old, uid)
		fi;
		old_do(what, uid, SESSIONS + 2, done);
		direct_left--;
		what = W_NONE;
		uid = 0;
		done = 0;
	}
	od;
}

/* A client on the new server: sees the copy, and writes through the worker
   (mirror-transaction: nothing reaches the copy but by the worker). */
proctype session(byte me)
{
	byte uid, left = WRITES;
	mtype:write what;

	do
	:: atomic { left > 0 ->
			if
			:: what = W_APPEND
			:: what = W_SET
			:: what = W_CLEAR
			:: what = W_EXPUNGE
			fi;
			uid = 0;
			if
			:: what == W_APPEND
			:: else -> pick(copy, uid)
			fi;
			did[me] = 0;
			answer[me] = A_NONE;
			if
			:: what == W_APPEND || copy.has[uid] ->
				request_uid[me] = uid;
				request[me] = what;
			/* it has just gone */
			:: else -> answer[me] = A_FAILED
			fi;
		}
		atomic { answer[me] != A_NONE ->
			if
			:: answer[me] == A_LOCAL -> local_do(what, uid, 1 + me)
			:: else
			fi;
			answer[me] = A_NONE;
			what = W_NONE;
			uid = 0;
			left--;
			busy = busy - (left == 0);
		}
	:: left == 0 -> break
	od;
}

#if LATE
/* The old server has read a command and is slow to do it, while its connection is
   lost. */
proctype slow()
{
	byte uid, cu;
	bit done;

end:	do
	:: atomic { late != W_NONE ->
		uid = late_uid;
		old_do(late, uid, 1 + late_who, done);
		did[late_who] = did[late_who] + done;
		late = W_NONE;
		uid = 0;
		done = 0;
	}
	od;
}
#endif

/* Kills and power cuts: what is in memory is lost; what was asked may be done or
   not (WORKER_LOST); a power cut also takes the copy back, perhaps. */
proctype fate()
{
	byte kills = KILLS, cuts = POWER_CUTS, me, cu;

end:	do
	:: atomic { kills > 0 && !dead && !all_done -> kills--; dead = 1 }
	:: atomic { cuts > 0 && !dead && !all_done ->
		cuts--;
		if
		:: d_step { take(copy, disk) }
		:: skip	/* it was all on disk by then */
		fi;
		dead = 1;
		}
	od;
}
