/* Random valid models: what a test must be able to send.  Everything is in mem; running out of it aborts. */
#pragma once

#include "common/wire/query.h"
#include "tests/support/gen.h"

struct random {
    struct gen gen;
    struct arena *mem;
    size_t max_rows; /* of a result */
};

uint32_t random_below(struct random *r, uint32_t n); /* 0 … n - 1; 0 when n is 0 */
void random_hists(struct random *r, struct hist_set *out);
void random_stacks(struct random *r, struct stacks *out);
void random_events(struct random *r, struct events *out);
void random_outcome(struct random *r, struct outcome *out);
void random_body(struct random *r, struct part_body *out);
void random_spec(struct random *r, struct spec *out);
void random_facts(struct random *r, struct facts *out);
void random_info(struct random *r, struct campaign_info *out);
void random_targets(struct random *r, struct target_info **out, size_t *out_n);
void random_from_agent(struct random *r, struct from_agent *out);
void random_to_agent(struct random *r, struct to_agent *out);
void random_query(struct random *r, enum query_kind kind, struct query *out);
void random_answer(struct random *r, enum query_kind kind, struct answer *out);
void random_plan(struct random *r, struct plan *out);
