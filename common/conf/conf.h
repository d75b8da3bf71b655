/* Configuration files: one const table per program says key, type, range, default and help; it makes the parser, the
 * commented example and the text of --help.  inih is underneath, with its "key = value ; comment".
 * A long list of words may go on in further, indented lines.  Unknown keys, bad values, duplicate keys: an error with file, line and what
 * was expected. */
#pragma once

#include "common/base/buf.h"

enum conf_type { CONF_TEXT, CONF_PATH, CONF_U64, CONF_DURATION_NS, CONF_SIZE_BYTES, CONF_PERCENT, CONF_BOOL, CONF_LABELS, CONF_WORDS };

struct conf_item {
    const char *key;       /* in the one section "[trawl]" or without a section */
    enum conf_type type;
    size_t offset;         /* of the value in the target: char * for TEXT, PATH, LABELS ("k=v,k=v") and WORDS ("a b c"); uint64_t for U64,
                              DURATION_NS, SIZE_BYTES and PERCENT (in millionths: 2% is 20000); bool for BOOL */
    uint64_t low, high;    /* numbers: allowed range; high 0: no upper end */
    const char *fallback;  /* as it would be written; NULL: required */
    const char *help;
};

/* Fills target with defaults, then with the file (path NULL: defaults only).  Texts are heap; conf_done frees them.
 * ERR_SYS: cannot be read; ERR_SYNTAX; why gets "agent.conf:12: …". */
NODISCARD enum err conf_load(const struct conf_item *items, size_t n, const char *path, void *target, char *why, size_t why_size);
void conf_done(const struct conf_item *items, size_t n, void *target);
/* The commented example file. */
void conf_example(const struct conf_item *items, size_t n, struct buf *out);
/* The keys as a section of a man page, in scdoc's language. */
void conf_manual(const struct conf_item *items, size_t n, struct buf *out);
/* What "--print-config[=FORM]" of every program does: form NULL the example, "scdoc" the manual.  ERR_NOTFOUND: there is no such form;
 * ERR_NOMEM; ERR_SYS: it could not be written. */
NODISCARD enum err conf_print(const struct conf_item *items, size_t n, const char *form, FILE *to);
