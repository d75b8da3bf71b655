/* Inside common/json: the bodies that captures and merged answers share. */
#pragma once

#include "common/json/json_make.h"
#include "common/merge/percentile.h"

json_t *json_body_ledger(struct json_maker *m, const struct ledger *l);
/* {"unit", "scale", "section", "interval", "buckets", "total", "p50" …, "brackets"} */
json_t *json_body_hist(struct json_maker *m, const struct hist *h);
enum { JSON_PERCENTILES = 4 }; /* p50, p90, p99, p999 */
/* p50 … p999 into object; and their brackets: {"p50": [low, high], …}. */
void json_body_percentiles(struct json_maker *m, json_t *object, const struct percentile p[JSON_PERCENTILES]);
json_t *json_body_brackets(struct json_maker *m, const struct percentile p[JSON_PERCENTILES]);

/* A column's key in JSON: its name; a name that is taken already (by a column before it, "host" or "stack") gets "_2", "_3" …
 * keys: n_columns of them, in mem. */
NODISCARD enum err json_body_keys(const struct events *e, struct arena *mem, struct span **out_keys);
json_t *json_body_column(struct json_maker *m, const struct column *c, struct span key);
/* One row; host: "" for none. */
json_t *json_body_event(struct json_maker *m, const struct events *e, const struct span *keys, size_t row, struct span host);

/* Frames root first (or leaf first), as texts. */
json_t *json_body_frames(struct json_maker *m, const struct stacks *s, uint32_t leaf, bool leaf_first);
