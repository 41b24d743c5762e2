/*
 * report-verdict-accounts: are all mailboxes here, was each account looked at, and
 * does nobody work on the old server any more?
 */
#include "report-verdict-private.h"
#include "common/text-format.h"
#include "report-seen.h"

#include <string.h>
#include <strings.h>

/* Names without a domain are of any. */
static bool is_of_domain(const char *name, const char *domain)
{
	const char *at = strrchr(name, '@');

	return at == NULL || strcasecmp(at + 1, domain) == 0;
}

/* "anna" and "anna@example.org" are the same account of that domain. */
static bool is_account(const char *name, const char *listed,
		       const char *domain)
{
	size_t size = strcspn(name, "@");

	if (strcasecmp(name, listed) == 0)
		return true;
	return size == strcspn(listed, "@") &&
		strncasecmp(name, listed, size) == 0 &&
		is_of_domain(name, domain) && is_of_domain(listed, domain);
}

/* Closed in the usual way: it was judged then. */
static bool is_closed(const struct report_user *user)
{
	return user->catchup.closed != 0 && !user->catchup.forced;
}

/* Up to when all was seen, and from when on. */
static void find_polls(struct verdict_work *work)
{
	const struct report_user *user;
	bool all = work->verdict->accounts_closed == work->accounts_count;
	size_t i;

	work->polls_from = 0;
	work->polls_to = INT64_MAX;
	for (i = 0; i < work->accounts_count; i++) {
		user = work->accounts[i];
		if (is_closed(user) && !all)
			continue;
		if (user->local_since > work->polls_from)
			work->polls_from = user->local_since;
		if (user->catchup.last_poll < work->polls_to)
			work->polls_to = user->catchup.last_poll;
		if (user->local_since == 0)
			work->polls_to = 0;
	}
	if (work->accounts_count == 0 || work->polls_to <= work->polls_from)
		work->polls_from = work->polls_to = 0;
}

static bool is_listed_seen(const struct verdict_work *work, const char *listed)
{
	size_t i;

	for (i = 0; i < work->accounts_count; i++) {
		if (is_account(work->accounts[i]->name, listed,
			       work->verdict->domain))
			return true;
	}
	return false;
}

static void add_up(struct report_verdict *verdict,
		   const struct report_user *user)
{
	const struct report_catchup *catchup = &user->catchup;
	size_t i;

	verdict->accounts_closed += is_closed(user) ? 1 : 0;
	verdict->late += catchup->late;
	verdict->doubles += catchup->doubles;
	verdict->conflicts += catchup->conflicts;
	verdict->refused_expunges += catchup->refused_expunges;
	verdict->resets += catchup->resets;
	verdict->copy_back_failures += catchup->copy_back_failures;
	for (i = 0; i < user->mailboxes_count; i++)
		verdict->given_up += *user->mailboxes[i]->without != '\0';
}

void verdict_find_accounts(struct verdict_work *work)
{
	const struct report_model *model = work->model;
	const struct report_user *user;
	size_t i;

	work->accounts = memory_resize(NULL, model->users_count + 1,
				       sizeof(*work->accounts));
	for (i = 0; i < model->users_count; i++) {
		user = model->users[i];
		if (!is_of_domain(user->name, work->verdict->domain))
			continue;
		work->accounts[work->accounts_count++] = user;
		add_up(work->verdict, user);
	}
	work->verdict->accounts = work->accounts_count;
	work->verdict->accounts_listed = work->set->accounts_listed;
	find_polls(work);
	for (i = 0; i < work->set->accounts_count; i++) {
		/* nobody has looked at it */
		if (!is_listed_seen(work, work->set->accounts[i]))
			work->polls_from = work->polls_to = 0;
	}
}

static size_t count_before_local(const struct report_user *user)
{
	size_t count = 0;
	unsigned int state;

	for (state = 0; state < REPORT_STATE_LOCAL; state++)
		count += user->states[state];
	return count;
}

