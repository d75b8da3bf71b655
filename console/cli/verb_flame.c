#include "console/cli/verb_flame.h"

#include "console/cli/cohorts.h"
#include "console/render/flame.h"

static int flame(struct ask *k, const struct args *a) {
    struct answer now, before;
    struct cohort c[2];
    const struct query q = {.round = a->round}; /* n 0: all stacks */
    bool compare = cohorts_of(a, c);
    if (!cohorts_ask(k, &c[0], QUERY_STACKS, &q, &now)) return EXIT_FAILED;
    if (compare && !cohorts_ask(k, &c[1], QUERY_STACKS, &q, &before)) return EXIT_FAILED;
    struct buf svg;
    buf_init(&svg, 0);
    enum err e = flame_svg(&now, compare ? &before : NULL, &svg);
    if (!e) fwrite(svg.p, 1, svg.n, stdout);
    buf_done(&svg);
    if (e == ERR_REFUSED) {
        args_complain("flame", "the two sides count in different units: %.*s and %.*s", (int)now.stacks.unit.n, now.stacks.unit.p,
                      (int)before.stacks.unit.n, before.stacks.unit.p);
        return EXIT_FAILED;
    }
    if (e) return ask_failed(k, e);
    return compare ? cohorts_exit_code(&now, &before) : ask_exit_code(&now.info);
}

int verb_flame(const struct args *a) {
    struct ask k;
    int code = ask_open(&k, "flame") ? flame(&k, a) : EXIT_FAILED;
    ask_close(&k);
    return code;
}
