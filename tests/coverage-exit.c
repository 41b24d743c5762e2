/* coverage-exit: an _exit(2) that keeps gcov's counts, as exit(3) does; for
   coverage.sh, linked with --wrap=_exit */
#include <unistd.h>

void __gcov_dump(void);
void __real__exit(int status) __attribute__((noreturn));
void __wrap__exit(int status);

void __wrap__exit(int status)
{
	__gcov_dump();
	__real__exit(status);
}
