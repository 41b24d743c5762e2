/*
 * mirror.pml: the mirror's protocol, for spin(1).
 *
 * One mailbox on the old server; a worker that keeps its copy; sessions that
 * write through the worker; clients that write on the old server themselves;
 * connections that are lost, workers that are killed, power cuts; a cutover.
 * model.sh says how much of each, and which of the mistakes below are made on
 * purpose, to see that each of them is found.
 *
 * What a step stands for in plugin/engine (and plugin/worker) is said where it
 * stands. A step of the model is a round trip or less, so that anything of the
 * others can come between any two. What is left out: several writes in one
 * burst (the old server does them one after the other), COPY (an APPEND whose
 * bytes come from elsewhere), the queue of what was read, other mailboxes.
 *
 * What must hold:
 *   I1     a write that was acknowledged as done is done where the word is: on the old
 *          server, or on the copy once that is local; no APPEND is done twice
 *   equal  when all is quiet, the copy has what the old server has
 *   gone   what had gone on the old server before the cutover looked last
 *          isn't in the local mailbox
 *   I9     no UID is ever given to two mails, on either side
 *   never  a message is missing below the copy's UIDNEXT (fill_once: it could
 *          be added only by making the copy anew)
 *
 * Mistakes: BASE_FROM_FETCH, STATE_FIRST, PIPELINED, NO_GAP, NO_COUNT,
 * COUNT_ONLY, and others of model.sh.
 */

#include "world.pml"

/*
 * The worker
 */

/* Why the refresh is wanted: where it goes on. */
#define FOR_NEWS 0
#define FOR_WRITE 1
#define FOR_SETTLE 2
#define FOR_END_OF_TURN 3
#define FOR_CUTOVER 4

/* The connection may be lost here. */
#define LOST (losses > 0)

/* mirror_knows(): box_knows() when it is open, else state_knows() */
inline get_knows(knows)
{
	count(old, n);
	if
	:: open ->
		count(copy, m);
		knows = (!behind && highest <= kept && old.next == copy.next &&
			 n == m);
	:: else -> knows = (highest == state_modseq && n == state_messages)
	fi;
	n = 0;
	m = 0;
}

/* mirror_box_noop(): answered, so that the connection knows all UIDs. */
inline noop()
{
#ifndef PIPELINED
	view = old.next;
#endif
	known = copy.next;
}

/* fill_checkpoint(): the copy first, then the state. */
inline checkpoint()
{
#ifdef STATE_FIRST
	d_step {
		state_modseq = kept;
		count(copy, state_messages);
	}
	d_step { take(disk, copy); dirty = 0 }
#else
	d_step { take(disk, copy) }
	d_step {
		state_modseq = kept;
		count(copy, state_messages);
		dirty = 0;
	}
#endif
}

/* The connection is lost before the old server has done it. */
inline lose_request()
{
	losses--;
	up = 0;
	lost = 1;
#if LATE
	if
	:: late = request[me]; late_uid = uid; late_who = me
	:: skip
	fi;
#endif
}

/* The STORE is done in that mailbox. */
#define is_so(box) \
	((request[me] == W_SET && box.flag[uid]) || \
	 (request[me] == W_CLEAR && box.has[uid] && !box.flag[uid]))

#define ACK_DONE(me) \
	assert(!(request[me] == W_APPEND) || did[me] == 1); \
	assert(!(request[me] == W_EXPUNGE) || !old.has[request_uid[me]]); \
	assert(!(request[me] == W_SET || request[me] == W_CLEAR) || \
	       did[me] > 0 || !old.has[request_uid[me]]);

inline reply(what)
{
	if
	:: what == A_DONE -> ACK_DONE(me)
	:: else
	fi;
	request[me] = W_NONE;
	request_uid[me] = 0;
	answer[me] = what;
}

