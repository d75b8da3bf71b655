#include "console/cli/verb_flame.h"

#include "console/cli/cohorts.h"
#include "console/cli/several.h"
#include "console/render/flame.h"

/* Of before (NULL: there is nothing to compare with) only the colours are. */
static int draw(struct ask *k, const struct answer *now, const struct answer *before, int code) {
    struct buf svg;
    buf_init(&svg, 0);
    enum err e = flame_svg(now, before, &svg);
    if (!e) fwrite(svg.p, 1, svg.n, stdout);
    buf_done(&svg);
    if (e == ERR_REFUSED) {
        args_complain("flame", "the two sides count in different units: %.*s and %.*s", (int)now->stacks.unit.n, now->stacks.unit.p,
                      (int)before->stacks.unit.n, before->stacks.unit.p);
        return EXIT_FAILED;
    }
    return e ? ask_failed(k, e) : code;
}

static int sum(struct ask *k, const struct args *a) {
    struct answer all;
    const struct query q = {.round = a->round, .on = span_str(a->on)};
    return several_ask(k, a->words, a->n_words, &q, &all) ? draw(k, &all, NULL, several_exit_code(&all)) : EXIT_FAILED;
}

static int compare(struct ask *k, const struct args *a) {
    struct answer now, before;
    struct cohort c[2];
    const struct query q = {.round = a->round}; /* n 0: all stacks */
    bool both = cohorts_of(a, c);
    if (!cohorts_ask(k, &c[0], QUERY_STACKS, &q, &now)) return EXIT_FAILED;
    if (!both) return draw(k, &now, NULL, ask_exit_code(&now.info));
    if (!cohorts_ask(k, &c[1], QUERY_STACKS, &q, &before)) return EXIT_FAILED;
    return draw(k, &now, &before, cohorts_exit_code(&now, &before));
}

int verb_flame(const struct args *a) {
    struct ask k;
    if (a->sum ? a->versus || !a->n_words : a->n_words > 2) {
        args_complain("flame", a->sum ? "--sum needs the campaigns to add up, and is compared with nothing"
                                      : "two campaigns are compared; to add up any number of them: --sum");
        return EXIT_USAGE;
    }
    int code = !ask_open(&k, "flame") ? EXIT_FAILED : a->sum ? sum(&k, a) : compare(&k, a);
    ask_close(&k);
    return code;
}
