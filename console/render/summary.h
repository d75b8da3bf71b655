/* The head of an answer as plain text, for documents that have room for it: what was asked, coverage, ledger. */
#pragma once

#include "common/base/buf.h"
#include "common/wire/query.h"

/* The lines of answer_head without colour, appended to out, without the empty one at the end.  ERR_NOMEM; ERR_LIMIT out's cap. */
NODISCARD enum err summary_lines(const struct answer *a, struct buf *out);
/* Its first two lines (coverage and ledger) as one, joined by " · "; then those of the campaigns that were added to it. */
NODISCARD enum err summary_title(const struct answer *a, struct buf *out);
