/* The lockdown of a whole fleet: an admin's signed statement that stops everything and refuses new work until an admin lifts it.  Every
 * host verifies it itself and remembers it durably; the collector keeps it for those that are away and passes it on byte for byte. */
#pragma once

#include "common/order/order.h"
#include "common/wire/statement.h"

#define LOCKDOWN_DOMAIN SPAN_LIT("trawl lockdown v1\n") /* signed in front of the statement's bytes: no order is one, nor the reverse */
enum { LOCKDOWN_VERSION = 1 };

/* Sign s.  *out gets an encoded SignedOrder appended.  Errors as order_sign's. */
NODISCARD enum err lockdown_sign(const struct statement *s, const struct signer *by, struct buf *out);

/* What holds now: the newest statement that verified. */
struct lockdown {
    bool locked;
    uint64_t counter; /* 0: there was none yet */
    uint64_t since_wall_ms;
    char operator_name[LIMIT_NAME_BYTES + 1];
    char reason[LIMIT_REASON_BYTES + 1];
};

/* The signature verifies, the signer is an admin of this fleet, the statement is for it.  No clock is asked but for certificates, so that
 * a host with a wrong one can be locked down.  Of check: operators, fleet, wall_ns.  *out_state is what would hold by it; whether it is
 * newer is lockdown_is_newer's.  why: a sentence.  Errors as order_verify's. */
NODISCARD enum err lockdown_verify(const struct signed_order *so, const struct order_check *check, struct arena *mem, char *why,
                                   size_t why_size, struct lockdown *out_state);
/* ERR_OK; ERR_EXISTS: it is the same one; ERR_REFUSED: it is older, with why. */
NODISCARD enum err lockdown_is_newer(const struct lockdown *now, const struct lockdown *next, char *why, size_t why_size);

/* The record that survives restarts: the state, then the signed statement as it came.  In DIR/name, whole or not at all. */
NODISCARD enum err lockdown_store(int dir_fd, const char *name, const struct lockdown *state, struct span statement);
/* No file: not locked, an empty statement.  A record that cannot be read counts as a lockdown (better nothing runs than all), which any
 * admin's statement ends.  statement is emptied first.  True: it was read or there is none. */
bool lockdown_load(const char *path, struct lockdown *out, struct buf *out_statement);
/* "the fleet was locked down by ann at …: reason" */
void lockdown_why(const struct lockdown *l, char *out, size_t size);
