/* One pattern of a selector: literals, * and ?, node ranges.  Private to common/order; the grammar is in selector.h. */
#pragma once

#include "common/base/arena.h"
#include "common/base/err.h"
#include "common/base/span.h"

struct pattern_token;
struct pattern {
    struct pattern_token *tokens;
    size_t n, cap;
};

/* text: borrowed for as long as the pattern lives.  extra: the characters allowed besides A-Z a-z 0-9 . _ - ("": none; NULL: all that
 * are printable).  ERR_SYNTAX with *out_why (static text) set. */
NODISCARD enum err pattern_parse(struct span text, const char *extra, struct arena *mem, const char **out_why, struct pattern *out);
/* Does it stand for one text only? */
bool pattern_is_text(const struct pattern *p, struct span *out);
bool pattern_matches(const struct pattern *p, struct span s);
