#include "agent/daemon/pressure.h"

#include "common/base/buf.h"
#include "common/sys/fds.h"

enum { TEXT_BYTES = 512 };

/* "some avg10=12.34 avg60=…" */
bool pressure_parse(struct span text, uint32_t *out_permille) {
    struct span some, average, key, value;
    int64_t mantissa;
    unsigned decimals;
    if (!span_word(&text, &some) || !span_eq_str(some, "some") || !span_word(&text, &average)) return false;
    if (!span_cut(average, '=', &key, &value) || !span_eq_str(key, "avg10") || !span_decimal(value, &mantissa, &decimals)) return false;
    mantissa *= 10; /* percent → permille */
    for (; decimals > 0; decimals--) mantissa /= 10;
    if (mantissa < 0 || mantissa > 1000) return false;
    *out_permille = (uint32_t)mantissa;
    return true;
}

bool pressure_read(uint32_t *out_permille) {
    struct buf text;
    buf_init(&text, TEXT_BYTES);
    bool ok = fds_read_file("/proc/pressure/cpu", &text) == ERR_OK && pressure_parse(buf_span(&text), out_permille);
    buf_done(&text);
    return ok;
}
