/* Lines of runqlen -O: "runqocc: 12.34%", "runqocc, CPU 0   12.34%".  They make events: [TIME or interval] [CPU] runqocc. */
#pragma once

#include "common/parse/parse_job.h"

bool parse_occupancy_is(const struct parse_job *job);
NODISCARD enum err parse_occupancy(struct parse_job *job);
