/* Folded stacks: "comm;frame;frame COUNT", root first. */
#pragma once

#include "common/parse/parse_job.h"

/* ERR_SYNTAX: the line is no stack. */
NODISCARD enum err parse_folded_line(struct parse_job *job, struct span line);
/* The frame without the mark that says that it is the kernel's; *kind becomes FRAME_KERNEL when it has one. */
struct span parse_folded_frame(struct span frame, enum frame_kind *kind);
