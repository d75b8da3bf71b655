/* A campaign's parts merged again, as the collector merges them, without one: what it answers to `trawl hist`, `stacks` or `events` about
 * all of its hosts must come out again, byte for byte.  Thread: one owner. */
#pragma once

#include "common/base/auto.h"
#include "common/wire/query.h"

struct remerge;
/* What the answer is made of will live in mem, which outlives it.  NULL: out of memory. */
struct remerge *remerge_new(struct arena *mem);
void remerge_free(struct remerge *r);
AUTO_TYPE(struct remerge, remerge_free)
/* Parts by host, then round, then part.  ERR_NOMEM. */
NODISCARD enum err remerge_add(struct remerge *r, struct span host, const struct part_body *body);
/* The question whose answer it is; campaign is left to the caller. */
enum query_kind remerge_question(enum result_kind kind, struct query *out);
/* The body of *a made anew; its head stays.  Once, after all parts.  ERR_NOMEM. */
NODISCARD enum err remerge_answer(struct remerge *r, enum query_kind kind, struct answer *a);
/* Do coverage and ledger of a follow from what is known of each target? */
bool remerge_adds_up(const struct answer *a, const struct campaign_detail *d);
