/* fuzz-received-header: the input is a mail's headers. What is taken of them are
   words. */
#include "lib.h"
#include "istream.h"
#include "net.h"
#include "engine/received-header.h"
#include "fuzz.h"

#include <string.h>

static void check_word(const char *word)
{
	FUZZ_CHECK(word != NULL && strpbrk(word, " \t\r\n") == NULL);
}

static void check(const struct received_header *received)
{
	struct ip_addr ip, v4;

	if (*received->client != '\0') {
		FUZZ_CHECK(net_addr2ip(received->client, &ip) == 0);
		FUZZ_CHECK(net_ipv6_mapped_ipv4_convert(&ip, &v4) < 0);
	}
	check_word(received->name);
	check_word(received->by);
	FUZZ_CHECK(received->return_path != NULL);
	FUZZ_CHECK(received->recipient != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct received_header received;
	struct istream *input;
	const char *error;
	static bool started = FALSE;
	pool_t pool;

	if (!started)
		lib_init();
	started = TRUE;
	pool = pool_alloconly_create("received", 1024);
	input = i_stream_create_from_data(data, size);
	FUZZ_CHECK(received_header_get(input, pool, &received, &error) == 0);
	check(&received);
	i_stream_unref(&input);
	pool_unref(&pool);
	return 0;
}
