/* A flame graph: one SVG that needs nothing else, to be looked at in a browser (click: zoom in; Search: mark frames by a part of their
 * names) or anywhere as a picture.  The process is the lowest frame above "all"; width is the share of the total; siblings are in the order
 * of their names.  Kernel and user frames have colours of their own.  The first line of text is what was asked, coverage and ledger.
 * Names are repaired to UTF-8 and escaped; control characters show as \x... */
#pragma once

#include "common/base/buf.h"
#include "common/wire/query.h"

/* before: an answer in the same unit that a is compared with, or NULL.  Then widths are a's and the colour is the change of a frame's
 * share of the total: red grew, blue shrank; frames that only before has are counted, not drawn.
 * Errors: ERR_REFUSED the units differ; ERR_NOMEM; ERR_LIMIT out's cap. */
NODISCARD enum err flame_svg(const struct answer *a, const struct answer *before, struct buf *out);
