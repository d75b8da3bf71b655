/* One record of an audit log as a line: a JSON object whose last two members chain it to the line before.
 *
 *   {"n":7,"time":"2026-11-26T09:00:00Z","event":"campaign.started","who":"ann",…,"prev":"HEX","hash":"HEX"}
 *
 * prev is the hash of the line before (zeroes in the first), hash the SHA-256 of the line's own bytes up to `,"hash"`.  Pure; the format is
 * in docs/audit.md. */
#pragma once

#include "common/base/buf.h"

enum { AUDIT_HASH_HEX = 64, AUDIT_LINE_BYTES = 8192 };

/* What happened.  Empty fields are left out of the line. */
struct audit_record {
    const char *event;          /* dotted, as in docs/audit.md */
    struct span who, authority; /* the operator, what his certificate lets him do */
    struct span host, campaign; /* campaign: hexadecimal */
    struct span what, where;    /* tool, method or file; selector or address */
    struct span result, why;    /* "ok", "refused" …, a sentence */
    uint64_t hosts;             /* how many */
};

/* Appends the line with its '\n'; out_hash gets its hash.  Texts are cut and escaped: control characters, what HTML reads as a tag and what
 * is not UTF-8 never stand in a log as they are.  ERR_NOMEM. */
NODISCARD enum err audit_line_write(const struct audit_record *r, uint64_t n, uint64_t wall_ns, const char prev[AUDIT_HASH_HEX + 1],
                                    struct buf *out, char out_hash[AUDIT_HASH_HEX + 1]);

/* What chains a line, borrowed from it. */
struct audit_link {
    uint64_t n;
    struct span prev, hash;
    bool hash_fits; /* it is the hash of this line */
};
/* line: without its '\n'.  ERR_SYNTAX: not such a line; ERR_NOMEM. */
NODISCARD enum err audit_line_read(struct span line, struct audit_link *out);
/* SHA-256 as text. */
NODISCARD enum err audit_line_hash(struct span bytes, char out[AUDIT_HASH_HEX + 1]);
