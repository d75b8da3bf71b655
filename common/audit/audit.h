/* The append-only, hash-chained log of who asked for what and what came of it: DIR/NAME, with a signed checkpoint in DIR/NAME.checkpoint.
 * A log with max_bytes is rotated (NAME.1 is the newest of the old ones, keep of them are kept) and its chain goes on in the next file.
 * Thread: one owner. */
#pragma once

#include "common/audit/audit_check.h"
#include "common/base/auto.h"

struct audit;
struct audit_options {
    const char *dir, *name;
    uint64_t max_bytes; /* of a file; 0: never rotated */
    unsigned keep;
    const char *cert, *key; /* whose key signs checkpoints; both are read each time, so that they may change */
};

/* keeps the options' texts.  What a crash left of a last line is cut off and said in the next one.  ERR_SYS with errno; ERR_NOMEM. */
NODISCARD enum err audit_open(const struct audit_options *opt, struct audit **out);
/* Signs a last checkpoint. */
void audit_close(struct audit *a);
AUTO_TYPE(struct audit, audit_close)

/* Written, and durable once audit_sync says so.  ERR_SYS, ERR_NOMEM: it is counted, and the next record that can be written says that some
 * are missing. */
NODISCARD enum err audit_put(struct audit *a, const struct audit_record *r);
/* ERR_SYS: something that was put since the last time is not durable; all of it was taken back and is counted as missing. */
NODISCARD enum err audit_sync(struct audit *a);
/* Durable when it returns, with all that was put before. */
NODISCARD enum err audit_add(struct audit *a, const struct audit_record *r);
/* The same for what anybody can cause without a certificate of ours: so many a minute, the rest is counted and said. */
enum { AUDIT_LIMITED_PER_MINUTE = 60 };
NODISCARD enum err audit_add_limited(struct audit *a, const struct audit_record *r);
/* Is there something that no checkpoint covers yet?  Then sign one.  why: a sentence. */
NODISCARD enum err audit_checkpoint(struct audit *a, char *why, size_t why_size);
/* Complete lines of the current file from offset on, at most max_bytes of them; *out_next: where the next ones begin. */
NODISCARD enum err audit_read(const struct audit *a, uint64_t offset, size_t max_bytes, struct buf *out, uint64_t *out_next);
/* The newest checkpoint as it stands on disk; nothing when there is none. */
NODISCARD enum err audit_read_checkpoint(const struct audit *a, struct buf *out);
