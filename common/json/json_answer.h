/* The JSON of docs/json.md: merged answers.  Each writes one object and a newline, appended to out, which is as it was on failure.
 * `trawl run` prints the one of its tool's kind.  Errors: ERR_NOMEM; ERR_LIMIT out's cap. */
#pragma once

#include "common/wire/query.h"

NODISCARD enum err json_answer_hist(const struct answer *a, struct buf *out);
NODISCARD enum err json_answer_top(const struct answer *a, struct buf *out);
NODISCARD enum err json_answer_connections(const struct answer *a, struct buf *out);
NODISCARD enum err json_answer_outliers(const struct answer *a, struct buf *out);
NODISCARD enum err json_answer_stacks(const struct answer *a, struct buf *out);
NODISCARD enum err json_answer_events(const struct answer *a, struct buf *out);