static void check_mailbox(struct verdict_work *work,
			  const struct report_user *user,
			  const struct report_mailbox *mailbox)
{
	if (*mailbox->problem != '\0')
		verdict_add(work, REPORT_COND_LOCAL, REPORT_NOT_YET, user->name,
			    "mailbox %s: %s", mailbox->name, mailbox->problem);
	if (mailbox->state == REPORT_STATE_LOCAL && !mailbox->verified)
		verdict_add(work, REPORT_COND_LOCAL, REPORT_UNKNOWN, user->name,
			    "mailbox %s is local, but wasn't verified",
			    mailbox->name);
}

static void check_mailboxes(struct verdict_work *work,
			    const struct report_user *user)
{
	size_t i, left = count_before_local(user);

	if (left > 0)
		verdict_add(work, REPORT_COND_LOCAL, REPORT_NOT_YET, user->name,
			    "%s mailboxes aren't local yet",
			    format_count(left).text);
	else if (user->local_since == 0)
		verdict_add(work, REPORT_COND_LOCAL, REPORT_UNKNOWN, user->name,
			    "no cutover of its mailboxes is in the log: give "
			    "older logs");
	if (*user->problem != '\0')
		verdict_add(work, REPORT_COND_LOCAL, REPORT_NOT_YET, user->name,
			    "%s", user->problem);
	for (i = 0; i < user->mailboxes_count; i++)
		check_mailbox(work, user, user->mailboxes[i]);
}

/* The part before "@" or "+". */
static size_t local_size(const char *address)
{
	address += *address == '<' ? 1 : 0;
	return strcspn(address, "@+");
}

static int compare_local(const char *a, const char *b)
{
	size_t size_a = local_size(a), size_b = local_size(b);
	int ret;

	a += *a == '<' ? 1 : 0;
	b += *b == '<' ? 1 : 0;
	ret = strncasecmp(a, b, size_a < size_b ? size_a : size_b);
	return ret != 0 ? ret : size_a < size_b ? -1 : size_a > size_b;
}

static int compare_accounts(const void *a, const void *b)
{
	const struct report_user *const *one = a, *const *two = b;

	return compare_local((*one)->name, (*two)->name);
}

static int compare_address(const void *key, const void *element)
{
	const struct report_user *const *user = element;

	return compare_local(key, (*user)->name);
}

/* Who gets mail is an account, unless it's an alias; only a list can tell. */
static void check_recipients(struct verdict_work *work)
{
	const struct report_domain *domain = work->domains[0];
	const char *example = "";
	size_t i, count = 0;

	if (domain == NULL || work->set->accounts_listed ||
	    work->accounts_count == 0)
		return;
	qsort(work->accounts, work->accounts_count, sizeof(*work->accounts),
	      compare_accounts);
	for (i = 0; i < domain->recipients_count; i++) {
		if (bsearch(domain->recipients[i], work->accounts,
			    work->accounts_count, sizeof(*work->accounts),
			    compare_address) == NULL &&
		    count++ == 0)
			example = domain->recipients[i];
	}
	work->verdict->strange_recipients = count;
	if (count > 0)
		verdict_add(work, REPORT_COND_LOCAL, REPORT_UNKNOWN, example,
			    "wanted mail comes to %s of which no line tells as "
			    "an account: list all accounts with --accounts, "
			    "and it's an alias if it isn't there",
			    count == 1 ? "this address" : "such addresses");
}

void verdict_check_local(struct verdict_work *work)
{
	size_t i;

	if (work->accounts_count == 0)
		verdict_add(work, REPORT_COND_LOCAL, REPORT_UNKNOWN, "",
			    "no line tells of an account: is the new server's "
			    "log of Dovecot among these?");
	for (i = 0; i < work->accounts_count; i++)
		check_mailboxes(work, work->accounts[i]);
	check_recipients(work);
	for (i = 0; i < work->set->accounts_count; i++) {
		if (!is_listed_seen(work, work->set->accounts[i]))
			verdict_add(work, REPORT_COND_LOCAL, REPORT_UNKNOWN,
				    work->set->accounts[i],
				    "no line tells of that account: whether "
				    "its mail is here isn't known");
	}
}

