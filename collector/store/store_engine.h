/* What an engine of store.h is made of.  Only store.c and engines include this. */
#pragma once

#include "collector/store/store.h"

struct store_engine {
    void (*close)(struct store *s);
    enum err (*check)(struct store *s, store_hurt_fn *fn, void *arg);
    enum err (*backup)(struct store *s, const char *path);
    enum err (*apply)(struct store *s, struct store_op *const *ops, size_t n);
    enum err (*bytes)(struct store *s, uint64_t *out);
    enum err (*hosts)(struct store *s, store_host_fn *fn, void *arg);
    enum err (*campaigns)(struct store *s, const struct store_select *which, store_campaign_fn *fn, void *arg);
    enum err (*campaign)(struct store *s, const struct campaign_id *id, store_campaign_fn *fn, void *arg);
    enum err (*targets)(struct store *s, const struct campaign_id *id, store_target_fn *fn, void *arg);
    enum err (*parts)(struct store *s, const struct campaign_id *id, struct span host, store_part_fn *fn, void *arg);
};

/* Embedded in the engine's own handle. */
struct store {
    const struct store_engine *engine;
    char why[256];
};
