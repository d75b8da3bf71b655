#include "collector/campaign/campaign_internal.h"

static struct campaign_target *at(const struct campaign *c, size_t i) { return &c->targets[c->due_heap[i]]; }

static void put(struct campaign *c, size_t i, uint32_t target) {
    c->due_heap[i] = target;
    c->targets[target].due_at = (uint32_t)i + 1;
}

static void up(struct campaign *c, size_t i) {
    uint32_t me = c->due_heap[i];
    for (; i > 0 && at(c, (i - 1) / 2)->due_ns > c->targets[me].due_ns; i = (i - 1) / 2) put(c, i, c->due_heap[(i - 1) / 2]);
    put(c, i, me);
}

static void down(struct campaign *c, size_t i) {
    uint32_t me = c->due_heap[i];
    for (size_t child; (child = 2 * i + 1) < c->n_due; i = child) {
        if (child + 1 < c->n_due && at(c, child + 1)->due_ns < at(c, child)->due_ns) child++;
        if (at(c, child)->due_ns >= c->targets[me].due_ns) break;
        put(c, i, c->due_heap[child]);
    }
    put(c, i, me);
}

void campaign_due_set(struct campaign *c, struct campaign_target *t, uint64_t due_ns) {
    uint64_t was_ns = t->due_ns;
    t->due_ns = due_ns;
    if (!t->due_at) {
        put(c, c->n_due, (uint32_t)(t - c->targets));
        up(c, c->n_due++);
    } else if (due_ns < was_ns) {
        up(c, t->due_at - 1);
    } else {
        down(c, t->due_at - 1);
    }
}

void campaign_due_clear(struct campaign *c, struct campaign_target *t) {
    if (!t->due_at) return;
    size_t i = t->due_at - 1;
    t->due_at = 0;
    uint32_t last = c->due_heap[--c->n_due];
    if (i == c->n_due) return;
    put(c, i, last);
    up(c, i);
    down(c, c->targets[last].due_at - 1);
}

struct campaign_target *campaign_due_first(const struct campaign *c) {
    return c->n_due ? at(c, 0) : NULL;
}
