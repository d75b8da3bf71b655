/* Which hosts are meant: an expression over a host's name and labels.
 *
 *   selector  = "" | term { "," term }        "" is every host; blanks around a term do not count
 *   term      = pattern                       the host's name; "all" is short for "*"
 *             | "!" pattern                   not these names
 *             | key "=" pattern               a label with this value
 *             | key "!=" pattern              no label with this value; a host without the label qualifies
 *   pattern   = { character | "*" | "?" | "[" range { "," range } "]" }
 *   range     = number [ "-" number ]         web[001-120]  web[1-3,7]  rack=r[1-9]
 *
 * A host is selected when it matches one of the name patterns (if there are any), none of the "!" patterns, and every label
 * term: `web-*,db-*,!web-13,zone=b` is what is called web-… or db-…, except web-13, in zone b.
 * A range's first number tells how numbers are written: from 001 on with at least three digits, from 1 on without leading zeros.
 * Names have A-Z a-z 0-9 . _ -, keys / besides, values anything printable except , [ and ].  Case counts.  Nothing is ever expanded:
 * matching takes time in proportion to pattern × name, whatever the pattern. */
#pragma once

#include "common/base/buf.h"
#include "common/model/histogram.h"

enum { SELECTOR_HOSTS_MAX = 100000 }; /* that a pattern's ranges may stand for */

struct selector;
/* ERR_SYNTAX with *out_why in words (`term 2: "web[5-1]": the range runs backwards`); ERR_LIMIT over LIMIT_SELECTOR_BYTES; ERR_NOMEM.
 * In mem; text is copied. */
NODISCARD enum err selector_parse(struct span text, struct arena *mem, struct buf *out_why, const struct selector **out);
/* The names it lists, when it is nothing but names without patterns, so that they can be looked up one by one.  0: it is more than
 * that, or more than max. */
size_t selector_names(const struct selector *s, struct span *out, size_t max);
bool selector_matches(const struct selector *s, struct span host, const struct label *labels, size_t n_labels);
