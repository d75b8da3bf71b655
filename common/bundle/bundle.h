/* The container of an evidence bundle: named pieces one after the other, each with its SHA-256, and at the end one over all that is before
 * it. docs/exports.md has the format.  It is read where it lies, so nothing grows with what it claims.  Pure. */
#pragma once

#include "common/base/buf.h"
#include "common/base/err.h"

enum { BUNDLE_NAME_BYTES = 128 };

struct bundle_piece {
    struct span name, bytes;
};

struct bundle_fault {
    size_t at;        /* byte of the whole */
    struct span name; /* the piece it is about; empty: none */
    const char *what; /* static */
};

/* ---- writing ---- */
/* Appended to out.  ERR_SYNTAX the name is empty or has other than [A-Za-z0-9._:-]; ERR_LIMIT it is too long, or out's cap; ERR_NOMEM. */
NODISCARD enum err bundle_begin(struct buf *out);
NODISCARD enum err bundle_add(struct buf *out, struct span name, struct span bytes);
NODISCARD enum err bundle_end(struct buf *out); /* out has nothing but this bundle */

/* ---- reading ---- */
struct bundle {
    struct span whole;
    size_t at;
};
/* b borrows whole.  ERR_SYNTAX it is no bundle; ERR_VERSION of a newer trawl; with *out_fault. */
NODISCARD enum err bundle_open(struct span whole, struct bundle *b, struct bundle_fault *out_fault);
/* The next piece, whose digest holds.  ERR_AGAIN: there is none, the end holds and nothing is behind it.  ERR_SYNTAX cut off or not the
 * format, ERR_DAMAGED changed, with *out_fault; ERR_NOMEM. */
NODISCARD enum err bundle_next(struct bundle *b, struct bundle_piece *out, struct bundle_fault *out_fault);
