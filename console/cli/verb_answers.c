#include "console/cli/verb_answers.h"

#include "console/cli/series.h"
#include "console/cli/show.h"

static int answer(const char *verb, const struct args *a, enum result_kind what) {
    struct ask k;
    if (!show_fits(verb, a, what)) return EXIT_USAGE;
    int code = EXIT_FAILED;
    if (ask_open(&k, verb)) code = a->n_words > 1 ? show_sum(&k, a) : show_answer(&k, a, what, a->n_words ? a->words[0] : "last");
    ask_close(&k);
    return code;
}

int verb_answers_hist(const struct args *a) { return a->over ? series_hist(a) : answer("hist", a, RESULT_HISTOGRAM); }
int verb_answers_stacks(const struct args *a) { return answer("stacks", a, RESULT_STACKS); }

int verb_answers_events(const struct args *a) { return answer("events", a, RESULT_EVENTS); }

static int question(const char *verb, const struct args *a, enum query_kind kind, enum rpc_method method) {
    struct ask k;
    int code = EXIT_FAILED;
    if (ask_open(&k, verb)) code = show_question(&k, a, kind, method, a->n_words ? a->words[0] : "last");
    ask_close(&k);
    return code;
}

int verb_answers_connections(const struct args *a) {
    static const char *const ranks[] = {"count", "total", "avg", "max", "p99"};
    bool known = !a->rank;
    for (size_t i = 0; i < COUNT_OF(ranks); i++) known = known || strcmp(ranks[i], a->rank) == 0;
    if (known) return question("connections", a, QUERY_CONNECTIONS, RPC_CONSOLE_CONNECTIONS);
    args_complain("connections", "--rank is count, total, avg, max or p99, not \"%s\"", a->rank);
    return EXIT_USAGE;
}

int verb_answers_outliers(const struct args *a) { return question("outliers", a, QUERY_OUTLIERS, RPC_CONSOLE_OUTLIERS); }

int verb_answers_top(const struct args *a) {
    if (!a->by) {
        args_complain("top", "--by FIELD says what to count: trawl top last --by PCOMM");
        return EXIT_USAGE;
    }
    return answer("top", a, RESULT_EVENTS);
}
