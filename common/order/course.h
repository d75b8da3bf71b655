/* How an order's campaign is to go: are its waves, rounds, times and limits something that can be done?  The same check at the
 * console before anything is signed, at the collector and at every host. */
#pragma once

#include "common/wire/spec.h"

/* ERR_SYNTAX, ERR_LIMIT with a sentence in why. */
NODISCARD enum err course_check(const struct spec *s, char *why, size_t why_size);
/* From the first host's begin to its last round's end. */
uint64_t course_seconds(const struct spec *s);
