#include "config-current.h"

#include <pthread.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct milter_config *current;

struct milter_config *config_current_get(void)
{
	struct milter_config *config;

	pthread_mutex_lock(&mutex);
	config = current;
	milter_config_ref(config);
	pthread_mutex_unlock(&mutex);
	return config;
}

void config_current_set(struct milter_config *config)
{
	struct milter_config *before;

	pthread_mutex_lock(&mutex);
	before = current;
	current = config;
	pthread_mutex_unlock(&mutex);
	milter_config_unref(&before);
}
