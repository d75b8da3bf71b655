/* Private to common/wire: the pieces that several messages are made of, model structs ⇄ generated structs. */
#pragma once

#include "agents.pb-c.h"
#include "common/wire/pack.h"
#include "common/wire/session.h"
#include "common/wire/trigger.h"
#include "common/wire/unpack.h"
#include "model.pb-c.h"
#include "order.pb-c.h"

void message_strings_get(struct unpack *in, const Trawl__Strings *m, struct strings *out);
Trawl__Strings *message_strings_put(struct pack *o, const struct strings *t);

void message_hists_get(struct unpack *in, const Trawl__Histograms *m, struct hist_set *out);
Trawl__Histograms *message_hists_put(struct pack *o, const struct hist_set *set);

void message_events_get(struct unpack *in, const Trawl__Events *m, struct events *out);
Trawl__Events *message_events_put(struct pack *o, const struct events *e);

void message_stacks_get(struct unpack *in, const Trawl__Stacks *m, struct stacks *out); /* m NULL: empty ones */
Trawl__Stacks *message_stacks_put(struct pack *o, const struct stacks *s);

void message_outcome_get(struct unpack *in, const Trawl__Outcome *m, struct outcome *out);
Trawl__Outcome *message_outcome_put(struct pack *o, const struct outcome *from);
void message_outcome_get_ledger(const Trawl__Ledger *m, struct ledger *out); /* m NULL: zeroes */
Trawl__Ledger *message_outcome_put_ledger(struct pack *o, const struct ledger *l);

void message_spec_get_params(struct unpack *in, Trawl__Param *const *m, size_t n, struct spec_param **out);
Trawl__Param **message_spec_put_params(struct pack *o, const struct spec_param *params, size_t n);
void message_spec_get(struct unpack *in, const Trawl__Spec *m, struct spec *out);
Trawl__Spec *message_spec_put(struct pack *o, const struct spec *s);
void message_spec_get_signed(struct unpack *in, const Trawl__SignedOrder *m, struct signed_order *out);
Trawl__SignedOrder *message_spec_put_signed(struct pack *o, const struct signed_order *s);

void message_trigger_get(struct unpack *in, const Trawl__Trigger *m, struct trigger *out);
Trawl__Trigger *message_trigger_put(struct pack *o, const struct trigger *t);
void message_trigger_get_state(struct unpack *in, const Trawl__TriggerState *m, struct trigger_state *out);
Trawl__TriggerState *message_trigger_put_state(struct pack *o, const struct trigger_state *s);

void message_facts_get(struct unpack *in, const Trawl__Facts *m, struct facts *out);
Trawl__Facts *message_facts_put(struct pack *o, const struct facts *f);
