#include "mail-address.h"

#include <stdlib.h>
#include <string.h>

bool mail_address_domain(const char *address, const char **domain_r,
			 size_t *size_r)
{
	/* a quoted local part may have one, a domain can't */
	const char *at = strrchr(address, '@');
	size_t size;

	if (at == NULL)
		return false;
	size = strlen(++at);
	if (size > 0 && at[size - 1] == '>')
		size--;
	*domain_r = at;
	*size_r = size;
	return size > 0;
}

char *mail_address_dup(const char *address)
{
	size_t size = strlen(address);
	bool bare = address[0] != '<';
	char *copy = malloc(size + 3);

	if (copy == NULL)
		return NULL;
	if (!bare) {
		memcpy(copy, address, size + 1);
		return copy;
	}
	copy[0] = '<';
	memcpy(copy + 1, address, size);
	memcpy(copy + 1 + size, ">", 2);
	return copy;
}
