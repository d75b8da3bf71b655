#include <stdio.h>

#include "collector/daemon/core_state.h"
#include "common/order/order.h"
#include "common/order/sample.h"
#include "common/order/selector.h"

static enum rpc_status status_of(enum err e) {
    switch (e) {
    case ERR_UNTRUSTED:
        return RPC_PERMISSION_DENIED;
    case ERR_EXPIRED:
        return RPC_FAILED_PRECONDITION;
    case ERR_NOMEM:
        return RPC_RESOURCE_EXHAUSTED;
    case ERR_OK:
    case ERR_SYS:
    case ERR_SYNTAX:
    case ERR_LIMIT:
    case ERR_REFUSED:
    case ERR_AGAIN:
    case ERR_GONE:
    case ERR_VERSION:
    case ERR_NOTFOUND:
    case ERR_EXISTS:
    case ERR_TIMEOUT:
    case ERR_DAMAGED:
    case ERR__COUNT:
        break;
    }
    return RPC_INVALID_ARGUMENT;
}

/* The order is good, and whoever sends it has signed it. */
static enum rpc_status verify(struct core *core, const struct message_question *q, struct arena *mem, char *why, struct order *out) {
    struct signed_order so = {0};
    enum err e = q->bytes.n <= LIMIT_ORDER_BYTES ? spec_decode_signed(q->bytes, mem, &so) : ERR_LIMIT;
    if (e != ERR_OK) {
        snprintf(why, QUERY_WHY_BYTES, "the order: %s", err_text(e));
        return status_of(e);
    }
    const struct order_check check = {.operators = core->operators, .fleet = core->opt.fleet, .wall_ns = clock_wall_ns()};
    snprintf(why, QUERY_WHY_BYTES, "the order: %s", err_text(ERR_UNTRUSTED));
    e = order_verify(&so, &check, mem, why, QUERY_WHY_BYTES, out);
    if (e != ERR_OK) return status_of(e);
    if (out->spec.fired.number) {
        snprintf(why, QUERY_WHY_BYTES, "a firing is its trigger's to start, not a console's");
        return RPC_PERMISSION_DENIED;
    }
    if (span_eq(out->operator_name, q->operator_name)) return RPC_OK;
    snprintf(why, QUERY_WHY_BYTES, "the order is signed by %.*s, but this connection is %.*s's", (int)out->operator_name.n,
             out->operator_name.p, (int)q->operator_name.n, q->operator_name.p);
    return RPC_PERMISSION_DENIED;
}

/* ---- which hosts ---- */
enum { NAMED_MAX = 64 };

struct choice {
    struct core *core;
    const struct spec *spec;
    const struct selector *selector, *within; /* within: of these only; NULL: of all */
    const struct campaign *again;             /* of which the hosts are tried again; NULL: it is no retry */
    uint64_t oldest_ns;
    struct span names[NAMED_MAX]; /* of the hosts that are named, if that is all that the selector says */
    size_t n_names;
    struct span *hosts; /* room for all that may match */
    size_t n;
};

static void consider(struct choice *ch, const struct fleet_host *h) {
    struct span name = span_str(h->name);
    if (!h->session && h->seen_wall_ns < ch->oldest_ns) return;
    if (!selector_matches(ch->selector, name, h->facts.labels, h->facts.n_labels)) return;
    if (ch->within && !selector_matches(ch->within, name, h->facts.labels, h->facts.n_labels)) return;
    if (ch->again) {
        const struct campaign_target *t = campaign_find(ch->again, name);
        if (!t || !(ch->spec->retry.states >> t->coverage & 1)) return;
    }
    ch->hosts[ch->n++] = name;
}

/* Every known host that matches and was here within CORE_TARGET_S.  One that is named is looked up: a question to one host does not cost
 * a walk over ten thousand. */
static void consider_all(struct choice *ch) {
    for (size_t i = 0; i < ch->n_names; i++) {
        const struct fleet_host *h = fleet_find(ch->core->fleet, ch->names[i]);
        bool twice = false;
        for (size_t k = 0; k < i; k++) twice = twice || span_eq(ch->names[k], ch->names[i]);
        if (h && !twice) consider(ch, h);
    }
    for (size_t i = 0; !ch->n_names && i < fleet_n(ch->core->fleet); i++) consider(ch, fleet_host(ch->core->fleet, i));
}

