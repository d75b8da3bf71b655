/* Which rows of an event table: a condition over its columns.
 *
 *   LAT(ms)>10 && COMM=curl      DPORT=443 || DPORT=80      !(COMM~kworker*)      host=web-1      label:zone!=b
 *
 *   or    = and { "||" and }          and = not { "&&" not }          not = "!" not | "(" or ")" | name op value
 *   op    = "=" "==" "!=" "<" "<=" ">" ">=" "~" "!~"        ~: a pattern of * and ? over the whole text
 *   name  = a column as events_column() finds it, else "host" or "label:KEY"; "…" or '…' when it has other letters in it
 *
 * Columns of numbers are compared as numbers, exactly, whatever their decimals; others bytewise.  A cell that is no number fulfils no
 * comparison but "!=".  Pure; in mem. */
#pragma once

#include "common/model/events.h"
#include "common/model/histogram.h"

enum { WHERE_BYTES = 1024, WHERE_NODES = 64, WHERE_DEPTH = 32 };

/* Where the rows come from: what `host` and `label:KEY` stand for. */
struct where_source {
    struct span host;
    const struct label *labels;
    size_t n_labels;
    const struct strings *dictionary; /* shared by all tables that come, and only grows; NULL: each table has its own texts */
};

struct where_fault {
    size_t at;        /* byte of the text */
    const char *what; /* static */
};

struct where;
/* Borrows text.  ERR_SYNTAX, ERR_LIMIT with *out_fault; ERR_NOMEM. */
NODISCARD enum err where_parse(struct span text, struct arena *mem, struct where_fault *out_fault, const struct where **out);
/* out_rows[i]: 1 when row i fulfils it, else 0.  ERR_NOTFOUND: there is no such column, ERR_SYNTAX: it is of numbers and is compared
 * with something else; *out_name is the name.  ERR_NOMEM. */
NODISCARD enum err where_rows(const struct where *w, const struct events *e, const struct where_source *from, unsigned char *out_rows,
                              struct span *out_name);
/* The text of `host` or `label:KEY` (empty when the host has no such label).  False: name is neither. */
bool where_of_source(struct span name, const struct where_source *from, struct span *out);
