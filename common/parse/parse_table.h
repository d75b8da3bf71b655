/* Rows under a header, with notices among them.  TOOLS.md (6). */
#pragma once

#include "common/parse/parse_job.h"

NODISCARD enum err parse_table(struct parse_job *job);
/* The print-out shows a table of the spec, and no histogram before it. */
bool parse_table_is(const struct parse_job *job);
