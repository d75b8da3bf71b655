#include "console/cli/show.h"

#include "common/json/json_answer.h"
#include "console/render/answer.h"

enum { ROWS = 10, EVENT_ROWS = 20 };

static bool rank_of(const struct args *a, enum top_rank *out) {
    static const char *const names[] = {[TOP_COUNT] = "count", [TOP_TOTAL] = "total", [TOP_AVG] = "avg", [TOP_MAX] = "max"};
    *out = a->of ? TOP_TOTAL : TOP_COUNT;
    if (!a->rank) return true;
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (strcmp(names[i], a->rank) == 0) {
            *out = (enum top_rank)i;
            return true;
        }
    return false;
}

bool show_fits(const char *verb, const struct args *a, enum result_kind what) {
    enum top_rank rank;
    const char *only_events = a->by ? "by" : a->of ? "of" : a->rank ? "rank" : NULL;
    const char *only_histograms = a->merged ? "merged" : NULL;
    if (what != RESULT_EVENTS && only_events)
        args_complain(verb, "--%s is for tools that print events", only_events);
    else if (what != RESULT_HISTOGRAM && only_histograms)
        args_complain(verb, "--%s is for tools that print histograms", only_histograms);
    else if (!a->by && only_events)
        args_complain(verb, "--%s needs --by FIELD: the column to group by", only_events);
    else if (!rank_of(a, &rank))
        args_complain(verb, "--rank is count, total, avg or max, not \"%s\"", a->rank);
    else if (rank != TOP_COUNT && !a->of)
        args_complain(verb, "--rank %s needs --of FIELD: the column to add up", a->rank);
    else
        return true;
    return false;
}

static uint32_t rows_wanted(const struct args *a, uint32_t usual) {
    if (a->n == UINT32_MAX) return 0; /* all */
    return a->n ? a->n : usual;
}

static enum err print_json(const struct answer *answer, enum query_kind kind) {
    struct buf text;
    enum err e;
    buf_init(&text, 0);
    switch ((unsigned)kind) {
    case QUERY_HIST:
        e = json_answer_hist(answer, &text);
        break;
    case QUERY_TOP:
        e = json_answer_top(answer, &text);
        break;
    case QUERY_STACKS:
        e = json_answer_stacks(answer, &text);
        break;
    default:
        e = json_answer_events(answer, &text);
        break;
    }
    if (!e) fwrite(text.p, 1, text.n, stdout);
    buf_done(&text);
    return e;
}

static enum err print(const struct answer *answer, const struct args *a, enum query_kind kind) {
    struct screen s = screen_on(stdout);
    bool csv = a->output == OUTPUT_CSV;
    if (a->output == OUTPUT_JSON) return print_json(answer, kind);
    switch ((unsigned)kind) {
    case QUERY_HIST:
        return csv ? answer_csv_hist(answer, stdout) : answer_hist(answer, &s);
    case QUERY_TOP:
        return csv ? answer_csv_top(answer, a->per_host, stdout) : answer_top(answer, a->per_host, &s);
    case QUERY_STACKS:
        return csv ? answer_csv_stacks(answer, stdout) : answer_stacks(answer, &s);
    default:
        return csv ? answer_csv_events(answer, stdout)
                   : answer_events(answer, rows_wanted(a, EVENT_ROWS) ? rows_wanted(a, EVENT_ROWS) : SIZE_MAX, &s);
    }
}

static bool build_query(struct ask *k, const struct args *a, enum query_kind kind, const char *campaign, struct query *q) {
    bool all = a->output != OUTPUT_TABLE && a->n == 0; /* machines get everything unless they say how much */
    *q = (struct query){.campaign = span_str(campaign),
                        .section = k->mem ? arena_array(k->mem, a->n_sections, sizeof *q->section) : NULL,
                        .by = span_str(a->by),
                        .of = span_str(a->of),
                        .n = all && kind != QUERY_TOP ? 0 : rows_wanted(a, kind == QUERY_EVENTS ? EVENT_ROWS : ROWS),
                        .round = a->round,
                        .per_host = a->per_host,
                        .drop_sections = a->merged};
    if (a->n_sections && !q->section) return false;
    for (size_t i = 0; i < a->n_sections; i++) q->section[q->n_section++] = a->sections[i];
    return rank_of(a, &q->rank);
}

int show_answer(struct ask *k, const struct args *a, enum result_kind what, const char *campaign) {
    static const struct {
        enum query_kind kind;
        enum rpc_method method;
    } questions[] = {[RESULT_HISTOGRAM] = {QUERY_HIST, RPC_CONSOLE_HIST},
                     [RESULT_EVENTS] = {QUERY_EVENTS, RPC_CONSOLE_EVENTS},
                     [RESULT_STACKS] = {QUERY_STACKS, RPC_CONSOLE_STACKS}};
    bool top = what == RESULT_EVENTS && a->by;
    enum query_kind kind = top ? QUERY_TOP : questions[what].kind;
    enum rpc_method method = top ? RPC_CONSOLE_TOP : questions[what].method;
    struct query q;
    struct answer answer;
    if (!build_query(k, a, kind, campaign, &q)) return ask_failed(k, ERR_NOMEM);
    if (!ask_query(k, kind, &q) || !ask_call(k, method)) return EXIT_FAILED;
    enum err e = query_decode_answer(kind, buf_span(&k->reply), k->mem, &answer);
    if (!e) e = print(&answer, a, kind);
    return e ? ask_failed(k, e) : ask_exit_code(&answer.info);
}
