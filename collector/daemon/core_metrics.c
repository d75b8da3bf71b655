#include "collector/daemon/core_state.h"

static void family(struct buf *out, const char *name, const char *type, const char *help) {
    buf_add_fmt(out, "# TYPE trawl_%s %s\n# HELP trawl_%s %s\n", name, type, name, help);
}

static void one(struct buf *out, const char *name, const char *type, const char *help, uint64_t value) {
    family(out, name, type, help);
    buf_add_fmt(out, "trawl_%s%s ", name, strcmp(type, "counter") == 0 ? "_total" : "");
    buf_add_u64(out, value);
    buf_add_char(out, '\n');
}

/* Names are of letters, digits, dot, dash and underscore: nothing to escape. */
static void of_trigger(struct buf *out, const char *name, const struct core_trigger *t, uint64_t value) {
    struct span n = t->entry->rule.trigger.name;
    buf_add_fmt(out, "trawl_%s{trigger=\"%.*s\"} %llu\n", name, (int)n.n, n.p, (unsigned long long)value);
}

static uint64_t fired(const struct core_trigger *t) {
    uint64_t n = t->entry->allowance.fired;
    for (size_t i = 0; when_is_hosts(&t->entry->rule.when) && i < t->n_hosts; i++) n += t->hosts[i].fired;
    return n;
}

static uint64_t suppressed(const struct core_trigger *t) {
    uint64_t n = t->entry->allowance.suppressed;
    for (size_t i = 0; i < t->n_hosts; i++) n += t->hosts[i].suppressed;
    return n;
}

static void triggers(const struct core *core, struct buf *out) {
    family(out, "trigger_firings", "counter", "Captures that a trigger has started.");
    for (const struct core_trigger *t = core->triggers; t; t = t->next)
        if (!t->entry->removed) of_trigger(out, "trigger_firings_total", t, fired(t));
    family(out, "trigger_suppressed", "counter", "Events that a trigger's limits kept from starting anything.");
    for (const struct core_trigger *t = core->triggers; t; t = t->next)
        if (!t->entry->removed) of_trigger(out, "trigger_suppressed_total", t, suppressed(t));
}

void core_metrics_write(const struct core *core, struct buf *out) {
    size_t online = 0, running = 0;
    for (size_t i = 0; i < fleet_n(core->fleet); i++) online += fleet_host(core->fleet, i)->session != 0;
    for (size_t i = 0; i < core->n_campaigns; i++) running += core->campaigns[i].c->ended_wall_ns == 0;
    one(out, "hosts_known", "gauge", "Hosts that the collector knows.", fleet_n(core->fleet));
    one(out, "hosts_online", "gauge", "Hosts that are connected.", online);
    one(out, "campaigns_running", "gauge", "Campaigns that have not ended.", running);
    one(out, "store_up", "gauge", "1 while the store can be written.", !core->store_down);
    one(out, "locked_down", "gauge", "1 while the fleet is locked down.", core->lockdown.locked);
    one(out, "calls", "counter", "Requests from outside that reached core.", core->counts.calls);
    one(out, "refused", "counter", "Peers and requests that were turned away.", core->counts.refused);
    one(out, "alerts_repeated", "counter", "Alerts that were acted on before.", core->counts.repeated);
    one(out, "alerts_resolved", "counter", "Alerts that were said to be resolved.", core->counts.resolved);
    triggers(core, out);
    buf_add_str(out, "# EOF\n");
}
