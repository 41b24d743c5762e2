#include "lib.h"
#include "str.h"
#include "strescape.h"
#include "words.h"
#include "deliver-request.h"

/* of an address or a UIDL; RFC 5321 4.5.3.1.3 has half of it */
#define MAX_TEXT 512

static bool is_control(unsigned char chr)
{
	return chr < ' ' || chr == 0x7f;
}

static void add_word(string_t *line, const char *word)
{
	if (str_len(line) > 0)
		str_append_c(line, '\t');
	str_append_tabescaped(line, word);
}

/* Of the mail's headers, which may say anything: what can't be said isn't
   known. */
static const char *clean(const char *text, bool spaces)
{
	if (text == NULL || strlen(text) > MAX_TEXT)
		return "";
	for (const char *p = text; *p != '\0'; p++) {
		if (is_control(*p) || (*p == ' ' && !spaces))
			return "";
	}
	return text;
}

const char *deliver_request_line(const struct late_mail *mail)
{
	string_t *line = t_str_new(256);

	if (mail->save_into == NULL) {
		add_word(line, "DELIVER");
	} else {
		add_word(line, "SAVE");
		add_word(line, mail->save_into);
	}
	add_word(line, guid_128_to_string(mail->guid));
	add_word(line, dec2str(mail->size));
	/* these may be negative: not for dec2str() */
	add_word(line, t_strdup_printf("%lld", (long long)mail->date));
	add_word(line, t_strdup_printf("%d", mail->tz_offset));
	add_word(line, mail->flags);
	add_word(line, clean(mail->pop3_uidl, FALSE));
	add_word(line, clean(mail->from, TRUE));
	add_word(line, clean(mail->to, TRUE));
	add_word(line, dec2str(mail->begun));
	return str_c(line);
}

static int parse_guid(struct words *words, guid_128_t guid_r)
{
	const char *what = "a GUID";
	const char *word;

	if (words_next(words, what, &word) < 0)
		return -1;
	return guid_128_from_string(word, guid_r) == 0 &&
		!guid_128_is_empty(guid_r) ? 0 : words_expected(words, what);
}

static int parse_size(struct words *words, uoff_t *size_r)
{
	const char *what = "the mail's size";

	if (words_uoff(words, what, size_r) < 0)
		return -1;
	return *size_r <= OFF_T_MAX ? 0 : words_expected(words, what);
}

static int
parse_text(struct words *words, const char *what, const char **text_r)
{
	const char *word;

	if (words_next(words, what, &word) < 0)
		return -1;
	for (const char *p = word; *p != '\0'; p++) {
		if (is_control(*p))
			return words_expected(words, what);
	}
	*text_r = p_strdup(words->pool, word);
	return 0;
}

/* RFC 1939, 7 but for its length: servers have longer ones */
static int parse_uidl(struct words *words, const char **uidl_r)
{
	const char *what = "a UIDL";

	if (parse_text(words, what, uidl_r) < 0)
		return -1;
	if (strchr(*uidl_r, ' ') != NULL)
		return words_expected(words, what);
	if (**uidl_r == '\0')
		*uidl_r = NULL;
	return 0;
}

static int parse_begun(struct words *words, time_t *begun_r)
{
	const char *what = "when it was begun";
	const char *word;

	if (words_next(words, what, &word) < 0)
		return -1;
	return str_to_time(word, begun_r) == 0 && *begun_r >= 0 ? 0 :
		words_expected(words, what);
}

static int parse_mail(struct words *words, struct late_mail *mail)
{
	if (parse_guid(words, mail->guid) < 0 ||
	    parse_size(words, &mail->size) < 0 ||
	    words_date(words, &mail->date, &mail->tz_offset) < 0 ||
	    parse_text(words, "flags", &mail->flags) < 0 ||
	    parse_uidl(words, &mail->pop3_uidl) < 0 ||
	    parse_text(words, "a sender", &mail->from) < 0 ||
	    parse_text(words, "a recipient", &mail->to) < 0 ||
	    parse_begun(words, &mail->begun) < 0)
		return -1;
	return words_end(words);
}

static int parse_request(struct words *words, struct late_mail *mail)
{
	const char *what = "DELIVER or SAVE";
	const char *word;

	if (words_next(words, what, &word) < 0)
		return -1;
	if (strcmp(word, "SAVE") == 0) {
		if (words_mailbox(words, &mail->save_into) < 0)
			return -1;
	} else if (strcmp(word, "DELIVER") != 0) {
		return words_expected(words, what);
	}
	return parse_mail(words, mail);
}

int deliver_request_parse(const char *const *_words, pool_t pool,
			  struct late_mail *mail_r, const char **error_r)
{
	struct words words = { .words = _words, .pool = pool };

	i_zero(mail_r);
	mail_r->fd = -1;
	if (parse_request(&words, mail_r) == 0)
		return 0;
	*error_r = t_strdup_printf("Expected %s", words.error);
	return -1;
}