void verdict_check_fetched(struct verdict_work *work)
{
	const struct report_user *user;
	size_t i;

	for (i = 0; i < work->accounts_count; i++) {
		user = work->accounts[i];
		if (user->catchup.pending > 0)
			verdict_add(work, REPORT_COND_FETCHED, REPORT_NOT_YET,
				    user->name, "%s late mails aren't "
				    "delivered: %s",
				    format_count(user->catchup.pending).text,
				    user->catchup.pending_problem);
		if (user->catchup.gone > 0 &&
		    user->catchup.last_gone > work->verdict->begins) {
			verdict_wait(work, user->catchup.last_gone +
				     (int64_t)work->verdict->quiet_s);
			verdict_add(work, REPORT_COND_FETCHED, REPORT_NOT_YET,
				    user->name, "mails came to the old server "
				    "and went before they were looked at, the "
				    "last time at %s",
				    format_time(user->catchup.last_gone).text);
		}
	}
}

/* Up to when it must have been looked at. Where milters watched, that's after
   the last mail for the domain. */
static int64_t get_due(const struct verdict_work *work)
{
	const struct report_verdict *verdict = work->verdict;
	const struct report_domain *domain = work->domains[0];
	int64_t due = verdict->ends - work->set->age_s, last = 0, first = 0;

	if (verdict->blind_s > 0 || domain == NULL)
		return due;
	report_span_add(&first, &last, domain->wanted.last[REPORT_OLD]);
	report_span_add(&first, &last, domain->spam.last[REPORT_OLD]);
	report_span_add(&first, &last, domain->local.last[REPORT_OLD]);
	return last < due ? last : due;
}

static void check_account(struct verdict_work *work,
			  const struct report_user *user, int64_t due)
{
	const struct report_catchup *catchup = &user->catchup;
	const char *why = *catchup->poll_problem != '\0' ? ": " : "";

	if (is_closed(user))
		return;
	if (catchup->closed != 0)
		verdict_add(work, REPORT_COND_POLLED, REPORT_UNKNOWN,
			    user->name, "it was closed by force at %s, and "
			    "wasn't looked at since",
			    format_time(catchup->closed).text);
	else if (catchup->polls == 0)
		verdict_add(work, REPORT_COND_POLLED, REPORT_UNKNOWN,
			    user->name, "nobody has ever looked for its late "
			    "mail%s%s", why, catchup->poll_problem);
	else if (catchup->last_poll < due)
		verdict_add(work, REPORT_COND_POLLED, REPORT_UNKNOWN,
			    user->name, "nobody has looked for its late mail "
			    "since %s%s%s",
			    format_time(catchup->last_poll).text, why,
			    catchup->poll_problem);
}

void verdict_check_polled(struct verdict_work *work)
{
	int64_t due = get_due(work);
	size_t i;

	for (i = 0; i < work->accounts_count; i++)
		check_account(work, work->accounts[i], due);
}

static void check_readers(struct verdict_work *work)
{
	const struct report_user *user;
	size_t i;

	for (i = 0; i < work->accounts_count; i++) {
		user = work->accounts[i];
		if (user->catchup.last_old_client <= work->verdict->begins ||
		    user->catchup.last_old_client == 0)
			continue;
		verdict_wait(work, user->catchup.last_old_client +
			     (int64_t)work->verdict->quiet_s);
		verdict_add(work, REPORT_COND_CLIENTS, REPORT_NOT_YET,
			    user->name, "a client of it still works on the old "
			    "server, the last time at %s",
			    format_time(user->catchup.last_old_client).text);
	}
}

static void check_submitters(struct verdict_work *work)
{
	const struct report_submitter *submitter;
	int64_t last;
	size_t i;

	for (i = 0; i < work->model->submitters_count; i++) {
		submitter = work->model->submitters[i];
		last = submitter->mails.last[REPORT_OLD];
		if (!submitter->tell || last <= work->verdict->begins ||
		    strcasecmp(submitter->domain, work->verdict->domain) != 0)
			continue;
		verdict_wait(work, last + (int64_t)work->verdict->quiet_s);
		verdict_add(work, REPORT_COND_CLIENTS, REPORT_NOT_YET,
			    submitter->auth, "it still sends through the old "
			    "server, from %s, the last time at %s",
			    submitter->client, format_time(last).text);
	}
}

void verdict_check_clients(struct verdict_work *work)
{
	if (verdict_knows(work, "clients"))
		return;
	check_readers(work);
	check_submitters(work);
}
