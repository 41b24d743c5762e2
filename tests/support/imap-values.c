/*
 * imap-values: the values inside of responses: FETCH data, UID sets, dates
 *
 * Declared in imap-parse.h.
 */
#include "imap-parse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char month_names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

static bool is_body_name(const char *name)
{
	return strncasecmp(name, "BODY[", 5) == 0 ||
		strncasecmp(name, "BINARY[", 7) == 0 ||
		strcasecmp(name, "RFC822") == 0 ||
		strcasecmp(name, "RFC822.TEXT") == 0 ||
		strcasecmp(name, "RFC822.HEADER") == 0;
}

static bool
fetch_item(struct imap_fetch *fetch, const char *name,
	   const struct imap_arg *value)
{
	uint64_t number;

	if (strcasecmp(name, "UID") == 0) {
		if (value->type != IMAP_ARG_ATOM ||
		    !imap_parse_number(value->data, UINT32_MAX, &number))
			return false;
		fetch->uid = (uint32_t)number;
	} else if (strcasecmp(name, "RFC822.SIZE") == 0) {
		if (value->type != IMAP_ARG_ATOM ||
		    !imap_parse_number(value->data, UINT64_MAX, &fetch->size))
			return false;
		fetch->has_size = true;
	} else if (strcasecmp(name, "MODSEQ") == 0) {
		if (value->child == NULL ||
		    value->child->type != IMAP_ARG_ATOM ||
		    !imap_parse_number(value->child->data, UINT64_MAX,
				       &fetch->modseq))
			return false;
	} else if (strcasecmp(name, "FLAGS") == 0) {
		if (value->type != IMAP_ARG_LIST)
			return false;
		fetch->has_flags = true;
		fetch->flags = value->child;
	} else if (strcasecmp(name, "INTERNALDATE") == 0) {
		if (value->type != IMAP_ARG_STRING)
			return false;
		fetch->internaldate = value->data;
	} else if (is_body_name(name) && !fetch->has_body &&
		   value->type == IMAP_ARG_STRING) {
		fetch->has_body = true;
		fetch->body = value->data;
		fetch->body_size = value->size;
	}
	return true;
}

bool imap_parse_fetch(const struct imap_response *resp,
		      struct imap_fetch *fetch_r)
{
	const struct imap_arg *arg;

	memset(fetch_r, 0, sizeof(*fetch_r));
	if (!resp->has_number || strcmp(resp->name, "FETCH") != 0 ||
	    resp->args == NULL || resp->args->type != IMAP_ARG_LIST)
		return false;
	fetch_r->seq = resp->number;
	fetch_r->args = resp->args->child;
	for (arg = fetch_r->args; arg != NULL; arg = arg->next->next) {
		if (arg->type != IMAP_ARG_ATOM || arg->next == NULL)
			return false;
		if (!fetch_item(fetch_r, arg->data, arg->next))
			return false;
	}
	return true;
}

static bool take_uid(const char **pos, uint32_t *uid_r)
{
	uint64_t number = 0;
	const char *p = *pos;

	for (; *p >= '0' && *p <= '9'; p++) {
		number = number * 10 + (uint64_t)(*p - '0');
		if (number > UINT32_MAX)
			return false;
	}
	if (p == *pos || number == 0)
		return false;
	*pos = p;
	*uid_r = (uint32_t)number;
	return true;
}

static int
uidset_add(uint32_t **uids, size_t *count, size_t *size,
	   uint32_t first, uint32_t last)
{
	size_t more = (size_t)last - first + 1;
	uint32_t *grown;

	if (more > IMAP_MAX_UIDSET - *count)
		return -1;
	if (*count + more > *size) {
		*size = (*count + more) * 2;
		grown = realloc(*uids, *size * sizeof(**uids));
		if (grown == NULL)
			return -1;
		*uids = grown;
	}
	for (; more > 0; more--)
		(*uids)[(*count)++] = first++;
	return 0;
}

