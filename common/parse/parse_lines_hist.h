/* Histograms in JSON lines (parse_lines.h). */
#pragma once

#include "common/parse/parse_json.h"

struct parse_lines_hists {
    struct hist *hist;
    size_t n, cap;
    struct hist_slot *slots; /* of the one that is read, reused */
    size_t n_slots, cap_slots;
    struct span mark; /* of the interval, in the job's memory */
};

/* The mark of what follows. */
NODISCARD enum err parse_lines_hist_mark(struct parse_lines_hists *h, struct parse_job *job, struct span mark);
/* The data of a line.  bpftrace's slots 0…0 and 1…1 become 0…1, the first slot of all other tools.  ERR_SYNTAX; then nothing of the
 * line is kept. */
NODISCARD enum err parse_lines_hist(struct parse_lines_hists *h, struct parse_job *job, struct parse_json *j, enum hist_scale scale);
/* All of them into the capture. */
NODISCARD enum err parse_lines_hist_end(const struct parse_lines_hists *h, struct parse_job *job);