proctype worker()
{
	/* connection: stands; the UIDs that the old server's session has seen */
	bit up, selected;
	byte view;
	/* struct mirror_box: open, kept.modseq, known_uid, behind, kept.dirty */
	bit open, behind, dirty;
	byte kept, known;
	/* a refresh */
	byte after, base, end, messages, highest_then, highest_shown;
	bit fetch[ALL_UIDS], expunged[ALL_UIDS], changed[ALL_UIDS];
	bit flag_then[ALL_UIDS];
	/* the old server as the last SELECT found it */
	mailbox was;
	bit failed;
	/* a write */
	byte me, uid, uid_next;
	bit shown, tried, ok, knows, lost;
	byte seen;
	bit looked;
	byte u, n, m, cu;

	{
	true;

turn:	/* worker-turns.c: the oldest request first, a cutover between them,
	   refreshes when mirror-watch told of something that isn't known */
	true;
	d_step {
		me = 0; uid = 0; uid_next = 0; shown = 0; tried = 0; lost = 0;
		after = 0; base = 0; end = 0; messages = 0;
		highest_shown = 0; ok = 0; failed = 0;
		get_knows(knows);
		seen = highest;
		/* one look is enough when nothing changes meanwhile */
		assert(knows || !looked || highest_then != highest);
		looked = 0;
		highest_then = 0;
	}
	if
	:: d_step { request[0] != W_NONE -> me = 0 } goto write
#if SESSIONS > 1
	:: d_step { request[1] != W_NONE -> me = 1 } goto write
#endif
	:: !is_local && !knows -> after = FOR_NEWS; goto refresh
	/* every CHECKPOINT_SECS, when it is closed, when nobody is left */
	:: !is_local && dirty -> checkpoint(); goto turn
	:: !is_local && cutover_wanted -> goto cut_over
	/* mirror-watch tells */
	:: !is_local && highest != seen -> goto turn
	:: busy == 0 && direct_left == 0 && NOTHING_LATE && !cutover_wanted &&
	   (is_local || (!dirty && knows && highest == seen)) -> goto quiet
	fi;

write:	/* mirror_write(), of one op */
	if
	:: is_local -> d_step { reply(A_LOCAL) } goto turn
	:: else
	fi;
	uid = request_uid[me];
	/* mirror_box_select(); open_dest() */
	if
	:: up && selected && open && !behind
	:: else -> after = FOR_WRITE; goto refresh
	fi;
write_selected:
	uid_next = copy.next;
	/* run_burst(): a UID that the connection may not know */
	if
	:: request[me] != W_APPEND && uid >= known -> d_step { noop() }
	:: else
	fi;
write_again:
	/* mirror_burst_run(), and what the old server does. A connection that is
	   lost may have been lost before or after that. */
	if
	:: atomic { LOST -> lose_request() }
	:: d_step { true ->
		if
		:: request[me] == W_APPEND || uid < view ->
			old_do(request[me], uid, 1 + me, shown);
			did[me] = did[me] + shown;
			assert(request[me] != W_APPEND || did[me] <= 1);
			/* the NOOP of send_all() */
			if
			:: request[me] == W_APPEND ->
#ifndef PIPELINED
				view = old.next
#endif
				skip
			:: else
			fi;
		/* it says OK to a UID that it hasn't told of, and does nothing */
		:: else -> shown = 0
		fi;
		}
		if
		:: d_step { LOST -> losses--; up = 0; lost = 1 }
		:: true
		fi;
	fi;
	if
	:: lost -> goto settle
	:: else
	fi;
	/* ask_unconfirmed(): the old server must show that it is so */
	if
	:: !shown && request[me] != W_APPEND ->
		d_step { noop() }
		d_step {
			ok = uid >= view || !old.has[uid] || is_so(old);
			did[me] = did[me] + (uid < view && is_so(old));
		}
		if
		:: !ok && !tried -> tried = 1; goto write_again
		:: !ok -> d_step { reply(A_FAILED) } goto turn
		:: else
		fi;
	:: else
	fi;

	/* mirror_apply(): what the answers have shown */
	d_step {
		if
		:: request[me] == W_EXPUNGE ->
			copy.has[uid] = 0;
			copy.flag[uid] = 0;
		:: request[me] == W_APPEND && uid == copy.next ->
			copy.has[uid] = 1;
			copy.flag[uid] = 0;
			copy.next++;
			known = copy.next;
		:: request[me] == W_APPEND && uid != copy.next -> behind = 1
		:: (request[me] == W_SET || request[me] == W_CLEAR) ->
			if
			:: copy.has[uid] -> copy.flag[uid] =
						request[me] == W_SET
			:: else
			fi;
		fi;
		dirty = 1;
	}
	if
	:: behind -> after = FOR_END_OF_TURN; goto refresh
	:: else
	fi;
end_of_turn:
	true;
	d_step { reply(A_DONE) }
	goto turn;

settle:	/* mirror_settle(): was it done? */
	behind = 1;
	after = FOR_SETTLE;
	goto refresh;
settle_known:
	if
	:: request[me] == W_APPEND ->
		/* find_new(): a new message with these bytes */
		d_step {
			ok = 0;
			FOR_UIDS(u) {
				if
				:: u >= uid_next && copy.has[u] &&
				   mail[u] == 1 + me && did[me] > 0 -> ok = 1
				:: else
				fi;
			}
			u = 0;
		}
		if
		:: ok -> d_step { reply(A_DONE) }
		:: else -> d_step { reply(A_FAILED) }
		fi;
	:: else ->
		d_step {
			ok = !copy.has[uid] || is_so(copy);
			did[me] = did[me] + is_so(copy);
			lost = 0;
		}
		if
		:: ok -> d_step { reply(A_DONE) }
		/* mirror_burst_resume() */
		:: !ok && !tried -> tried = 1; goto write_again
		:: else -> d_step { reply(A_FAILED) }
		fi;
	fi;
	goto turn;

refresh: /* mirror_box_refresh(), fill_mailbox() */
	true;
	d_step {
		/* fill_read_state(), take_kept_state() */
		base = (open -> kept : state_modseq);
		/* old_mailbox_open(): SELECT */
		up = 1;
		selected = 0;
		view = old.next;
		end = old.next;
		highest_then = highest;
		count(old, messages);
		if
		:: after == FOR_CUTOVER -> take(was, old)
		:: else
		fi;
		highest_shown = 0;
		failed = 0;
	}
	/* A cutover was cut short between the gap and the state: fill_degrade(). The
	   mailbox is served from the old server then, and filled anew. */
	if
	:: copy.next > end -> goto ended
	:: else
	fi;
	/* fill_nothing_new() */
	d_step {
		count(copy, n);
		ok = base == highest_then && messages == n && end == copy.next;
		n = 0;
	}
	if
	:: ok -> goto refreshed
	:: else
	fi;
	/* old_inventory_get_changed(): UID FETCH (CHANGEDSINCE): each message when
	   its turn comes */
	u = 0;
	do
	:: u < end -> d_step {
		if
		:: old.has[u] && modseq[u] > base ->
			if
			:: copy.has[u] -> changed[u] = 1;
			:: !copy.has[u] && u >= copy.next -> fetch[u] = 1
			:: else -> assert(false)	/* never */
			fi;
			flag_then[u] = old.flag[u];
			highest_shown = (modseq[u] > highest_shown ->
					 modseq[u] : highest_shown);
		:: else
		fi;
		u++;
		}
	:: else -> break
	od;
	if
	:: d_step { LOST -> losses--; up = 0; failed = 1 } goto refreshed
	:: true
	fi;
	/* compute_delta(): do the numbers agree? */
	d_step {
		count(copy, n);
		FOR_UIDS(u) {
			n = n + fetch[u];
		}
		ok = (n == messages);
#ifndef COUNT_ONLY
		/* a new one that has gone again could make up for an old one */
		FOR_UIDS(u) {
			ok = ok && (u < copy.next || u >= end || fetch[u]);
		}
#endif
#ifdef NO_COUNT
		ok = 1;
#endif
		u = 0;
		n = 0;
	}
	if
	:: ok
	/* old_mailbox_uids(), delta_add_expunged(), delta_add_missed() */
	:: else -> d_step {
		FOR_UIDS(u) {
			expunged[u] = copy.has[u] && !old.has[u];
			assert(!(u < end && u < copy.next && old.has[u] &&
				 !copy.has[u]));	/* never */
		}
		u = 0;
		}
	fi;
	/* fill_apply_changes() */
	d_step {
		FOR_UIDS(u) {
			if
			:: expunged[u] -> copy.has[u] = 0; copy.flag[u] = 0
			:: !expunged[u] && changed[u] && copy.has[u] ->
				copy.flag[u] = flag_then[u]
			:: else
			fi;
		}
		u = 0;
		dirty = 1;
	}
	/* fill_fetch_bodies(), forget_vanished(): a body that has gone meanwhile */
	if
	:: d_step { LOST -> losses--; up = 0; failed = 1 } goto refreshed
	:: true
	fi;
	d_step {
		FOR_UIDS(u) {
			if
			:: fetch[u] && old.has[u] ->
				copy.has[u] = 1;
				copy.flag[u] = flag_then[u]
			:: else
			fi;
		}
		u = 0;
		/* raise_uid_next() */
		copy.next = (copy.next < end -> end : copy.next);
	}
refreshed: /* finish(), keep(): it is as SELECT said, at least */
	true;
	d_step {
		FOR_UIDS(u) {
			fetch[u] = 0;
			expunged[u] = 0;
			changed[u] = 0;
			flag_then[u] = 0;
		}
		u = 0;
		open = 1;
		if
		:: !failed ->
#ifdef BASE_FROM_FETCH
			kept = (highest_shown > base -> highest_shown :
				highest_then);
#else
			kept = highest_then;
#endif
			selected = 1;
			behind = 0;
			known = end;
		:: else ->
			kept = base;
			behind = 1;
		fi;
		dirty = 1;
	}
	if
	:: after == FOR_NEWS -> looked = !failed; goto turn
	:: after == FOR_WRITE && !failed -> goto write_selected
	:: after == FOR_END_OF_TURN -> goto end_of_turn
	:: after == FOR_SETTLE && !failed -> goto settle_known
	:: (after == FOR_WRITE || after == FOR_SETTLE) && failed ->
		d_step { reply(A_FAILED) } goto turn
	:: after == FOR_CUTOVER && !failed -> goto caught_up
	:: after == FOR_CUTOVER && failed -> goto turn
	fi;

cut_over: /* mirror_cutover(): in a turn of its own, writes wait */
	checkpoint();
	after = FOR_CUTOVER;
	goto refresh;
caught_up:
	true;
	d_step {
		/* check_count() */
		count(copy, n);
		ok = (n == messages);
		n = 0;
	}
	if
	:: !ok -> goto turn
	:: else
	fi;
	/* prepare_copy(): the gap, all durable */
	d_step {
		copy.next = end + GAP;
		take(disk, copy);
	}
	/* make_local() */
	d_step {
		FOR_UIDS(u) {
			assert(!(copy.has[u] && !was.has[u]));	/* gone */
			assert(!(was.has[u] && old.has[u] && !copy.has[u]));
		}
		u = 0;
		take(was, nothing);
		is_local = 1;
		cutover_wanted = 0;
	}
	goto turn;

ended:
	if
	:: atomic { request[0] != W_NONE -> me = 0; reply(A_FAILED) } goto ended
#if SESSIONS > 1
	:: atomic { request[1] != W_NONE -> me = 1; reply(A_FAILED) } goto ended
#endif
	:: atomic { busy == 0 && direct_left == 0 -> all_done = 1 }
	   goto end_of_worker
	fi;

quiet:
	true;
	d_step {
		all_done = 1;
		FOR_UIDS(u) {
			assert(is_local || old.has[u] == copy.has[u]);
			assert(is_local || old.flag[u] == copy.flag[u]);
		}
		u = 0;
	}

end_of_worker:
	skip

	} unless { d_step { dead ->
		take(was, nothing);
		/* what was asked is lost with the connections to the sessions */
		me = 0;
		do
		:: me < SESSIONS ->
			if
			:: request[me] != W_NONE ->
				request[me] = W_NONE;
				request_uid[me] = 0;
				answer[me] = A_LOST
			:: else
			fi;
			me++;
		:: else -> break
		od;
		up = 0; selected = 0; view = 0; open = 0; behind = 0; dirty = 0;
		kept = 0; known = 0; failed = 0; looked = 0;
		FOR_UIDS(u) {
			fetch[u] = 0;
			expunged[u] = 0;
			changed[u] = 0;
			flag_then[u] = 0;
		}
		u = 0;
		dead = 0;
		}
		goto turn
	};
}

init {
	byte u, cu;

	atomic {
		for (u : 0 .. MAILS - 1) {
			mail[u] = 1 + SESSIONS;
			old.has[u] = 1;
			copy.has[u] = 1;
			disk.has[u] = 1;
			modseq[u] = 1;
		}
		u = 0;
		old.next = MAILS;
		copy.next = MAILS;
		disk.next = MAILS;
		highest = 1;
		state_modseq = 1;
		state_messages = MAILS;
		cutover_wanted = (CUTOVERS > 0);
		busy = (WRITES > 0 -> SESSIONS : 0);
		run worker();
		run session(0);
#if SESSIONS > 1
		run session(1);
#endif
#if DIRECT > 0
		run direct();
#endif
#if LATE
		run slow();
#endif
#if KILLS + POWER_CUTS > 0
		run fate();
#endif
	}
}
