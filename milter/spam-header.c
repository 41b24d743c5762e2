#include "spam-header.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SPACE " \t\r\n"

/* RFC 5322 part 3.6.8: printable ASCII without ":". */
static bool is_field_name(const char *name, size_t size)
{
	size_t i;

	for (i = 0; i < size; i++) {
		if (name[i] <= ' ' || name[i] > '~')
			return false;
	}
	return size > 0;
}

const char *spam_header_add(struct spam_header **list, const char *text)
{
	size_t size = strcspn(text, ":");
	const char *word = text + size;
	struct spam_header *header;

	if (!is_field_name(text, size))
		return "not a header's name";
	if (*word == ':')
		word++;
	word += strspn(word, SPACE);
	if (strpbrk(word, SPACE ",;") != NULL)
		return "more than one word after the header's name";
	header = calloc(1, sizeof(*header));
	if (header == NULL)
		return "out of memory";
	header->name = strndup(text, size);
	header->word = strdup(word);
	header->next = *list;
	*list = header;
	if (header->name == NULL || header->word == NULL)
		return "out of memory";
	return NULL;
}

void spam_header_free(struct spam_header **list)
{
	struct spam_header *header;

	while ((header = *list) != NULL) {
		*list = header->next;
		free(header->name);
		free(header->word);
		free(header);
	}
}

static bool begins_with_word(const char *value, const char *word)
{
	size_t size = strlen(word);

	value += strspn(value, SPACE);
	return strncasecmp(value, word, size) == 0 &&
		(size == 0 || value[size] == '\0' ||
		 strchr(SPACE ",;", value[size]) != NULL);
}

bool spam_header_matches(const struct spam_header *list, const char *name,
			 const char *value)
{
	for (; list != NULL; list = list->next) {
		if (strcasecmp(list->name, name) == 0 &&
		    begins_with_word(value, list->word))
			return true;
	}
	return false;
}
