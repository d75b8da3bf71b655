/* The stack printed below a row, leaf first: "<TAB>b'kfree_skb_reason+0x7b'".  TOOLS.md (6), tcpdrop. */
#pragma once

#include "common/parse/parse_job.h"

struct parse_row_stack {
    struct span *frames; /* of the row that waits, as printed */
    size_t n, cap;
    char *text; /* a frame without its quotes */
    size_t text_cap;
};

/* The line is a frame. */
bool parse_row_stack_is(struct span line);
NODISCARD enum err parse_row_stack_add(struct parse_job *job, struct parse_row_stack *s, struct span line);
/* The frames become the stack of this row and are forgotten. */
NODISCARD enum err parse_row_stack_give(struct parse_job *job, struct parse_row_stack *s, size_t row);
