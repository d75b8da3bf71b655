/* Orders, parts and stores for the collector's tests. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "collector/campaign/campaign.h"
#include "collector/store/store.h"
#include "common/base/clock.h"

enum { MADE_SECONDS = 10, MADE_EXPIRY_S = 60, MADE_WALL_S = 1800000000 };

struct campaign_id made_id(unsigned char n);
/* An encoded SignedOrder (its signature is nobody's).  Heap. */
struct span made_order(struct campaign_id id, const char *tool);
/* What is in it, to be changed; and an order of what was made of it. */
struct spec made_spec(struct campaign_id id, const char *tool);
struct span made_order_of(const struct spec *spec);
/* A campaign over hosts that begins at made_at(0) and whose order expires at made_at(MADE_EXPIRY_S). */
struct campaign *made_campaign(struct campaign_id id, const char *tool, const struct span *hosts, size_t n);
struct campaign_now made_at(unsigned second);

/* Encoded bodies.  Heap.  outcome NULL: not the last part. */
struct span made_hist(const char *unit, uint64_t low, uint64_t count, const struct outcome *o);
struct span made_events(const char *const *comms, const int64_t *pids, const int64_t *latencies, size_t n, const struct outcome *o);
struct span made_stacks(const char *leaf, uint64_t count, const struct outcome *o);
struct span made_outcome(const struct outcome *o);
struct outcome made_ok(uint32_t parts);
void made_free(struct span s);

/* A folder of its own, and a path in it. */
struct made_dir {
    char path[64], store[128];
};
void made_dir(struct made_dir *d);
void made_dir_done(struct made_dir *d);
struct store *made_store(const struct made_dir *d, enum store_mode mode);
/* Campaign of tool over hosts. */
void made_put_campaign(struct store *s, struct campaign_id id, const char *tool, const struct span *hosts, size_t n);
enum store_result made_put_part(struct store *s, struct campaign_id id, const char *host, const char *tool, uint32_t part,
                                struct span body);
