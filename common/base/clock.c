#include "common/base/clock.h"

#include <time.h>

static uint64_t now_ns(clockid_t id) {
    struct timespec t;
    clock_gettime(id, &t);
    return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

uint64_t clock_mono_ns(void) { return now_ns(CLOCK_MONOTONIC); }
uint64_t clock_wall_ns(void) { return now_ns(CLOCK_REALTIME); }

const char *clock_wall_text(uint64_t wall_ns, char *out) {
    time_t s = (time_t)(wall_ns / NS_PER_S);
    struct tm tm;
    if (!gmtime_r(&s, &tm) || strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0) out[0] = '\0';
    return out;
}
