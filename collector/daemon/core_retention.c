#include <stdio.h>

#include "collector/daemon/core_state.h"

enum { ROWS = 2000 /* of one step: a tick has one */, LOOK_MS = 10 * 1000, DAY_S = 24 * 3600 };

/* The oldest that has results, or rests of them. */
struct oldest {
    bool found, begun;
    struct campaign_id id;
    uint64_t ended_wall_ns;
};

static enum err on_oldest(void *arg, const struct store_campaign *c) {
    struct oldest *o = arg;
    *o = (struct oldest){true, c->removed_wall_ns != 0, c->id, c->ended_wall_ns};
    return ERR_OK;
}

/* One that was begun before a restart goes on, whatever the settings say now. */
static bool is_due(struct core *core, const struct oldest *o, char *why, size_t size) {
    uint64_t bytes = 0, days = core->opt.keep_days, now_ns = clock_wall_ns();
    snprintf(why, size, "begun before a restart");
    if (o->begun) return true;
    snprintf(why, size, "keep_days = %llu", (unsigned long long)days);
    if (days && days < UINT64_MAX / NS_PER_S / DAY_S && now_ns > days * DAY_S * NS_PER_S &&
        o->ended_wall_ns < now_ns - days * DAY_S * NS_PER_S)
        return true;
    snprintf(why, size, "keep_bytes = %llu", (unsigned long long)core->opt.keep_bytes);
    return core->opt.keep_bytes && store_bytes(core->reader, &bytes) == ERR_OK && bytes > core->opt.keep_bytes;
}

/* Without memory for it the next tick tries again. */
static void step(struct core *core) {
    struct message *w = message_new(MESSAGE_WRITE, sizeof(struct store_op) + 64);
    if (!w) return;
    w->write.ops = arena_array(w->mem, 1, sizeof *w->write.ops);
    if (!w->write.ops) {
        message_free(w);
        return;
    }
    w->write.n = 1;
    w->write.ops[0] = (struct store_op){.kind = STORE_REMOVE_RESULTS,
                                        .remove = {.id = core->retention.campaign, .rows = ROWS, .wall_ns = clock_wall_ns()}};
    core->retention.waits = true;
    queue_push_always(core->opt.store, &w->item);
}

static void look(struct core *core) {
    const struct store_select which = {.which = STORE_OLDEST, .limit = 1};
    struct oldest o = {.found = false};
    core->retention.look_ns = clock_mono_ns() + LOOK_MS * NS_PER_MS;
    if (store_campaigns(core->reader, &which, on_oldest, &o) != ERR_OK || !o.found) return;
    if (!is_due(core, &o, core->retention.why, sizeof core->retention.why)) return;
    core->retention.on = true;
    core->retention.campaign = o.id;
    core_campaigns_forget(core, &o.id);
}

void core_retention_tick(struct core *core) {
    if (core->retention.waits || core->store_down) return;
    if (!core->retention.on && clock_mono_ns() >= core->retention.look_ns) look(core);
    if (core->retention.on) step(core);
}

void core_retention_written(struct core *core, const struct store_op *op) {
    char hex[2 * CAMPAIGN_ID_BYTES + 1];
    core->retention.waits = false;
    if (op->result == STORE_MORE) return;
    core->retention.on = false;
    core->retention.look_ns = 0; /* the next one may be due, too */
    if (op->result != STORE_DONE) return;
    part_campaign_hex(&op->remove.id, hex);
    LOG(LOG_NOTICE, "campaign.removed", KV("campaign", hex), KV("why", core->retention.why));
    IGNORED(core_audit_add(core, &(struct audit_record){.event = "campaign.removed",
                                                        .who = SPAN_LIT("retention"),
                                                        .campaign = span_str(hex),
                                                        .result = SPAN_LIT("removed"),
                                                        .why = span_str(core->retention.why)})); /* said in the log */
}