int imap_parse_uidset(const char *set, uint32_t **uids_r, size_t *count_r)
{
	uint32_t first, last, swap;
	size_t size = 0;

	*uids_r = NULL;
	*count_r = 0;
	for (;;) {
		if (!take_uid(&set, &first))
			break;
		last = first;
		if (*set == ':') {
			set++;
			if (!take_uid(&set, &last))
				break;
		}
		if (first > last) {
			swap = first;
			first = last;
			last = swap;
		}
		if (uidset_add(uids_r, count_r, &size, first, last) < 0)
			break;
		if (*set == '\0')
			return 0;
		if (*set++ != ',')
			break;
	}
	free(*uids_r);
	*uids_r = NULL;
	*count_r = 0;
	return -1;
}

/* Splits "NAME uidvalidity set [set]". Returns the number of sets. */
static int
parse_uid_code(const char *code, const char *name, uint32_t *uidvalidity_r,
	       char **first_r, char **second_r)
{
	size_t len = strlen(name);
	uint32_t uidvalidity;
	int ret;

	*first_r = *second_r = NULL;
	if (code == NULL || strncasecmp(code, name, len) != 0 ||
	    code[len] != ' ')
		return 0;
	code += len + 1;
	if (!take_uid(&code, &uidvalidity) || *code != ' ')
		return 0;
	*uidvalidity_r = uidvalidity;
	ret = sscanf(code, " %m[0-9:,] %m[0-9:,]", first_r, second_r);
	return ret < 0 ? 0 : ret;
}

bool imap_parse_appenduid(const char *code, uint32_t *uidvalidity_r,
			  char **uids_r)
{
	char *rest;
	int ret;

	ret = parse_uid_code(code, "APPENDUID", uidvalidity_r, uids_r, &rest);
	free(rest);
	return ret == 1;
}

bool imap_parse_copyuid(const char *code, uint32_t *uidvalidity_r,
			char **from_r, char **to_r)
{
	if (parse_uid_code(code, "COPYUID", uidvalidity_r, from_r, to_r) == 2)
		return true;
	free(*from_r);
	*from_r = NULL;
	return false;
}

int imap_parse_date(const char *str, time_t *instant_r)
{
	struct tm tm = { .tm_isdst = 0 };
	char month[4], sign, zone[5];
	const char *found;
	int end = 0, minutes;

	if (sscanf(str, "%2d-%3[A-Za-z]-%4d %2d:%2d:%2d %c%4[0-9]%n",
		   &tm.tm_mday, month, &tm.tm_year, &tm.tm_hour, &tm.tm_min,
		   &tm.tm_sec, &sign, zone, &end) != 8 ||
	    str[end] != '\0' || strlen(zone) != 4 || strlen(month) != 3 ||
	    (sign != '+' && sign != '-'))
		return -1;
	found = strcasestr(month_names, month);
	if (found == NULL || (found - month_names) % 3 != 0)
		return -1;
	tm.tm_mon = (int)(found - month_names) / 3;
	tm.tm_year -= 1900;
	minutes = ((zone[0] - '0') * 10 + zone[1] - '0') * 60 +
		(zone[2] - '0') * 10 + zone[3] - '0';
	if (sign == '-')
		minutes = -minutes;
	*instant_r = timegm(&tm) - (time_t)minutes * 60;
	return 0;
}

void imap_format_date(time_t instant, int zone_minutes,
		      char date_r[IMAP_DATE_SIZE])
{
	time_t local = instant + (time_t)zone_minutes * 60;
	int zone = zone_minutes < 0 ? -zone_minutes : zone_minutes;
	struct tm tm;

	if (gmtime_r(&local, &tm) == NULL)
		memset(&tm, 0, sizeof(tm));
	snprintf(date_r, IMAP_DATE_SIZE,
		 "%2u-%.3s-%04u %02u:%02u:%02u %c%02u%02u",
		 (unsigned int)tm.tm_mday % 100, month_names + tm.tm_mon * 3,
		 (unsigned int)(tm.tm_year + 1900) % 10000,
		 (unsigned int)tm.tm_hour % 100,
		 (unsigned int)tm.tm_min % 100, (unsigned int)tm.tm_sec % 100,
		 zone_minutes < 0 ? '-' : '+', (unsigned int)(zone / 60) % 100,
		 (unsigned int)(zone % 60));
}
