#include <stdio.h>

#include "collector/daemon/core_state.h"
#include "common/order/order.h"
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
    if (span_eq(out->operator_name, q->operator_name)) return RPC_OK;
    snprintf(why, QUERY_WHY_BYTES, "the order is signed by %.*s, but this connection is %.*s's", (int)out->operator_name.n,
             out->operator_name.p, (int)q->operator_name.n, q->operator_name.p);
    return RPC_PERMISSION_DENIED;
}

/* Every known host that matches and was here within CORE_TARGET_S. */
static enum rpc_status select_hosts(struct core *core, struct span selector, struct arena *mem, char *why, struct span **out,
                                    size_t *out_n) {
    const struct selector *sel = NULL;
    struct buf words;
    buf_init(&words, QUERY_WHY_BYTES);
    enum err e = selector_parse(selector, mem, &words, &sel);
    const char *text = buf_str(&words);
    if (e != ERR_OK) snprintf(why, QUERY_WHY_BYTES, "the selector: %s", text && *text ? text : err_text(e));
    buf_done(&words);
    if (e != ERR_OK) return RPC_INVALID_ARGUMENT;
    size_t n = 0, known = fleet_n(core->fleet);
    struct span *hosts = arena_array(mem, known + 1, sizeof *hosts);
    uint64_t now_ns = clock_wall_ns(), oldest_ns = now_ns > CORE_TARGET_S * NS_PER_S ? now_ns - CORE_TARGET_S * NS_PER_S : 0;
    for (size_t i = 0; hosts && i < known; i++) {
        const struct fleet_host *h = fleet_host(core->fleet, i);
        if (!h->session && h->seen_wall_ns < oldest_ns) continue;
        if (selector_matches(sel, span_str(h->name), h->facts.labels, h->facts.n_labels)) hosts[n++] = span_str(h->name);
    }
    if (!hosts) {
        snprintf(why, QUERY_WHY_BYTES, "the collector is out of memory");
        return RPC_RESOURCE_EXHAUSTED;
    }
    if (n == 0) {
        bool all = selector.n == 0;
        snprintf(why, QUERY_WHY_BYTES, "no host matches %s%.*s%s; %zu hosts are known (`trawl hosts` lists them)", all ? "" : "\"",
                 all ? 3 : (int)selector.n, all ? "all" : selector.p, all ? "" : "\"", known);
        return RPC_FAILED_PRECONDITION;
    }
    *out = hosts;
    *out_n = n;
    return RPC_OK;
}

/* To the disk first; core_questions_written goes on from there. */
static enum err write_start(struct core *core, const struct message_question *q, struct campaign *c) {
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
    *s = (struct core_starting){.next = core->starting, .question = q->id, .c = c};
    core->starting = s;
    w->write.ops = op;
    w->write.n = 1;
    w->write.question = q->id;
    queue_push_always(core->opt.store, &w->item);
    return ERR_OK;
}

/* Before it starts: what nobody could account for does not run. */
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
    enum err e = core_audit_add(core, &r);
    buf_done(&what);
    return e;
}

static size_t live(const struct core *core) {
    size_t n = 0;
    for (size_t i = 0; i < core->n_campaigns; i++) n += core->campaigns[i].c->ended_wall_ns == 0;
    return n;
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
    if (live(core) >= CORE_LIVE_MAX) {
        snprintf(why, QUERY_WHY_BYTES, "%d campaigns are running, which is the most there may be", CORE_LIVE_MAX);
        return RPC_RESOURCE_EXHAUSTED;
    }
    enum rpc_status status = verify(core, q, mem, why, &order);
    if (status == RPC_OK) status = select_hosts(core, order.spec.selector, mem, why, &hosts, &n_hosts);
    if (status != RPC_OK) return status;
    struct campaign_now now = core_now();
    const struct campaign_start start = {.id = order.spec.campaign,
                                         .signed_order = q->bytes,
                                         .operator_name = order.operator_name,
                                         .created_wall_ns = now.wall_ns,
                                         .hosts = hosts,
                                         .n_hosts = n_hosts,
                                         .now = now};
    struct campaign *c = NULL;
    enum err e = campaign_new(&start, &c);
    for (size_t i = 0; e == ERR_OK && i < c->n_targets; i++) {
        const struct fleet_host *h = fleet_find(core->fleet, span_str(c->targets[i].host));
        c->targets[i].seen_wall_ns = h ? h->seen_wall_ns : 0;
    }
    if (e == ERR_OK && write_down(core, &order, c) != ERR_OK) {
        campaign_free(c);
        snprintf(why, QUERY_WHY_BYTES, "the collector cannot write its audit log (its log says why); nothing was started");
        return RPC_UNAVAILABLE;
    }
    if (e == ERR_OK && (e = write_start(core, q, c)) != ERR_OK) campaign_free(c);
    if (e == ERR_OK) return RPC_OK;
    snprintf(why, QUERY_WHY_BYTES, "%s", err_text(e));
    return status_of(e);
}
