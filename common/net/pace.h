/* When a connection does something of its own accord: an idle one its heartbeat, a lost one its next attempt.  Pure. */
#pragma once

#include <stdint.h>

/* A heartbeat that is due at due_ns (CLOCK_MONOTONIC) goes out at the next beat of the wall clock, of which there are PACE_BEATS in a
 * heartbeat: by a second later with one of 15 s.  Hosts' clocks agree, so the collector finds many heartbeats each time it wakes, and
 * waking is what a heartbeat costs; as in round_jiffies(9) of the kernel. */
enum { PACE_BEATS = 15 };
uint64_t pace_beat_ns(uint64_t due_ns, uint64_t mono_ns, uint64_t wall_ns, uint32_t heartbeat_ms);

/* The longest pause before the next attempt, of which a random part is taken ("full jitter"): doubles with each failure from low_ms to
 * high_ms, but stays within PACE_SHORT_LOWS times low_ms or the time since the connection was lost, whichever is longer.  A collector
 * that is restarted refuses several attempts in a few seconds; they are no reason to be away for half a minute.
 * failures: since the last Welcome; lost_ns: for how long there has been none. */
enum { PACE_SHORT_LOWS = 8 };
uint64_t pace_pause_ns(uint32_t low_ms, uint32_t high_ms, unsigned failures, uint64_t lost_ns);
