/* Which hosts are meant: an expression over a host's name and labels.
 *   term[,term…]           all terms must hold
 *   key=value  key!=value  a label; value may be a glob (* and ?); an absent label equals nothing
 *   web-*  !web-13         the host's name, a glob; ! excludes
 *   web[001-120]           a node range, zero-padded as written; several: web[1-3,7]
 * "" and "all" mean every host. */
#pragma once

#include "common/base/buf.h"
#include "common/model/histogram.h"

struct selector;
/* ERR_SYNTAX / ERR_LIMIT with why in words and where ("term 2: …").  In mem. */
NODISCARD enum err selector_parse(struct span text, struct arena *mem, struct buf *out_why, const struct selector **out);
bool selector_matches(const struct selector *s, struct span host, const struct label *labels, size_t n_labels);
