#include "console/cli/verb_flame.h"

#include "console/cli/ask.h"
#include "console/render/flame.h"

static bool stacks_of(struct ask *k, const char *campaign, uint32_t round, struct answer *out) {
    struct query q = {.campaign = span_str(campaign), .round = round}; /* n 0: all of them */
    if (!ask_query(k, QUERY_STACKS, &q) || !ask_call(k, RPC_CONSOLE_STACKS)) return false;
    enum err e = query_decode_answer(QUERY_STACKS, buf_span(&k->reply), k->mem, out);
    if (e) ask_failed(k, e);
    return !e;
}

static int flame(struct ask *k, const struct args *a) {
    struct answer now, before;
    bool compare = a->n_words > 1;
    if (!stacks_of(k, a->n_words ? a->words[0] : "last", a->round, &now)) return EXIT_FAILED;
    if (compare && !stacks_of(k, a->words[1], a->round, &before)) return EXIT_FAILED;
    struct buf svg;
    buf_init(&svg, 0);
    enum err e = flame_svg(&now, compare ? &before : NULL, &svg);
    if (!e) fwrite(svg.p, 1, svg.n, stdout);
    buf_done(&svg);
    if (e == ERR_REFUSED) {
        args_complain("flame", "the two campaigns count in different units: %.*s and %.*s", (int)now.stacks.unit.n, now.stacks.unit.p,
                      (int)before.stacks.unit.n, before.stacks.unit.p);
        return EXIT_FAILED;
    }
    return e ? ask_failed(k, e) : ask_exit_code(&now.info);
}

int verb_flame(const struct args *a) {
    struct ask k;
    int code = ask_open(&k, "flame") ? flame(&k, a) : EXIT_FAILED;
    ask_close(&k);
    return code;
}
