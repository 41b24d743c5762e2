#include "lib.h"
#include "worker-protocol.h"

static const char *const error_words[] = {
	[MAIL_ERROR_NONE] = "none",
	[MAIL_ERROR_TEMP] = "temp",
	[MAIL_ERROR_UNAVAILABLE] = "unavailable",
	[MAIL_ERROR_NOTPOSSIBLE] = "notpossible",
	[MAIL_ERROR_PARAMS] = "params",
	[MAIL_ERROR_PERM] = "perm",
	[MAIL_ERROR_NOQUOTA] = "noquota",
	[MAIL_ERROR_NOTFOUND] = "notfound",
	[MAIL_ERROR_EXISTS] = "exists",
	[MAIL_ERROR_EXPUNGED] = "expunged",
	[MAIL_ERROR_INUSE] = "inuse",
	[MAIL_ERROR_CONVERSION] = "conversion",
	[MAIL_ERROR_INVALIDDATA] = "invaliddata",
	[MAIL_ERROR_LIMIT] = "limit",
	[MAIL_ERROR_LOOKUP_ABORTED] = "lookupaborted",
};

const char *worker_error_to_str(enum mail_error error_code)
{
	i_assert((unsigned int)error_code < N_ELEMENTS(error_words));
	return error_words[error_code];
}

enum mail_error worker_error_from_str(const char *str)
{
	for (unsigned int i = 0; i < N_ELEMENTS(error_words); i++) {
		if (strcmp(str, error_words[i]) == 0)
			return i;
	}
	return MAIL_ERROR_TEMP;
}
