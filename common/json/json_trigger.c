#include "common/json/json_trigger.h"

#include "common/base/clock.h"
#include "common/json/json_make.h"

static json_t *wall(struct json_maker *m, uint64_t ms) { return json_make_wall(m, ms < UINT64_MAX / NS_PER_MS ? ms * NS_PER_MS : 0); }

static json_t *host(struct json_maker *m, const struct trigger_host *h) {
    json_t *o = json_make_object(m);
    json_make_put(m, o, "host", json_make_text(m, h->host));
    json_make_put(m, o, "armed", json_make_bool(h->state.armed));
    json_make_put(m, o, "note", json_make_text_or_null(m, h->state.note));
    json_make_put(m, o, "fired", json_make_count(m, h->state.fired));
    json_make_put(m, o, "suppressed", json_make_count(m, h->state.suppressed));
    return o;
}

static json_t *info(struct json_maker *m, const struct trigger_info *i) {
    const struct trigger *t = &i->trigger;
    char hex[2 * CAMPAIGN_ID_BYTES + 1];
    json_t *o = json_make_object(m), *hosts = json_make_array(m);
    part_campaign_hex(&t->id, hex);
    json_make_put(m, o, "trigger", json_make_text(m, t->name));
    json_make_put(m, o, "id", json_make_name(m, hex));
    json_make_put(m, o, "operator", json_make_text(m, i->operator_name));
    json_make_put(m, o, "removed", json_make_bool(i->removed));
    json_make_put(m, o, "when", json_make_text(m, t->when));
    json_make_put(m, o, "tool", json_make_text(m, t->what.tool));
    json_make_put(m, o, "selector", json_make_text(m, t->what.selector));
    json_make_put(m, o, "seconds", json_make_count(m, t->what.duration_s));
    json_make_put(m, o, "cooldown_seconds", json_make_count(m, t->cooldown_s));
    json_make_put(m, o, "per_hour", json_make_count(m, t->per_hour));
    json_make_put(m, o, "budget_seconds", json_make_count(m, t->budget_s));
    json_make_put(m, o, "added", wall(m, i->added_wall_ms));
    json_make_put(m, o, "expires", wall(m, t->what.expires_wall_ms));
    json_make_put(m, o, "fired", json_make_count(m, i->fired));
    json_make_put(m, o, "suppressed", json_make_count(m, i->suppressed));
    json_make_put(m, o, "last_event", wall(m, i->last_wall_ms));
    json_make_put(m, o, "last", json_make_text_or_null(m, i->last));
    for (size_t k = 0; k < i->n_hosts; k++) json_make_add(m, hosts, host(m, &i->hosts[k]));
    json_make_put(m, o, "hosts", hosts);
    return o;
}

enum err json_trigger_list(const struct trigger_list *l, struct buf *out) {
    struct json_maker m;
    enum err e = json_make_init(&m, out);
    if (e) return e;
    json_make_list(&m, json_make_object(&m), "triggers");
    for (size_t i = 0; i < l->n && !m.failed; i++) json_make_item(&m, info(&m, &l->triggers[i]));
    json_make_list_end(&m);
    return json_make_done(&m);
}
