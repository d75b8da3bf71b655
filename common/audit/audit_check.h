/* Is an audit log what was written?  The chain finds a byte that was flipped and a line that was taken out or put in; a checkpoint, which
 * is signed, finds a tail that was cut off and a chain that was made anew.  Pure. */
#pragma once

#include "common/audit/audit_line.h"
#include "common/crypto/sign.h"

#define AUDIT_CHECK_DOMAIN SPAN_LIT("trawl audit v1\n") /* signed in front of "N HASH TIME_MS" */
enum { AUDIT_CHECKPOINT_BYTES = 32 * 1024 };

/* The newest signed checkpoint: line n had this hash at that time.
 * {"n":7,"hash":"HEX","time_ms":MS,"signature":"HEX","certificates":"HEX"} */
struct audit_checkpoint {
    uint64_t n, wall_ms;
    char hash[AUDIT_HASH_HEX + 1];
    struct span signature, certificates; /* hexadecimal, borrowed */
};
NODISCARD enum err audit_check_write(uint64_t n, const char hash[AUDIT_HASH_HEX + 1], uint64_t wall_ms, const struct signer *by,
                                     struct buf *out);
NODISCARD enum err audit_check_read(struct span text, struct audit_checkpoint *out); /* ERR_SYNTAX */

/* Walks over lines in order, from as many pieces as it likes; zeroed at first.  whole: the first line must be number 1. */
struct audit_check {
    bool whole;
    const struct audit_checkpoint *checkpoint; /* NULL: none; what it says of its line is compared on the way */
    uint64_t first, last;                      /* numbers; 0: no line yet */
    char last_hash[AUDIT_HASH_HEX + 1];
    bool checkpoint_met;
    uint64_t tampered; /* the first line in which the log says itself that lines before it are not what was written; 0: none does */
};
/* Complete lines.  ERR_DAMAGED with why ("line 7 …"), ERR_NOMEM. */
NODISCARD enum err audit_check_lines(struct audit_check *c, struct span text, char *why, size_t why_size);
/* After the last line: the checkpoint is in it, and its signature verifies as one of its time by a certificate that trust vouches for.
 * out_signer (SIGN_URI_BYTES).  ERR_DAMAGED, ERR_UNTRUSTED …, with why. */
NODISCARD enum err audit_check_end(const struct audit_check *c, const struct trust *t, char out_signer[SIGN_URI_BYTES], char *why,
                                   size_t why_size);
