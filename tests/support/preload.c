/* A shared object for LD_PRELOAD: a file system without locks, a clock that jumps.
 *   NO_LOCKS=<errno>                  flock() and fcntl() locks fail with that number
 *   CLOCK_JUMP=<seconds>[,<after>]    the wall clock is off by so much, from the <after>th look at it on
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

static int no_locks(void) {
    const char *number = getenv("NO_LOCKS");
    return number ? atoi(number) : 0;
}

int flock(int descriptor, int operation) {
    static int (*real)(int, int);
    if (no_locks()) { errno = no_locks(); return -1; }
    if (!real) real = dlsym(RTLD_NEXT, "flock");
    return real(descriptor, operation);
}

static int lock_or_real(const char *name, int descriptor, int command, void *argument) {
    int (*real)(int, int, ...) = dlsym(RTLD_NEXT, name);
    int is_lock = command == F_SETLK || command == F_SETLKW || command == F_OFD_SETLK || command == F_OFD_SETLKW;
    if (is_lock && no_locks()) { errno = no_locks(); return -1; }
    return real(descriptor, command, argument);
}

int fcntl(int descriptor, int command, ...) {
    va_list list;
    va_start(list, command);
    void *argument = va_arg(list, void *);
    va_end(list);
    return lock_or_real("fcntl", descriptor, command, argument);
}

int fcntl64(int descriptor, int command, ...) {
    va_list list;
    va_start(list, command);
    void *argument = va_arg(list, void *);
    va_end(list);
    return lock_or_real("fcntl64", descriptor, command, argument);
}

static long jump(void) {
    static long looks;
    const char *text = getenv("CLOCK_JUMP"), *after;
    if (!text) return 0;
    after = strchr(text, ',');
    return after && ++looks <= atol(after + 1) ? 0 : atol(text);
}

int clock_gettime(clockid_t clock, struct timespec *found) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(clock, found);
    if (!result && clock == CLOCK_REALTIME) found->tv_sec += jump();
    return result;
}

int gettimeofday(struct timeval *restrict found, void *restrict zone) {
    struct timespec now;
    int result = clock_gettime(CLOCK_REALTIME, &now);
    found->tv_sec = now.tv_sec;
    found->tv_usec = now.tv_nsec / 1000;
    return result;
}

time_t time(time_t *where) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (where) *where = now.tv_sec;
    return now.tv_sec;
}
