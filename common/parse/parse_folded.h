/* Folded stacks: "comm;frame;frame COUNT", root first. */
#pragma once

#include "common/parse/parse_job.h"

/* The stacks seen so far as printed, without their counts: one that comes again is not cut into frames again.  All zero at first. */
struct parse_folded {
    struct parse_folded_seen *seen;
    size_t n, cap;
    struct hash_slot *hash; /* 1 + index into seen */
    size_t hash_size;
};

/* ERR_SYNTAX: the line is no stack.  The line must live in the print-out. */
NODISCARD enum err parse_folded_line(struct parse_job *job, struct parse_folded *f, struct span line);
/* The frame without the mark that says that it is the kernel's; *kind becomes FRAME_KERNEL when it has one. */
struct span parse_folded_frame(struct span frame, enum frame_kind *kind);
