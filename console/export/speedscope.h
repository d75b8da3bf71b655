/* Stacks as speedscope's file format (https://www.speedscope.app/file-format-schema.json): one sampled profile, the process as its root
 * frame, its name being what was asked, coverage and ledger. */
#pragma once

#include "common/base/buf.h"
#include "common/wire/query.h"

/* Errors: ERR_NOMEM; ERR_LIMIT out's cap. */
NODISCARD enum err speedscope_write(const struct answer *a, struct buf *out);