static enum rpc_status nobody(const struct choice *ch, char *why) {
    struct span s = ch->spec->selector;
    bool all = s.n == 0;
    if (ch->again)
        snprintf(why, QUERY_WHY_BYTES, "no host of campaign %.8s ended so that it would be tried again", ch->again->hex);
    else
        snprintf(why, QUERY_WHY_BYTES, "no host matches %s%.*s%s; %zu hosts are known (`trawl hosts` lists them)", all ? "" : "\"",
                 all ? 3 : (int)s.n, all ? "all" : s.p, all ? "" : "\"", fleet_n(ch->core->fleet));
    return RPC_FAILED_PRECONDITION;
}

static enum rpc_status find_again(struct choice *ch, char *why) {
    struct core_campaign *cc = NULL;
    if (!ch->spec->retry.states) return RPC_OK;
    enum err e = core_campaigns_get(ch->core, &ch->spec->retry.campaign, &cc);
    if (e == ERR_OK) {
        ch->again = cc->c;
        return RPC_OK;
    }
    snprintf(why, QUERY_WHY_BYTES, "the campaign to try again: %s", err_text(e));
    return e == ERR_NOTFOUND ? RPC_NOT_FOUND : RPC_INTERNAL;
}

enum rpc_status core_start_hosts(struct core *core, const struct spec *spec, struct span within, struct arena *mem, char *why,
                                 struct span **out, size_t *out_n) {
    uint64_t now_ns = clock_wall_ns();
    struct choice ch = {.core = core, .spec = spec};
    ch.oldest_ns = now_ns > CORE_TARGET_S * NS_PER_S ? now_ns - CORE_TARGET_S * NS_PER_S : 0;
    struct buf words;
    buf_init(&words, QUERY_WHY_BYTES);
    enum err e = selector_parse(spec->selector, mem, &words, &ch.selector);
    if (e == ERR_OK && within.n) e = selector_parse(within, mem, &words, &ch.within);
    const char *text = buf_str(&words);
    if (e != ERR_OK) snprintf(why, QUERY_WHY_BYTES, "the selector: %s", text && *text ? text : err_text(e));
    buf_done(&words);
    if (e != ERR_OK) return RPC_INVALID_ARGUMENT;
    enum rpc_status status = find_again(&ch, why);
    if (status != RPC_OK) return status;
    ch.n_names = selector_names(ch.selector, ch.names, NAMED_MAX);
    ch.hosts = arena_array(mem, ch.n_names ? ch.n_names : fleet_n(core->fleet) + 1, sizeof *ch.hosts);
    if (ch.hosts) consider_all(&ch);
    if (ch.hosts && ch.n == 0) return nobody(&ch, why);
    if (!ch.hosts || sample_sort(spec->seed, ch.hosts, ch.n) != ERR_OK) {
        snprintf(why, QUERY_WHY_BYTES, "the collector is out of memory");
        return RPC_RESOURCE_EXHAUSTED;
    }
    *out = ch.hosts;
    *out_n = share_given(spec->limit) ? share_of(spec->limit, ch.n) : ch.n;
    return RPC_OK;
}

enum err core_start_domains(const struct core *core, const struct spec *spec, const struct span *hosts, size_t n, struct arena *mem,
                            struct span **out) {
    if (!spec->domain_hosts) return ERR_OK;
    struct span *domains = arena_array(mem, n + 1, sizeof *domains);
    if (!domains) return ERR_NOMEM;
    for (size_t i = 0; i < n; i++) {
        const struct fleet_host *h = fleet_find(core->fleet, hosts[i]);
        domains[i] = SPAN_LIT("");
        for (size_t k = 0; h && k < h->facts.n_labels; k++)
            if (span_eq(h->facts.labels[k].key, spec->domain)) domains[i] = h->facts.labels[k].value;
    }
    *out = domains;
    return ERR_OK;
}

