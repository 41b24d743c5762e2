#include "lib.h"
#include "net.h"
#include "str.h"
#include "strescape.h"
#include "mail-user.h"
#include "worker-link.h"
#include "service-link.h"

static const char *start_lines(struct mail_user *user, const char *version_line)
{
	string_t *str = t_str_new(128);

	str_append(str, version_line);
	str_append(str, "USER\t");
	str_append_tabescaped(str, user->username);
	str_append_c(str, '\n');
	return str_c(str);
}

int service_link_begin(struct mail_user *user, const char *socket,
		       const char *version_line, uint64_t deadline,
		       struct worker_link **link_r, const char **error_r)
{
	const char *path = t_strdup_printf("%s/%s", user->set->base_dir,
					   socket);
	struct worker_link *link;
	int fd = net_connect_unix(path);

	if (fd == -1) {
		*error_r = t_strdup_printf("connect(%s) failed: %m", path);
		return -1;
	}
	link = worker_link_init(fd);
	if (worker_link_send(link, start_lines(user, version_line), -1,
			     deadline, error_r) < 0) {
		worker_link_deinit(&link);
		return -1;
	}
	*link_r = link;
	return 0;
}

int service_link_answer(struct worker_link *link, uint64_t deadline,
			const char **error_r)
{
	const char *const *words;
	const char *line;
	int ret;

	if ((ret = worker_link_read(link, deadline, &line, error_r)) <= 0) {
		if (ret == 0)
			*error_r = "No answer in time";
		return ret;
	}
	words = t_strsplit_tabescaped(line);
	if (words[0] != NULL && strcmp(words[0], "OK") == 0)
		return 1;
	*error_r = t_strdup_printf("It couldn't be started: %s",
		words[0] == NULL || words[1] == NULL ? "no reason" : words[1]);
	return -1;
}

int service_link_start(struct mail_user *user, const char *socket,
		       const char *version_line, uint64_t deadline,
		       struct worker_link **link_r, const char **error_r)
{
	if (service_link_begin(user, socket, version_line, deadline, link_r,
			       error_r) < 0)
		return -1;
	if (service_link_answer(*link_r, deadline, error_r) > 0)
		return 0;
	worker_link_deinit(link_r);
	return -1;
}
