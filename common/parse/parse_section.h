/* The line above a histogram that says whose it is: "pid = 1234 comm", "disk = vda<TAB>flags = Read". */
#pragma once

#include "common/model/histogram.h"

/* The line has the form "key = …" with a key of letters and blanks. */
bool parse_section_is(struct span line);
/* It names a task: the name may hold newlines. */
bool parse_section_is_task(struct span line);
/* Both begin with the same key. */
bool parse_section_same_key(struct span a, struct span b);
/* Labels of a section (a line that parse_section_is; it may go on over newlines, which then belong to the name).
 * Returns how many; they are copied into mem. */
NODISCARD enum err parse_section_labels(struct span section, struct arena *mem, struct label out[HIST_SECTION_MAX], size_t *out_n);
