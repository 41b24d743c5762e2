#include "in-flight.h"

#include <pthread.h>
#include <time.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t none = PTHREAD_COND_INITIALIZER;
static unsigned int count;
static bool draining;

void in_flight_begin(void)
{
	pthread_mutex_lock(&mutex);
	count++;
	pthread_mutex_unlock(&mutex);
}

void in_flight_end(void)
{
	pthread_mutex_lock(&mutex);
	if (--count == 0)
		pthread_cond_signal(&none);
	pthread_mutex_unlock(&mutex);
}

bool in_flight_drain(unsigned int seconds)
{
	struct timespec deadline;
	bool ended;

	clock_gettime(CLOCK_REALTIME, &deadline);
	deadline.tv_sec += seconds;
	pthread_mutex_lock(&mutex);
	draining = true;
	while (count > 0 &&
	       pthread_cond_timedwait(&none, &mutex, &deadline) == 0) ;
	ended = count == 0;
	pthread_mutex_unlock(&mutex);
	return ended;
}

bool in_flight_is_draining(void)
{
	bool ret;

	pthread_mutex_lock(&mutex);
	ret = draining;
	pthread_mutex_unlock(&mutex);
	return ret;
}
