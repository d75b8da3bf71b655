/* The two clocks.  Durations and deadlines use the first, what people read uses the second. */
#pragma once

#include <stdint.h>

#define NS_PER_MS 1000000ULL
#define NS_PER_S  1000000000ULL

uint64_t clock_mono_ns(void); /* CLOCK_MONOTONIC */
uint64_t clock_wall_ns(void); /* CLOCK_REALTIME since 1970 */
/* "2026-11-23T00:14:27Z" into out (≥ 32 bytes); returns out. */
const char *clock_wall_text(uint64_t wall_ns, char *out);
