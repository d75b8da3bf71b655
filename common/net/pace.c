#include "common/net/pace.h"

#include "common/base/clock.h"

static uint64_t smaller(uint64_t a, uint64_t b) { return a < b ? a : b; }

uint64_t pace_beat_ns(uint64_t due_ns, uint64_t mono_ns, uint64_t wall_ns, uint32_t heartbeat_ms) {
    uint64_t beat_ns = heartbeat_ms * NS_PER_MS / PACE_BEATS;
    if (due_ns <= mono_ns || beat_ns == 0) return due_ns;
    uint64_t since_beat_ns = (wall_ns + (due_ns - mono_ns)) % beat_ns;
    return since_beat_ns ? due_ns + beat_ns - since_beat_ns : due_ns;
}

uint64_t pace_pause_ns(uint32_t low_ms, uint32_t high_ms, unsigned failures, uint64_t lost_ns) {
    uint64_t low_ns = low_ms * NS_PER_MS, high_ns = high_ms * NS_PER_MS, pause_ns = low_ns;
    uint64_t short_ns = PACE_SHORT_LOWS * low_ns;
    for (unsigned i = 0; i < failures && pause_ns < high_ns; i++) pause_ns *= 2;
    return smaller(smaller(pause_ns, high_ns), lost_ns > short_ns ? lost_ns : short_ns);
}
