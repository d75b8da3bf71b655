#include "common/json/json_fleet.h"

#include "common/json/json_campaign.h"

static json_t *host(struct json_maker *m, const struct host_info *h) {
    const struct facts *f = &h->facts;
    json_t *o = json_make_object(m), *labels = json_make_object(m), *tools = json_make_array(m);
    for (size_t i = 0; i < f->n_labels; i++) json_make_put_key(m, labels, f->labels[i].key, json_make_text(m, f->labels[i].value));
    for (size_t i = 0; i < f->n_tools; i++) {
        json_t *t = json_make_object(m);
        json_make_put(m, t, "tool", json_make_text(m, f->tools[i].tool));
        json_make_put(m, t, "flavour", json_make_text(m, f->tools[i].flavour));
        json_make_put(m, t, "runnable", json_make_bool(f->tools[i].runnable));
        json_make_put(m, t, "why", json_make_text_or_null(m, f->tools[i].why));
        json_make_add(m, tools, t);
    }
    json_make_put(m, o, "host", json_make_text(m, f->host));
    json_make_put(m, o, "online", json_make_bool(h->online));
    json_make_put(m, o, "seen", json_make_wall(m, h->seen_wall_ns));
    json_make_put(m, o, "address", json_make_text(m, h->address));
    json_make_put(m, o, "version", json_make_text(m, f->version));
    json_make_put(m, o, "kernel", json_make_text(m, f->kernel));
    json_make_put(m, o, "arch", json_make_text(m, f->arch));
    json_make_put(m, o, "clock", json_make_wall(m, f->wall_ns));
    json_make_put(m, o, "certificate_expires", json_make_wall(m, h->cert_expires_wall_ns));
    json_make_put(m, o, "replayed", json_make_bool(f->replayed));
    json_make_put(m, o, "note", json_make_text_or_null(m, h->note));
    json_make_put(m, o, "lockdown", json_make_text_or_null(m, f->lockdown));
    json_make_put(m, o, "labels", labels);
    json_make_put(m, o, "tools", tools);
    return o;
}

enum err json_fleet_hosts(const struct host_list *l, struct buf *out) {
    struct json_maker m;
    enum err e = json_make_init(&m, out);
    if (e) return e;
    json_make_list(&m, json_make_object(&m), "hosts");
    for (size_t i = 0; i < l->n && !m.failed; i++) json_make_item(&m, host(&m, &l->hosts[i]));
    json_make_list_end(&m);
    return json_make_done(&m);
}

static json_t *info(struct json_maker *m, const struct campaign_info *i) {
    json_t *o = json_make_object(m);
    json_campaign_put(m, o, i);
    json_make_put(m, o, "replayed", json_make_bool(i->replayed));
    return o;
}

enum err json_fleet_campaigns(const struct campaign_list *l, struct buf *out) {
    struct json_maker m;
    enum err e = json_make_init(&m, out);
    if (e) return e;
    json_make_list(&m, json_make_object(&m), "campaigns");
    for (size_t i = 0; i < l->n && !m.failed; i++) json_make_item(&m, info(&m, &l->campaigns[i]));
    json_make_list_end(&m);
    return json_make_done(&m);
}

enum err json_fleet_campaign(const struct campaign_info *i, struct buf *out) {
    struct json_maker m;
    enum err e = json_make_init(&m, out);
    if (e) return e;
    json_make_document(&m, info(&m, i));
    return json_make_done(&m);
}

enum err json_fleet_detail(const struct campaign_detail *d, struct buf *out) {
    struct json_maker m;
    enum err e = json_make_init(&m, out);
    if (e) return e;
    json_make_list(&m, info(&m, &d->info), "targets");
    for (size_t i = 0; i < d->n_targets && !m.failed; i++) json_make_item(&m, json_campaign_target(&m, &d->targets[i]));
    json_make_list_end(&m);
    return json_make_done(&m);
}

static json_t *cost(struct json_maker *m, const struct plan_row *r) {
    json_t *o = json_make_object(m);
    json_make_put(m, o, "cpu_percent", json_make_real(m, (double)r->cost_ppm / 1e4));
    json_make_put(m, o, "events_per_second", json_make_count(m, r->cost_events_per_s));
    json_make_put(m, o, "at_least", json_make_bool(r->cost_at_least));
    return o;
}

static json_t *plan_host(struct json_maker *m, const struct plan_row *r) {
    json_t *o = json_make_object(m);
    json_make_put(m, o, "host", json_make_text(m, r->host));
    json_make_put(m, o, "state", json_make_name(m, capture_coverage_name(r->coverage)));
    json_make_put(m, o, "flavour", json_make_text_or_null(m, r->flavour));
    json_make_put(m, o, "why", json_make_text_or_null(m, r->why));
    json_make_put(m, o, "cost", r->cost_known ? cost(m, r) : json_make_null());
    return o;
}

enum err json_fleet_plan(const struct plan *p, const struct tool *t, struct buf *out) {
    struct json_maker m;
    enum err e = json_make_init(&m, out);
    if (e) return e;
    json_t *head = json_make_object(&m);
    json_make_put(&m, head, "tool", json_make_name(&m, t->name));
    json_make_list(&m, head, "hosts");
    for (size_t i = 0; i < p->n && !m.failed; i++) json_make_item(&m, plan_host(&m, &p->rows[i]));
    json_make_list_end(&m);
    return json_make_done(&m);
}
