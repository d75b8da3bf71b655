#include <stdlib.h>

#include "collector/query/query.h"
#include "common/order/foretell.h"

static int by_host(const void *a, const void *b) {
    return span_cmp(((const struct plan_row *)a)->host, ((const struct plan_row *)b)->host);
}

enum err query_plan_make(const struct fleet *f, const struct order *o, const struct span *hosts, size_t n, struct arena *mem,
                         struct buf *out) {
    struct plan p = {.rows = arena_array(mem, n + 1, sizeof *p.rows)};
    if (!p.rows) return ERR_NOMEM;
    for (size_t i = 0; i < n; i++) {
        const struct fleet_host *h = fleet_find(f, hosts[i]);
        if (!h) continue;
        enum err e = foretell_row(o, &h->facts, h->session != 0, mem, &p.rows[p.n++]);
        if (e) return e;
    }
    qsort(p.rows, p.n, sizeof *p.rows, by_host);
    return query_plan_encode(&p, out);
}
