/* test-arrival-parse: what is taken as an arrival tag; whatever was changed in one
   is seen */
#include "arrival-unit.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

#define N_ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))

static bool is_space(char c)
{
	return memchr(" \t\r\n", c, 4) != NULL;
}

/* Each byte as each other one, left out, and one put before it. */
static void test_mutations(void)
{
	char value[ARRIVAL_VALUE_SIZE], changed[ARRIVAL_VALUE_SIZE];
	struct arrival_key *key = new_key(KEY);
	struct arrival_mail *mail = new_mail(mail_headers);
	struct arrival_tag tag;
	enum arrival_result result;
	const char *error;
	size_t size, i;
	bool between;
	int byte;

	strcpy(value, make(KEY, &mail_tag, mail_headers));
	size = strlen(value);
	for (i = 0; i < size; i++) {
		for (byte = 0; byte < 256; byte++) {
			memcpy(changed, value, size);
			changed[i] = (char)byte;
			result = arrival_tag_check(key, changed, size, mail,
						   &tag, &error);
			UNIT_CHECK((result == ARRIVAL_VALID) ==
				   (changed[i] == value[i] ||
				    (is_space(value[i]) &&
				     is_space(changed[i]))),
				   "byte %zu as %d: %s", i, byte,
				   arrival_result_name(result));

			memcpy(changed + i + 1, value + i, size - i);
			result = arrival_tag_check(key, changed, size + 1, mail,
						   &tag, &error);
			between = strchr("=; ", value[i]) != NULL || i == 0 ||
				strchr("=; ", value[i - 1]) != NULL;
			UNIT_CHECK((result == ARRIVAL_VALID) ==
				   (is_space((char)byte) && between),
				   "%d before byte %zu: %s", byte, i,
				   arrival_result_name(result));
		}
		memmove(changed + i, value + i + 1, size - i - 1);
		result = arrival_tag_check(key, changed, size - 1, mail, &tag,
					   &error);
		UNIT_CHECK((result == ARRIVAL_VALID) == is_space(value[i]),
			   "without byte %zu", i);
		result = check(KEY, value, i, mail_headers);
		UNIT_CHECK(result == ARRIVAL_MALFORMED, "first %zu bytes", i);
	}
	arrival_mail_deinit(&mail);
	arrival_key_free(&key);
}

/* Where the signature doesn't matter. */
static void test_grammar(void)
{
#define S "ABCDEFGHIJKLMNOPQRSTUV"
	static const struct {
		const char *value;
		enum arrival_result result;
	} tests[] = {
		{ "v=1; at=new; host=a; id=b; t=1; s=" S, ARRIVAL_FORGED },
		{ "v=1;at=old;host=a;id=b;t=1;s=" S, ARRIVAL_FORGED },
		{ " v = 1\r\n ; at\t=\tnew ;\n host= a;id =b; t=1 ; s= " S "\r\n",
		  ARRIVAL_FORGED },
		{ "v=1; at=new; host=-._; id=b; t=999999999999999999; s=" S,
		  ARRIVAL_FORGED },
		{ "", ARRIVAL_MALFORMED },
		{ " ", ARRIVAL_MALFORMED },
		{ "v", ARRIVAL_MALFORMED },
		{ "v=", ARRIVAL_MALFORMED },
		{ "v=1", ARRIVAL_MALFORMED },
		{ "V=1; at=new; host=a; id=b; t=1; s=" S, ARRIVAL_MALFORMED },
		{ "v=1; at=NEW; host=a; id=b; t=1; s=" S, ARRIVAL_MALFORMED },
		{ "v=1; at=newer; host=a; id=b; t=1; s=" S, ARRIVAL_MALFORMED },
		{ "v=1; at=; host=a; id=b; t=1; s=" S, ARRIVAL_MALFORMED },
		{ "v=1; at=new; host=; id=b; t=1; s=" S, ARRIVAL_MALFORMED },
		{ "v=1; at=new; host=a b; id=b; t=1; s=" S, ARRIVAL_MALFORMED },
		{ "v=1; at=new; host=a=b; id=b; t=1; s=" S, ARRIVAL_MALFORMED },
		{ "v=1; at=new; host=\xc3\xbc; id=b; t=1; s=" S,
		  ARRIVAL_MALFORMED },
		{ "v=1; at=new; host=\"a\"; id=b; t=1; s=" S, ARRIVAL_MALFORMED },
		{ "v=1; at=new; host=a; id=b; t=-1; s=" S, ARRIVAL_MALFORMED },
		{ "v=1; at=new; host=a; id=b; t=01; s=" S, ARRIVAL_MALFORMED },
		{ "v=1; at=new; host=a; id=b; t=1000000000000000000; s=" S,
		  ARRIVAL_MALFORMED },
		{ "v=1; at=new; host=a; id=b; t=1; s=" S "W", ARRIVAL_MALFORMED },
		{ "v=1; at=new; host=a; id=b; t=1; s=" S "==", ARRIVAL_MALFORMED },
		{ "v=1; at=new; host=a; id=b; t=1; s=" S ";", ARRIVAL_MALFORMED },
		{ "v=1; at=new; host=a; id=b; t=1; s=ABC", ARRIVAL_MALFORMED },
		/* doubled, left out, in another order, unknown, a comment */
		{ "v=1; v=1; at=new; host=a; id=b; t=1; s=" S, ARRIVAL_MALFORMED },
		{ "v=1; at=new; at=old; host=a; id=b; t=1; s=" S,
		  ARRIVAL_MALFORMED },
		{ "v=1; at=new; host=a; id=b; s=" S, ARRIVAL_MALFORMED },
		{ "v=1; host=a; at=new; id=b; t=1; s=" S, ARRIVAL_MALFORMED },
		{ "v=1; at=new; host=a; id=b; t=1; x=1; s=" S, ARRIVAL_MALFORMED },
		{ "(x) v=1; at=new; host=a; id=b; t=1; s=" S, ARRIVAL_MALFORMED },
		{ "at=new; v=1; host=a; id=b; t=1; s=" S, ARRIVAL_MALFORMED },
		{ "v=2", ARRIVAL_UNKNOWN_VERSION },
		{ "v=0; at=new", ARRIVAL_UNKNOWN_VERSION },
		{ " v = 17 ; \xff anything", ARRIVAL_UNKNOWN_VERSION },
		{ "v=01; at=new; host=a; id=b; t=1; s=" S, ARRIVAL_MALFORMED },
		{ "v=1.0; at=new; host=a; id=b; t=1; s=" S, ARRIVAL_MALFORMED },
		{ "v=x; at=new; host=a; id=b; t=1; s=" S, ARRIVAL_MALFORMED }
	};
	enum arrival_result result;
	size_t i;

	for (i = 0; i < N_ELEMENTS(tests); i++) {
		result = check(KEY, tests[i].value, strlen(tests[i].value),
			       mail_headers);
		UNIT_CHECK(result == tests[i].result, "case %zu: %s", i,
			   arrival_result_name(result));
	}
}

