/* Top lists, connections and outliers for people and as CSV. */
#pragma once

#include "common/wire/query.h"
#include "console/render/screen.h"

NODISCARD enum err answer_top(const struct answer *a, bool per_host, const struct screen *s);
NODISCARD enum err answer_top_csv(const struct answer *a, bool per_host, FILE *to);
NODISCARD enum err answer_top_outliers(const struct answer *a, const struct screen *s);
NODISCARD enum err answer_top_outliers_csv(const struct answer *a, FILE *to);
