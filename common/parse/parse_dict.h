/* Histograms that Python printed as dictionaries, one in a line (bcc's biolatency -j; it is not JSON):
 *   {'ts': '2026-01-31 11:07:42', 'val_type': 'usecs', 'data': [{'interval-start': 0, 'interval-end': 1, 'count': 3}, …], 'flags': 'Read'} */
#pragma once

#include "common/parse/parse_job.h"

/* The line begins as one. */
bool parse_dict_is(struct span line);
/* ts becomes the interval, any other key a section.  Slots is the caller's, reused; *out points into the line and into it.
 * ERR_SYNTAX: the line is not whole, or no such dictionary. */
struct parse_dict_slots {
    struct hist_slot *slot;
    size_t n, cap;
};
NODISCARD enum err parse_dict_line(struct arena *mem, struct span line, struct parse_dict_slots *slots, struct hist *out);
