#include "console/cli/cohorts.h"

static void set(struct cohort *c, const char *campaign, const char *on) {
    c->campaign = campaign;
    c->on = on;
    snprintf(c->words, sizeof c->words, "%s%s%s", campaign, on ? " on " : "", on ? on : "");
}

bool cohorts_of(const struct args *a, struct cohort out[2]) {
    const char *first = a->n_words ? a->words[0] : "last";
    set(&out[0], first, a->on);
    set(&out[1], a->n_words > 1 ? a->words[1] : first, a->versus ? a->versus : a->on);
    return a->n_words > 1 || a->versus;
}

bool cohorts_ask(struct ask *k, const struct cohort *c, enum query_kind kind, const struct query *q, struct answer *out) {
    struct query mine = *q;
    mine.campaign = span_str(c->campaign);
    mine.on = span_str(c->on);
    if (!ask_query(k, kind, &mine) || !ask_call(k, kind == QUERY_STACKS ? RPC_CONSOLE_STACKS : RPC_CONSOLE_HIST)) return false;
    enum err e = query_decode_answer(kind, buf_span(&k->reply), k->mem, out);
    if (e) ask_failed(k, e);
    return !e;
}

int cohorts_exit_code(const struct answer *is, const struct answer *was) {
    int a = ask_exit_code(&is->info), b = ask_exit_code(&was->info);
    if (a == EXIT_FAILED || b == EXIT_FAILED) return EXIT_FAILED;
    return a == EXIT_OK ? b : a;
}
