#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "collector/daemon/core_state.h"
#include "common/wire/statement.h"

enum { PATH_BYTES = 512 };

/* The record stands beside the store. */
static void path_of(const struct core *core, char out[PATH_BYTES]) { snprintf(out, PATH_BYTES, "%s.lockdown", core->opt.store_path); }

void core_lockdown_load(struct core *core) {
    char path[PATH_BYTES], why[LIMIT_REASON_BYTES];
    path_of(core, path);
    buf_init(&core->statement, LIMIT_ORDER_BYTES);
    bool good = lockdown_load(path, &core->lockdown, &core->statement);
    lockdown_why(&core->lockdown, why, sizeof why);
    if (core->lockdown.locked) LOG(good ? LOG_WARNING : LOG_ERR, "lockdown.holds", KV("why", why));
}

static enum err store(struct core *core, const struct lockdown *l, struct span statement) {
    char path[PATH_BYTES];
    path_of(core, path);
    char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path, *folder = ".";
    if (slash) {
        *slash = '\0';
        folder = slash == path ? "/" : path;
    }
    AUTO_CLOSE int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return dir < 0 ? ERR_SYS : lockdown_store(dir, name, l, statement);
}

void core_lockdown_send(struct core *core, const uint64_t *sessions, size_t n) {
    struct to_agent to = {.kind = TO_AGENT_LOCKDOWN};
    AUTO(arena_free) struct arena *mem = arena_new(LIMIT_FRAME_ARENA_BYTES);
    if (!core->lockdown.counter || n == 0) return;
    enum err e = mem ? spec_decode_signed(buf_span(&core->statement), mem, &to.order) : ERR_NOMEM;
    if (!e) e = core_agents_tell(core, RPC_INTERACTIVE, &to, sessions, n);
    if (e) LOG(LOG_ERR, "lockdown.not_sent", KV("hosts", n), KV("why", err_text(e)));
}

static void send_to_all(struct core *core) {
    AUTO_FREE uint64_t *sessions = calloc(fleet_n(core->fleet) + 1, sizeof *sessions);
    size_t n = 0;
    for (size_t i = 0; sessions && i < fleet_n(core->fleet); i++)
        if (fleet_host(core->fleet, i)->session) sessions[n++] = fleet_host(core->fleet, i)->session;
    if (!sessions) LOG(LOG_ERR, "lockdown.not_sent", KV("hosts", fleet_n(core->fleet)), KV("why", err_text(ERR_NOMEM)));
    core_lockdown_send(core, sessions, n);
}

static void stop_all(struct core *core, struct span operator_name) {
    for (size_t i = 0; i < core->n_campaigns; i++) {
        struct core_campaign *cc = &core->campaigns[i];
        if (cc->c->stopped || campaign_done(cc->c)) continue;
        campaign_stop(cc->c, operator_name, core_now());
        cc->touched = true; /* when it settles the agents are told */
    }
}

bool core_lockdown_refuses(const struct core *core, char *why) {
    if (!core->lockdown.locked) return false;
    char text[LIMIT_REASON_BYTES];
    lockdown_why(&core->lockdown, text, sizeof text);
    snprintf(why, QUERY_WHY_BYTES, "%s; `trawl lockdown lift` of an admin ends it", text);
    return true;
}

enum err core_lockdown_info(const struct core *core, struct buf *out) {
    struct statement_info i = {.locked = core->lockdown.locked,
                               .counter = core->lockdown.counter,
                               .operator_name = span_str(core->lockdown.operator_name),
                               .reason = span_str(core->lockdown.reason),
                               .since_wall_ms = core->lockdown.since_wall_ms};
    for (size_t k = 0; k < fleet_n(core->fleet); k++) {
        const struct fleet_host *h = fleet_host(core->fleet, k);
        if (!h->session) continue;
        i.online++;
        i.online_locked += h->facts.lockdown.n > 0;
    }
    return statement_encode_info(&i, out);
}

static enum rpc_status verify(struct core *core, const struct message_question *q, struct arena *mem, char *why, struct lockdown *out) {
    struct signed_order so = {0};
    const struct order_check check = {.operators = core->operators, .fleet = core->opt.fleet, .wall_ns = clock_wall_ns()};
    snprintf(why, QUERY_WHY_BYTES, "this is no signed statement");
    enum err e = q->bytes.n <= LIMIT_ORDER_BYTES ? spec_decode_signed(q->bytes, mem, &so) : ERR_LIMIT;
    if (!e) e = lockdown_verify(&so, &check, mem, why, QUERY_WHY_BYTES, out);
    if (e) return e == ERR_SYNTAX || e == ERR_LIMIT ? RPC_INVALID_ARGUMENT : RPC_PERMISSION_DENIED;
    if (!span_eq_str(q->operator_name, out->operator_name)) {
        snprintf(why, QUERY_WHY_BYTES, "the statement is signed by %s, but this connection is another's", out->operator_name);
        return RPC_PERMISSION_DENIED;
    }
    return lockdown_is_newer(&core->lockdown, out, why, QUERY_WHY_BYTES) == ERR_REFUSED ? RPC_FAILED_PRECONDITION : RPC_OK;
}

/* A lockdown takes effect although the disk fails; its lift does not, for after a restart it would hold again. */
enum rpc_status core_lockdown_set(struct core *core, const struct message_question *q, struct arena *mem, char *why) {
    struct lockdown next;
    enum rpc_status status = verify(core, q, mem, why, &next);
    if (status != RPC_OK) return status;
    enum err e = store(core, &next, q->bytes);
    if (e) {
        snprintf(why, QUERY_WHY_BYTES, "the collector cannot write down the statement: %s", e == ERR_SYS ? strerror(errno) : err_text(e));
        if (!next.locked) return RPC_UNAVAILABLE;
        LOG(LOG_ERR, "lockdown.not_stored", KV("why", why));
    }
    core->lockdown = next;
    buf_reset(&core->statement);
    buf_add(&core->statement, q->bytes);
    LOG(LOG_WARNING, next.locked ? "lockdown.on" : "lockdown.lifted", KV("operator", next.operator_name), KV("why", next.reason));
    const struct audit_record r = {.event = next.locked ? "lockdown.on" : "lockdown.lifted",
                                   .who = q->operator_name,
                                   .authority = span_str(identity_authority_name(q->authority)),
                                   .why = span_str(next.reason),
                                   .hosts = fleet_n(core->fleet)};
    IGNORED(core_audit_add(core, &r)); /* said in the log */
    send_to_all(core);
    if (next.locked) stop_all(core, q->operator_name);
    return RPC_OK;
}
