/* A capture that waits in the spool has lost something: its outcome says so, in words and in its ledger (spool, in bytes), and where a
 * part was there is an empty one, so that the collector waits for nothing.  A part that the collector had stored already stays what it
 * was; then the ledger says more than was lost, never less.
 * A capture's last part is the one with the highest number that waits: parts go, and are acknowledged, in order. */
#pragma once

#include "agent/spool/spool.h"

/* What to say in the place of an outcome that cannot be read. */
struct amend_facts {
    enum result_kind kind; /* of the tool */
    bool replayed;
};

/* The entry does not read (ERR_DAMAGED): put in its place what can be said.  ERR_NOMEM; ERR_SYNTAX: it cannot be said. */
NODISCARD enum err amend_damaged(struct spool *s, struct spool_entry *e, struct amend_facts f);
/* Make room: of the capture that has waited longest, other than spare, only the outcome is kept.  ERR_NOTFOUND: there is none that would
 * make room; ERR_NOMEM. */
NODISCARD enum err amend_give_up_oldest(struct spool *s, const struct part_key *spare);
/* Did the round reach the spool whole?  (Its journal may not know: power fails between the last part and the note.)  *out_last: it says
 * that it is the last one. */
bool amend_is_whole(struct spool *s, const struct campaign_id *id, uint32_t round, bool *out_last);