/* At the caps, and what a check leaves in tag_r. */
static void test_caps(void)
{
	static char huge[1000000];
	struct arrival_key *key = new_key(KEY);
	struct arrival_mail *mail = new_mail(mail_headers);
	struct arrival_tag tag = mail_tag, empty;
	const char *error = NULL;
	size_t size;

	memset(&empty, 0, sizeof(empty));
	memset(huge, ' ', sizeof(huge));
	size = strlen(make(KEY, &mail_tag, mail_headers));
	memcpy(huge, make(KEY, &mail_tag, mail_headers), size);
	CU_ASSERT_EQUAL(arrival_tag_check(key, huge, ARRIVAL_VALUE_MAX, mail,
					  &tag, &error), ARRIVAL_VALID);
	CU_ASSERT_EQUAL(arrival_tag_check(key, huge, ARRIVAL_VALUE_MAX + 1,
					  mail, &tag, &error),
			ARRIVAL_MALFORMED);
	CU_ASSERT_EQUAL(memcmp(&tag, &empty, sizeof(tag)), 0);
	CU_ASSERT_EQUAL(arrival_tag_check(key, huge, sizeof(huge), mail, &tag,
					  &error), ARRIVAL_MALFORMED);
	CU_ASSERT_STRING_EQUAL(error, "too long");
	CU_ASSERT_EQUAL(arrival_tag_check(key, "v=1; at=new; host=a", 19, mail,
					  &tag, &error), ARRIVAL_MALFORMED);
	CU_ASSERT_EQUAL(memcmp(&tag, &empty, sizeof(tag)), 0);
	size -= 1;
	huge[size] = huge[size] == 'A' ? 'Q' : 'A';
	CU_ASSERT_EQUAL(arrival_tag_check(key, huge, size + 1, mail, &tag,
					  &error), ARRIVAL_FORGED);
	CU_ASSERT_STRING_EQUAL(tag.host, mail_tag.host);
	CU_ASSERT_STRING_EQUAL(error, "not signed by us for this mail");
	arrival_mail_deinit(&mail);
	arrival_key_free(&key);
}

/* Words of their greatest size, and one more. */
static void test_long_words(void)
{
	static const struct {
		int host, id, time;
		enum arrival_result result;
	} tests[] = {
		{ ARRIVAL_HOST_MAX, ARRIVAL_ID_MAX, 18, ARRIVAL_FORGED },
		{ ARRIVAL_HOST_MAX + 1, 1, 1, ARRIVAL_MALFORMED },
		{ 1, ARRIVAL_ID_MAX + 1, 1, ARRIVAL_MALFORMED },
		{ 1, 1, 19, ARRIVAL_MALFORMED }
	};
	char ones[ARRIVAL_HOST_MAX + 2], value[ARRIVAL_VALUE_MAX];
	size_t i;

	memset(ones, '1', sizeof(ones));
	for (i = 0; i < N_ELEMENTS(tests); i++) {
		snprintf(value, sizeof(value),
			 "v=1; at=old; host=%.*s; id=%.*s; t=%.*s; s=%.22s",
			 tests[i].host, ones, tests[i].id, ones,
			 tests[i].time, ones, ones);
		UNIT_CHECK(check(KEY, value, strlen(value), mail_headers) ==
			   tests[i].result, "case %zu", i);
	}
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "each byte changed, put in, left out", test_mutations },
		{ "grammar", test_grammar },
		{ "caps", test_caps },
		{ "long words", test_long_words },
		{ NULL, NULL }
	};

	return unit_run("arrival-parse", tests);
}
