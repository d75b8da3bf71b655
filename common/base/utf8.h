/* Tool text is bytes until it is repaired. */
#pragma once

#include <stdbool.h>

#include "common/base/arena.h"
#include "common/base/span.h"

/* Well-formed per Unicode 15 table 3-7; NUL is allowed. */
bool utf8_valid(struct span s);
/* Length of the first character of s (s.n > 0), or, with *out_ok false, of the maximal ill-formed piece it begins with. */
size_t utf8_step(struct span s, bool *out_ok);
/* Each maximal ill-formed piece becomes U+FFFD (the W3C / Unicode practice, as Python's errors="replace").
 * Returns s itself when it is well-formed, else a copy in mem; .p == NULL when out of memory. */
struct span utf8_repair(struct arena *mem, struct span s);
