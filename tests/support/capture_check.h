/* What holds for every capture that the parser makes, whatever it read. */
#pragma once

#include "common/parse/parse.h"

/* Parses a copy of out and err, frees it, and asserts the capture's invariants: slots ascend, indexes are in range, a parent
 * comes before its child, whatever is partial has a note.  The capture (in mem) is looked through from end to end, so that
 * a pointer into the print-out is seen by ASan. */
NODISCARD enum err capture_check(const struct parse_spec *spec, const struct parse_input *in, struct arena *mem, struct capture *out);
