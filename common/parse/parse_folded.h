/* Folded stacks: "comm;frame;frame COUNT", root first.  Stacks are told apart as printed, as a whole; each is cut into frames once, and
 * the tree is made of all of them at the end. */
#pragma once

#include "common/parse/parse_job.h"

struct parse_folded_seen;

/* All zero at first. */
struct parse_folded {
    struct parse_folded_seen *seen; /* every stack once, in the order they came */
    size_t n, cap;
    struct hash_slot *hash; /* 1 + index into seen */
    size_t hash_size;
    struct stacks_path *paths; /* of each in seen */
    size_t cap_paths;
    uint32_t *frames; /* of all of them */
    size_t n_frames, cap_frames;
};

/* A line, cut at its count. */
struct parse_folded_row {
    struct span stack;
    uint64_t count;
    uint32_t tag; /* hash of stack */
};

/* False: the line is no stack.  What it will be compared with is on its way from memory then. */
bool parse_folded_cut(const struct parse_job *job, const struct parse_folded *f, struct span line, struct parse_folded_row *out);
/* The same of what that leads to; of use once the first has arrived. */
void parse_folded_fetch(const struct parse_folded *f, const struct parse_folded_row *row);
/* Counts the row.  Its stack must live in the print-out. */
NODISCARD enum err parse_folded_add(struct parse_job *job, struct parse_folded *f, const struct parse_folded_row *row);
/* Makes the capture's stacks of all rows. */
NODISCARD enum err parse_folded_end(struct parse_job *job, struct parse_folded *f);
/* The frame without the mark that says that it is the kernel's; *kind becomes FRAME_KERNEL when it has one. */
struct span parse_folded_frame(struct span frame, enum frame_kind *kind);
