/* What tools say besides their results: banners, losses, failures. */
#pragma once

#include "common/parse/parse_job.h"

/* A line of stdout that no grammar wanted.  True: a banner, a loss (counted) or a sign of failure (remembered). */
bool parse_notices_line(struct parse_job *job, struct span line);
/* Only signs of failure. */
bool parse_notices_sign(struct parse_job *job, struct span line);
/* Only losses. */
bool parse_notices_loss(struct parse_job *job, struct span line);
/* Losses and what tools that work say, for places where a line could as well be data. */
bool parse_notices_aside(struct parse_job *job, struct span line);
void parse_notices_stderr(struct parse_job *job, struct span err);
/* Judges the whole: failed, partial, and the notes, the most telling first. */
NODISCARD enum err parse_notices_judge(struct parse_job *job, const struct parse_input *in);
