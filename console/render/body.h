/* Stacks and event rows for people: of one print-out or of a fleet. */
#pragma once

#include "common/wire/query.h"
#include "console/render/screen.h"

/* The first n rows, leaf first, each with its share of total. */
void body_stacks(const struct stacks *st, size_t n, uint64_t total, const struct screen *s);
/* At most `most` rows; says how many of total are left out. */
NODISCARD enum err body_events(const struct host_events *hosts, size_t n, size_t most, uint64_t total, const struct screen *s);
NODISCARD enum err body_events_csv(const struct host_events *hosts, size_t n, FILE *to);
