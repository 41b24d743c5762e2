#ifndef PROXY_SEARCH_H
#define PROXY_SEARCH_H

/*
 * proxy-search: no round trip for each mail where another plugin looks at it.
 *
 * mail_log asks for headers and the size of each mail that is changed, behind
 * the back of the search that finds the mails: the search is told to fetch
 * them ahead, many at once.
 */

struct mailbox_vfuncs;

/* Override what is ours. */
void proxy_search_init(struct mailbox_vfuncs *v);

#endif
