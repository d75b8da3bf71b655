/* Histograms over time for people and as CSV: a row for each moment and section, with how many of the targeted hosts are in it, what was
 * lost, and its shape: a mark for each slot of the whole series, higher where more is. */
#pragma once

#include "common/json/json_series.h"
#include "console/render/screen.h"

NODISCARD enum err answer_series(const struct series_point *points, size_t n, const struct screen *s);
NODISCARD enum err answer_series_csv(const struct series_point *points, size_t n, FILE *to);
