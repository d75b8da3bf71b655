/* What the host's policy keeps to itself: texts of the classes in set (bits of catalog_class.h) are replaced in a capture before anything
 * is made of it that leaves the host. */
#pragma once

#include "common/catalog/catalog_class.h"
#include "common/model/capture.h"

/* Does this tool print anything of the set?  Then what no grammar understood and what the tool said besides may hold it, too. */
bool redact_concerns(const struct capture *c, unsigned set);
/* Cells and sections become CATALOG_CLASS_MARK, empty ones stay; left-over text and the parser's notes are dropped.  out_cells: how many were
 * masked.  ERR_NOMEM: the capture must not leave. */
NODISCARD enum err redact_capture(struct capture *c, unsigned set, struct arena *mem, uint64_t *out_cells);
