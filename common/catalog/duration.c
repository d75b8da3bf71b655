#include "common/catalog/duration.h"

bool duration_is_refused(uint64_t seconds, uint64_t most_s, struct buf *out_why) {
    if (seconds && seconds <= most_s) return false;
    buf_add_fmt(out_why, "%llu seconds asked, this host allows 1 to %llu", (unsigned long long)seconds, (unsigned long long)most_s);
    return true;
}
