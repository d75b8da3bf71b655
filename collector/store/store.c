#include "collector/store/store.h"

#include "collector/store/store_engine.h"
#include "collector/store/store_sqlite.h"

enum err store_open(const char *path, enum store_mode mode, char *why, size_t why_size, struct store **out) {
    return store_sqlite_open(path, mode, why, why_size, out);
}

void store_close(struct store *s) {
    if (s) s->engine->close(s);
}

enum err store_check(struct store *s, store_hurt_fn *fn, void *arg) { return s->engine->check(s, fn, arg); }

enum err store_backup(struct store *s, const char *path) { return s->engine->backup(s, path); }

const char *store_why(const struct store *s) { return s->why; }

enum err store_apply(struct store *s, struct store_op *const *ops, size_t n) { return s->engine->apply(s, ops, n); }

enum err store_hosts(struct store *s, store_host_fn *fn, void *arg) { return s->engine->hosts(s, fn, arg); }

enum err store_campaigns(struct store *s, const struct store_select *which, store_campaign_fn *fn, void *arg) {
    return s->engine->campaigns(s, which, fn, arg);
}

enum err store_campaign(struct store *s, const struct campaign_id *id, store_campaign_fn *fn, void *arg) {
    return s->engine->campaign(s, id, fn, arg);
}

enum err store_targets(struct store *s, const struct campaign_id *id, store_target_fn *fn, void *arg) {
    return s->engine->targets(s, id, fn, arg);
}

enum err store_bytes(struct store *s, uint64_t *out) { return s->engine->bytes(s, out); }

enum err store_decode(const struct store_part *p, struct arena *mem, struct part_body *out) {
    return p->altered ? ERR_DAMAGED : part_decode(p->body, mem, out);
}

enum err store_parts(struct store *s, const struct campaign_id *id, struct span host, store_part_fn *fn, void *arg) {
    return s->engine->parts(s, id, host, fn, arg);
}
