#include <errno.h>
#include <stdio.h>

#include "collector/daemon/core_state.h"

enum { DIR_BYTES = 512, COUNTS_BYTES = 256, WHY_BYTES = 512 };

enum err core_audit_open(struct core *core, char *why, size_t why_size) {
    const char *slash = strrchr(core->opt.store_path, '/');
    size_t n = slash ? (size_t)(slash - core->opt.store_path) + 1 : 0;
    core->audit_dir = n ? strndup(core->opt.store_path, n) : strdup(".");
    if (!core->audit_dir) return ERR_NOMEM;
    const struct audit_options opt = {.dir = core->audit_dir, .name = "audit.log", .cert = core->opt.tls_cert, .key = core->opt.tls_key};
    enum err e = audit_open(&opt, &core->audit);
    if (e) snprintf(why, why_size, "%saudit.log: %s", core->audit_dir, e == ERR_SYS ? strerror(errno) : err_text(e));
    return e;
}

static enum err log_failure(struct core *core, enum err e) {
    if (e && !core->audit_failing) LOG(LOG_ERR, "audit.failed", KV("why", e == ERR_SYS ? strerror(errno) : err_text(e)));
    core->audit_failing = e != ERR_OK;
    return e;
}

enum err core_audit_add(struct core *core, const struct audit_record *r) { return log_failure(core, audit_add(core->audit, r)); }

enum err core_audit_put(struct core *core, const struct audit_record *r) { return log_failure(core, audit_put(core->audit, r)); }

enum err core_audit_sync(struct core *core) {
    enum err e = audit_sync(core->audit);
    return e ? log_failure(core, e) : ERR_OK; /* nothing to do is no sign that it works again */
}

void core_audit_stranger(struct core *core, const struct audit_record *r) { IGNORED(log_failure(core, audit_add_limited(core->audit, r))); }

void core_audit_refused(struct core *core, const struct message_question *q, enum rpc_status status, const char *why) {
    char method[64];
    rpc_method_name(q->method, method, sizeof method);
    const struct audit_record r = {.event = "call.refused",
                                   .who = q->operator_name,
                                   .authority = span_str(identity_authority_name(q->authority)),
                                   .what = span_str(method),
                                   .result = span_str(rpc_status_name(status)),
                                   .why = span_str(why)};
    core_audit_stranger(core, &r); /* of a known operator, but he may ask as often as he likes */
}

static struct audit_record of_campaign(const char *event, const struct campaign *c, struct span who, const char *result) {
    return (struct audit_record){
        .event = event, .who = who, .campaign = span_str(c->hex), .what = c->spec.tool, .hosts = c->n_targets, .result = span_str(result)};
}

void core_audit_campaign(struct core *core, const char *event, const struct campaign *c, struct span who, const char *result) {
    const struct audit_record r = of_campaign(event, c, who, result);
    IGNORED(core_audit_add(core, &r)); /* said in the log */
}

void core_audit_ended(struct core *core, const struct campaign *c) {
    struct buf counts;
    buf_init(&counts, COUNTS_BYTES);
    for (int k = COVERAGE_PENDING; k < COVERAGE__COUNT; k++)
        if (c->coverage[k])
            buf_add_fmt(&counts, "%s%u %s", counts.n ? ", " : "", (unsigned)c->coverage[k], capture_coverage_name((enum coverage)k));
    const struct audit_record r = of_campaign("campaign.ended", c, c->operator_name, buf_str(&counts) ? buf_str(&counts) : "");
    IGNORED(core_audit_put(core, &r)); /* said in the log */
    buf_done(&counts);
}

void core_audit_not_started(struct core *core, const struct campaign *c, const char *why) {
    const struct audit_record r = {.event = "campaign.not_started",
                                   .who = c->operator_name,
                                   .campaign = span_str(c->hex),
                                   .what = c->spec.tool,
                                   .hosts = c->n_targets,
                                   .result = SPAN_LIT("failed"),
                                   .why = span_str(why)};
    IGNORED(core_audit_add(core, &r)); /* said in the log */
}

void core_audit_host(struct core *core, const struct campaign *c, const struct campaign_target *t) {
    const struct audit_record r = {.event = "host.refused",
                                   .who = c->operator_name,
                                   .host = span_str(t->host),
                                   .campaign = span_str(c->hex),
                                   .what = c->spec.tool,
                                   .result = span_str(capture_coverage_name(t->coverage)),
                                   .why = span_str(t->reason ? t->reason : "")};
    IGNORED(core_audit_put(core, &r)); /* said in the log */
}

void core_audit_tick(struct core *core) {
    char why[WHY_BYTES] = "";
    enum err e = audit_checkpoint(core->audit, why, sizeof why);
    if (e && !core->audit_unsigned) LOG(LOG_ERR, "audit.unsigned", KV("why", why[0] ? why : err_text(e)));
    core->audit_unsigned = e != ERR_OK;
}

enum err core_audit_answer(struct core *core, const struct message_question *q, struct arena *mem, struct buf *out) {
    struct query_audit ask = {0}, answer = {0};
    struct buf lines, checkpoint;
    enum err e = query_audit_decode(q->bytes, mem, &ask);
    if (e) return e;
    buf_init(&lines, LIMIT_AUDIT_BYTES);
    buf_init(&checkpoint, AUDIT_CHECKPOINT_BYTES);
    e = audit_read(core->audit, ask.offset, LIMIT_AUDIT_BYTES, &lines, &answer.offset);
    if (!e && answer.offset == ask.offset) { /* the end: now what covers it */
        core_audit_tick(core);
        e = audit_read_checkpoint(core->audit, &checkpoint);
    }
    answer.lines = buf_span(&lines);
    answer.checkpoint = buf_span(&checkpoint);
    if (!e) e = query_audit_encode(&answer, out);
    buf_done(&lines);
    buf_done(&checkpoint);
    return e;
}
