/* Models as text, one fact per line, indexes resolved: two models that say the same have the same dump. */
#pragma once

#include "common/base/buf.h"
#include "common/wire/query.h"

void dump_hists(const struct hist_set *set, struct buf *out);
void dump_stacks(const struct stacks *s, struct buf *out);
void dump_events(const struct events *e, struct buf *out);
/* Rows without the heads of tables, so that the dumps of a result's pieces make up the dump of the whole. */
void dump_rows(const struct part_body *b, struct buf *out);
void dump_outcome(const struct outcome *o, struct buf *out);
void dump_body(const struct part_body *b, struct buf *out);
void dump_spec(const struct spec *s, struct buf *out);
void dump_facts(const struct facts *f, struct buf *out);
void dump_info(const struct campaign_info *i, struct buf *out);
void dump_targets(const struct target_info *t, size_t n, struct buf *out);
void dump_from_agent(const struct from_agent *m, struct buf *out);
void dump_to_agent(const struct to_agent *m, struct buf *out);
void dump_query(const struct query *q, struct buf *out);
void dump_answer(const struct answer *a, struct buf *out);
void dump_plan(const struct plan *p, struct buf *out);