/* To the disk first; core_questions_written goes on from there. */
static enum err write_start(struct core *core, const struct core_start *start, struct campaign *c) {
    struct core_starting *s = calloc(1, sizeof *s);
    size_t names = c->n_targets * (sizeof(struct span) + LIMIT_NAME_BYTES + 32);
    struct message *w = message_new(MESSAGE_WRITE, sizeof(struct store_op) + names + c->signed_order.n + 1024);
    struct store_op *op = w ? arena_array(w->mem, 1, sizeof *op) : NULL;
    struct span *hosts = w ? arena_array(w->mem, c->n_targets, sizeof *hosts) : NULL;
    bool ok = s && op && hosts;
    for (size_t i = 0; ok && i < c->n_targets; i++) ok = (hosts[i] = arena_copy(w->mem, span_str(c->targets[i].host))).p != NULL;
    if (ok) {
        *op = (struct store_op){.kind = STORE_PUT_CAMPAIGN,
                                .campaign = {.row = {.id = c->id,
                                                     .signed_order = arena_copy(w->mem, c->signed_order),
                                                     .operator_name = arena_copy(w->mem, c->operator_name),
                                                     .tool = arena_copy(w->mem, c->spec.tool),
                                                     .created_wall_ns = c->created_wall_ns},
                                             .hosts = hosts,
                                             .n_hosts = c->n_targets}};
        ok = op->campaign.row.signed_order.p && op->campaign.row.operator_name.p && op->campaign.row.tool.p;
    }
    if (!ok) {
        free(s);
        message_free(w);
        return ERR_NOMEM;
    }
    *s = (struct core_starting){.next = core->starting, .question = start->question, .session = start->session, .c = c};
    core->starting = s;
    w->write.ops = op;
    w->write.n = 1;
    w->write.question = start->question;
    if (!core->last_held) core->last_held = &core->held;
    *core->last_held = &w->item;
    core->last_held = &w->item.next;
    return ERR_OK;
}

/* What nobody could account for does not run. */
void core_start_flush(struct core *core) {
    enum err e = core_audit_sync(core);
    struct queue_item *item = core->held;
    core->held = NULL;
    core->last_held = NULL;
    for (struct queue_item *next; item; item = next) {
        struct message *m = message_of(item);
        next = item->next;
        if (e == ERR_OK) {
            queue_push_ahead(core->opt.store, item);
            continue;
        }
        m->write.failed = e;
        core_questions_written(core, m);
        message_free(m);
    }
}

/* Before it starts; durable when core_start_flush goes on. */
static enum err write_down(struct core *core, const struct order *o, const struct campaign *c) {
    struct buf what;
    buf_init(&what, LIMIT_REASON_BYTES);
    buf_add(&what, o->spec.tool);
    for (size_t i = 0; i < o->spec.n_params; i++) {
        const struct spec_param *p = &o->spec.params[i];
        buf_add_fmt(&what, " %.*s=", (int)p->name.n, p->name.p);
        if (p->text.n)
            buf_add(&what, p->text);
        else
            buf_add_i64(&what, p->number);
    }
    buf_add_fmt(&what, " for %u s", o->spec.duration_s);
    const struct audit_record r = {.event = "campaign.started",
                                   .who = span_str(o->signer.name),
                                   .authority = span_str(identity_authority_name(o->signer.authority)),
                                   .campaign = span_str(c->hex),
                                   .what = buf_span(&what),
                                   .where = o->spec.selector.n ? o->spec.selector : SPAN_LIT("all"),
                                   .hosts = c->n_targets};
    enum err e = core_audit_put(core, &r);
    buf_done(&what);
    return e;
}

/* ---- how much at a time ---- */
struct load {
    size_t campaigns, mine, captures; /* all that have not ended; the operator's; hosts of those that have not ended */
};

static void count(struct load *l, const struct campaign *c, struct span operator_name) {
    if (c->ended_wall_ns) return;
    l->campaigns++;
    if (!span_eq(c->operator_name, operator_name)) return;
    l->mine++;
    l->captures += c->coverage[COVERAGE_PENDING] + c->coverage[COVERAGE_RUNNING];
}

static enum rpc_status check_load(const struct core *core, struct span operator_name, size_t n_hosts, char *why) {
    struct load l = {0};
    int n = (int)operator_name.n;
    for (size_t i = 0; i < core->n_campaigns; i++) count(&l, core->campaigns[i].c, operator_name);
    for (const struct core_starting *s = core->starting; s; s = s->next) count(&l, s->c, operator_name);
    if (l.campaigns >= CORE_LIVE_MAX)
        snprintf(why, QUERY_WHY_BYTES, "%d campaigns are running, which is the most there may be", CORE_LIVE_MAX);
    else if (l.mine >= core->opt.operator_campaigns)
        snprintf(why, QUERY_WHY_BYTES,
                 "%.*s has %zu campaigns under way, and may have %llu (operator_campaigns in collector.conf); wait, or stop one: trawl "
                 "campaigns",
                 n, operator_name.p, l.mine, (unsigned long long)core->opt.operator_campaigns);
    else if (l.captures + n_hosts > core->opt.operator_captures)
        snprintf(
            why, QUERY_WHY_BYTES,
            "%.*s has %zu captures under way, and with these %zu more than %llu (operator_captures in collector.conf); wait, or ask fewer "
            "hosts: --limit",
            n, operator_name.p, l.captures, n_hosts, (unsigned long long)core->opt.operator_captures);
    else
        return RPC_OK;
    return RPC_RESOURCE_EXHAUSTED;
}

