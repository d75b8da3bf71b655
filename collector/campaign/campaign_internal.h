/* What the files of campaign do for each other.  Private to this folder. */
#pragma once

#include "collector/campaign/campaign.h"

/* ---- campaign.c ---- */
void campaign_move(struct campaign *c, struct campaign_target *t, enum campaign_stage stage, enum coverage coverage);
void campaign_set_reason(struct campaign_target *t, struct span reason);
/* It began to run; that is no news of one that runs already. */
void campaign_begin(struct campaign *c, struct campaign_target *t, struct campaign_now now);
/* All its parts are here. */
void campaign_end_for_real(struct campaign *c, struct campaign_target *t);
/* The campaign stops, and why: c->why. */
void campaign_halt(struct campaign *c, struct campaign_now now);
static inline uint32_t campaign_number(const struct campaign *c, const struct campaign_target *t) { return (uint32_t)(t - c->targets) + 1; }

/* ---- campaign_due.c: what time will bring, the earliest first; a heap with room for every target ---- */
void campaign_due_set(struct campaign *c, struct campaign_target *t, uint64_t due_ns);
void campaign_due_clear(struct campaign *c, struct campaign_target *t);
struct campaign_target *campaign_due_first(const struct campaign *c); /* NULL: nothing */

/* ---- campaign_turns.c: whose turn it is ---- */
/* ERR_NOMEM. */
NODISCARD enum err campaign_turns_domain(struct campaign *c, struct span value, uint32_t *out);
void campaign_turns_init(struct campaign *c);
void campaign_turns_wait(struct campaign *c, struct campaign_target *t);  /* held and connected: it gets in line */
void campaign_turns_leave(struct campaign *c, struct campaign_target *t); /* no longer */
void campaign_turns_active(struct campaign *c, struct campaign_target *t, bool active);
struct campaign_target *campaign_turns_next(struct campaign *c, struct campaign_now now);
size_t campaign_turns_reach(const struct campaign *c);

/* ---- campaign_rules.c: when it stops itself ---- */
/* Hosts that failed, timed out or were lost. */
uint32_t campaign_rules_bad(const struct campaign *c);
void campaign_rules_check(struct campaign *c, struct campaign_now now);
/* Has the wave that has just ended gone well?  Else it is stopped. */
bool campaign_rules_wave_is_well(struct campaign *c, struct campaign_now now);

/* ---- campaign_rounds.c: parts become rounds become one outcome ---- */
/* ERR_EXISTS, ERR_LIMIT, ERR_NOMEM as campaign_part.  *out_whole: that was the last of all rounds' parts. */
NODISCARD enum err campaign_rounds_part(struct campaign *c, struct campaign_target *t, uint32_t round, uint32_t part,
                                        const struct outcome *outcome, bool *out_whole);
/* The outcome, as it was stored. */
NODISCARD enum err campaign_rounds_restore(struct campaign_target *t, struct span outcome);
void campaign_rounds_done(struct campaign_target *t);
