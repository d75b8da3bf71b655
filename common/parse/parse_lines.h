/* JSON lines: an object a line, {"type": …, "data": …}, as bpftrace -f json prints them.
 *
 *   value             a tuple: an event, its columns those of the spec, in order; with row_stacks the stack comes last
 *   hist, lhist       {"@usecs": [{"min", "max", "count"}, …]} or {"@usecs": {"section": […], …}}: the map's name is the unit
 *   map               {"@comm": {"PID": "name", …}} and then {"@samples": {"PID,KERNEL STACK,USER STACK": count, …}}
 *   time              the mark of the interval whose histograms follow
 *   lost_events       {"events": N} */
#pragma once

#include "common/parse/parse_job.h"

NODISCARD enum err parse_lines(struct parse_job *job);
