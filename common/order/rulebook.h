/* The triggers that are armed here, with what each has done, in a folder: one file each, whole or not at all.  One that was removed stays,
 * so that it cannot be armed again, until it expires.  The same at a host and at the collector.  Thread: one owner. */
#pragma once

#include "common/order/allowance.h"
#include "common/order/rule.h"

enum { RULEBOOK_TOLD_MAX = 64 };

/* A firing that the collector has not answered yet. */
struct rulebook_firing {
    struct campaign_id campaign;
    uint64_t number, at_wall_ms;
    char why[LIMIT_REASON_BYTES + 1];
};

struct rulebook_entry {
    struct rulebook_entry *next;
    struct arena *mem; /* of what follows */
    struct rule rule;
    struct signed_order signed_order;
    bool removed;
    uint64_t added_wall_ms;
    struct allowance allowance;
    struct rulebook_firing untold[RULEBOOK_TOLD_MAX];
    size_t n_untold;
    bool dirty; /* not as on the disk */
};

struct rulebook;
/* dir is made when missing.  Files that do not read are left alone and counted.  Whether a signature still verifies is not asked: each
 * firing is an order that is verified.  ERR_SYS with errno; ERR_NOMEM. */
NODISCARD enum err rulebook_open(const char *dir, size_t *out_damaged, struct rulebook **out);
void rulebook_close(struct rulebook *b);
AUTO_TYPE(struct rulebook, rulebook_close)

struct rulebook_entry *rulebook_first(const struct rulebook *b);
struct rulebook_entry *rulebook_find(const struct rulebook *b, const struct campaign_id *id);
/* Those that are not removed. */
size_t rulebook_n(const struct rulebook *b);
/* A verified trigger.  Durable when it returns.  ERR_EXISTS: it is there, or was removed; ERR_SYS; ERR_NOMEM. */
NODISCARD enum err rulebook_add(struct rulebook *b, const struct signed_order *so, const struct rule *rule, uint64_t now_wall_ms,
                                struct rulebook_entry **out);
/* What has changed in it, to the disk.  ERR_SYS: it stays dirty. */
NODISCARD enum err rulebook_save(struct rulebook *b, struct rulebook_entry *e);
/* Forgets what has expired.  True: something was. */
bool rulebook_expire(struct rulebook *b, uint64_t now_wall_ms);
