/* Stacks in JSON lines (parse_lines.h): the map of names, then that of samples. */
#pragma once

#include "common/parse/parse_json.h"

struct parse_lines_stacks {
    struct strings pids; /* as printed */
    struct span *comm;   /* by their index in it */
    size_t cap_comm;
    struct span *frames; /* of one stack, leaf first */
    size_t n_frames, cap_frames;
};

NODISCARD enum err parse_lines_stacks_begin(struct parse_lines_stacks *s, struct parse_job *job);
/* The data of a line.  ERR_SYNTAX: it is none of the two maps, or is so up to a place; what came before that place is kept. */
NODISCARD enum err parse_lines_stacks(struct parse_lines_stacks *s, struct parse_job *job, struct parse_json *j);
