/* Credit: how many bytes each side may still send the other, of one call or of a connection.  A message costs its bytes, is sent while
 * there is credit left, and may overdraw.  The receiver gives back what was consumed, half of the whole at a time.  Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct credit {
    int64_t whole;        /* at the beginning, in each direction */
    int64_t ours, theirs; /* bytes that we may send, that the peer may send */
    uint64_t owed;        /* consumed here and not given back yet */
};

void credit_init(struct credit *c, uint32_t whole_bytes);
static inline bool credit_left(const struct credit *c) { return c->ours > 0; }
static inline void credit_spend(struct credit *c, uint64_t bytes) { c->ours -= (int64_t)bytes; }
static inline void credit_come(struct credit *c, uint64_t bytes) { c->theirs -= (int64_t)bytes; }
/* The peer has sent so much over its credit. */
static inline uint64_t credit_over(const struct credit *c) { return c->theirs < 0 ? (uint64_t)-c->theirs : 0; }
/* We have it again.  False, and nothing happens: more than was spent. */
bool credit_again(struct credit *c, uint64_t bytes);
/* Of what has come bytes were consumed, never more than all.  Returns what is to be given back now; 0: not yet. */
uint64_t credit_consumed(struct credit *c, uint64_t bytes);