enum rpc_status core_start_campaign(struct core *core, const struct core_start *s, struct arena *mem, char *why) {
    const struct order *order = s->order;
    struct campaign_now now = core_now();
    struct campaign_start start = {.id = order->spec.campaign,
                                   .signed_order = s->signed_order,
                                   .operator_name = order->operator_name,
                                   .created_wall_ns = now.wall_ns,
                                   .hosts = s->hosts,
                                   .n_hosts = s->n_hosts,
                                   .now = now};
    struct campaign *c = NULL;
    struct span *domains = NULL;
    enum err e = core_start_domains(core, &order->spec, s->hosts, s->n_hosts, mem, &domains);
    start.domains = domains;
    if (e == ERR_OK) e = campaign_new(&start, &c);
    for (size_t i = 0; e == ERR_OK && i < c->n_targets; i++) {
        const struct fleet_host *h = fleet_find(core->fleet, span_str(c->targets[i].host));
        c->targets[i].seen_wall_ns = h ? h->seen_wall_ns : 0;
    }
    if (e == ERR_OK && write_down(core, order, c) != ERR_OK) {
        campaign_free(c);
        snprintf(why, QUERY_WHY_BYTES, "the collector cannot write its audit log (its log says why); nothing was started");
        return RPC_UNAVAILABLE;
    }
    if (e == ERR_OK && (e = write_start(core, s, c)) != ERR_OK) {
        core_audit_not_started(core, c, err_text(e));
        campaign_free(c);
    }
    if (e == ERR_OK) return RPC_OK;
    snprintf(why, QUERY_WHY_BYTES, "%s", err_text(e));
    return status_of(e);
}

enum rpc_status core_start_order(struct core *core, const struct message_question *q, struct arena *mem, char *why) {
    struct order order = {0};
    struct span *hosts = NULL;
    size_t n_hosts = 0;
    if (core_lockdown_refuses(core, why)) return RPC_FAILED_PRECONDITION;
    if (core->store_down) {
        snprintf(why, QUERY_WHY_BYTES, "the collector cannot write to its store (its log says why); nothing was started");
        return RPC_UNAVAILABLE;
    }
    enum rpc_status status = verify(core, q, mem, why, &order);
    if (status == RPC_OK) status = core_start_hosts(core, &order.spec, SPAN_NONE, mem, why, &hosts, &n_hosts);
    if (status == RPC_OK) status = check_load(core, order.operator_name, n_hosts, why);
    const struct core_start start = {.order = &order, .signed_order = q->bytes, .hosts = hosts, .n_hosts = n_hosts, .question = q->id};
    return status == RPC_OK ? core_start_campaign(core, &start, mem, why) : status;
}

enum rpc_status core_start_plan(struct core *core, struct span spec_bytes, struct arena *mem, char *why, struct buf *out) {
    struct spec spec = {0};
    struct order order = {0};
    struct span *hosts = NULL;
    size_t n_hosts = 0;
    enum err e = spec_decode(spec_bytes, mem, &spec);
    snprintf(why, QUERY_WHY_BYTES, "%s", err_text(e));
    if (e == ERR_OK) e = order_read_tool(&spec, why, QUERY_WHY_BYTES, &order);
    if (e != ERR_OK) return status_of(e);
    enum rpc_status status = core_start_hosts(core, &spec, SPAN_NONE, mem, why, &hosts, &n_hosts);
    if (status != RPC_OK) return status;
    e = query_plan_make(core->fleet, &order, hosts, n_hosts, mem, out);
    if (e == ERR_OK) return RPC_OK;
    snprintf(why, QUERY_WHY_BYTES, "%s", err_text(e));
    return RPC_RESOURCE_EXHAUSTED;
}
