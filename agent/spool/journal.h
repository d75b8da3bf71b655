/* Which orders were taken, on disk beside the spool: an order is obeyed once (a replay is refused for as long as it has not
 * expired), and one that a crash cut short is known for what it is after the restart, and can be gone on with.
 * File CAMPAIGN.order: "STATE TOOL EXPIRES_MS ROUND BASE_MS\n", STATE taken or done, ROUND how many of its rounds are in the spool; behind
 * it, until it is done, the signed order.  Thread: one owner. */
#pragma once

#include "common/base/auto.h"
#include "common/base/buf.h"
#include "common/wire/part.h"

struct journal;

struct journal_entry {
    struct journal_entry *next;
    struct campaign_id campaign;
    char tool[LIMIT_NAME_BYTES + 1];
    uint64_t expires_wall_ms, base_wall_ms; /* base: when its first round was due */
    uint32_t round;                         /* so many are over */
    bool done;
    struct buf order; /* signed, as it was taken; empty when it is done */
};

struct journal_order { /* to be taken */
    struct span tool;
    uint64_t expires_wall_ms, base_wall_ms;
    struct span order;
};

/* ERR_SYS with errno.  *out_damaged: order files that do not read (they count as done: better not obeyed than obeyed twice). */
NODISCARD enum err journal_open(const char *dir, size_t *out_damaged, struct journal **out);
void journal_close(struct journal *j);
AUTO_TYPE(struct journal, journal_close)

/* NULL: never seen (or forgotten since it expired). */
const struct journal_entry *journal_find(const struct journal *j, const struct campaign_id *id);
/* Durable when it returns.  ERR_EXISTS: seen before. */
NODISCARD enum err journal_take(struct journal *j, const struct campaign_id *id, const struct journal_order *o);
/* All parts of so many rounds are in the spool. */
NODISCARD enum err journal_round(struct journal *j, const struct campaign_id *id, uint32_t rounds);
/* All parts are in the spool. */
NODISCARD enum err journal_done(struct journal *j, const struct campaign_id *id);
/* Forget what is done and has expired. */
void journal_expire(struct journal *j, uint64_t now_wall_ms);
/* The entries, for the unfinished ones after a start. */
const struct journal_entry *journal_first(const struct journal *j);
