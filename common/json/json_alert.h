/* What Prometheus' Alertmanager sends to a webhook (its version "4"), and the body of a plain call; from anybody with the token, so every
 * number is bounded before memory is taken.  Errors: ERR_SYNTAX not JSON, or not of that form; ERR_VERSION another version; ERR_LIMIT more
 * than the limits below; ERR_NOMEM. */
#pragma once

#include "common/base/arena.h"
#include "common/base/buf.h"
#include "common/model/histogram.h"

enum { JSON_ALERTS = 4096, JSON_ALERT_LABELS = 64, JSON_ALERT_TEXT = 1024 };

struct json_alert {
    bool resolved;
    struct span fingerprint, starts_at; /* together they name one alert from its begin to its end */
    struct label *labels;
    size_t n_labels;
};
struct json_notice {
    struct span group_key;
    uint64_t truncated; /* alerts that were left out */
    struct json_alert *alerts;
    size_t n;
};
/* In mem. */
NODISCARD enum err json_alert_read(struct span body, struct arena *mem, struct json_notice *out);

/* {"on": SELECTOR, "why": TEXT}, both optional; an empty body is fine. */
struct json_call {
    struct span on, why;
};
NODISCARD enum err json_alert_read_call(struct span body, struct arena *mem, struct json_call *out);

/* The answer to a call: {"campaign": ID} or {"suppressed": WHY} or {"error": WHY}, and a newline. */
NODISCARD enum err json_alert_answer(const char *key, struct span text, struct buf *out);
