/* Make the n-th allocation of the code under test fail.  Link test_fault, then
 *     FOR_EACH_FAULT(n) { … call, check, undo … }
 * runs the block with the first allocation failing, then the second, …, and a last time with none, until every allocation had
 * its turn.  Only calls from our own objects are counted (malloc, calloc, realloc, reallocarray), not those inside shared libraries.
 * One thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define FOR_EACH_FAULT(n) for (size_t n = 1; fault_arm(n); n++)

/* Round n begins: true while the round before met its fault. */
bool fault_arm(size_t n);
/* Did this round's fault come?  Then the call under test must have failed, or lived with it. */
bool fault_hit(void);
/* No faults from here on: what follows is the test's own.  fault_on(n): they may come again, counted anew. */
void fault_off(void);
void fault_on(size_t n);
/* One more chance to fail, for a test that wraps other calls (fsync, write, …).  True: fail this one. */
bool fault_now(void);
