/* Structured lines on stderr: <4>frame.refused agent="web-1" seq=7 why="…"
 * Only daemon, runner and cli folders log.  Event names are dotted, permanent and listed in docs/events.md.
 * Values are escaped: hostile names cannot forge lines or drive a terminal.  Repeats of one event (> 20 a second) are counted
 * and summarised (log.repeated, with the next line written after that second).  errno is kept.  Thread: any. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/base/span.h"

enum log_level { LOG_ERR = 3, LOG_WARNING = 4, LOG_NOTICE = 5, LOG_INFO = 6, LOG_DEBUG = 7 };

struct log_kv {
    const char *key;
    enum { LOG_KV_TEXT, LOG_KV_SIGNED, LOG_KV_UNSIGNED } kind;
    struct span text;
    int64_t i;
    uint64_t u;
};

static inline struct log_kv log_kv_span(const char *k, struct span s) { return (struct log_kv){k, LOG_KV_TEXT, s, 0, 0}; }
static inline struct log_kv log_kv_str(const char *k, const char *z) { return log_kv_span(k, span_str(z ? z : "")); }
static inline struct log_kv log_kv_i64(const char *k, int64_t v) { return (struct log_kv){k, LOG_KV_SIGNED, {0}, v, 0}; }
static inline struct log_kv log_kv_u64(const char *k, uint64_t v) { return (struct log_kv){k, LOG_KV_UNSIGNED, {0}, 0, v}; }

/* clang-format off */
#define KV(key, value) _Generic((value), \
    struct span: log_kv_span, char *: log_kv_str, const char *: log_kv_str, \
    int: log_kv_i64, long: log_kv_i64, long long: log_kv_i64, short: log_kv_i64, \
    unsigned: log_kv_u64, unsigned long: log_kv_u64, unsigned long long: log_kv_u64, unsigned short: log_kv_u64, unsigned char: log_kv_u64 \
    )(key, value)
/* clang-format on */

#define LOG(level, event, ...)                                                  \
    do {                                                                        \
        const struct log_kv kv_[] = {__VA_ARGS__};                              \
        log_write(level, event, kv_, sizeof kv_ / sizeof kv_[0]);               \
    } while (0)

void log_write(enum log_level level, const char *event, const struct log_kv *kv, size_t n);
void log_set_level(enum log_level most_verbose); /* default LOG_INFO */
/* Escape s for a terminal or a log line into out (≥ 4 × s.n + 1 bytes are enough; cut when smaller), NUL-terminated. */
void log_escape(struct span s, char *out, size_t out_size);
