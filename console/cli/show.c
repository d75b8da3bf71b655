#include "console/cli/show.h"

#include "common/json/json_answer.h"
#include "console/cli/several.h"
#include "console/render/answer.h"
#include "console/render/answer_top.h"

enum { ROWS = 10, EVENT_ROWS = 20 };

static bool named(const char *const *names, size_t n, const char *name, unsigned *out) {
    for (size_t i = 0; i < n; i++)
        if (strcmp(names[i], name) == 0) {
            *out = (unsigned)i;
            return true;
        }
    return false;
}

static bool rank_of(const struct args *a, enum result_kind what, struct query *q) {
    static const char *const of_rows[] = {
        [TOP_COUNT] = "count", [TOP_TOTAL] = "total", [TOP_AVG] = "avg", [TOP_MAX] = "max", [TOP_P99] = "p99"};
    static const char *const of_stacks[] = {[STACK_BY_SELF] = "self", [STACK_BY_TOTAL] = "total"};
    unsigned i = 0;
    q->rank = a->of ? TOP_TOTAL : TOP_COUNT;
    q->stack_rank = STACK_BY_SELF;
    if (!a->rank) return true;
    if (what == RESULT_STACKS) {
        if (!named(of_stacks, COUNT_OF(of_stacks), a->rank, &i)) return false;
        q->stack_rank = (enum stack_rank)i;
        return true;
    }
    if (!named(of_rows, COUNT_OF(of_rows), a->rank, &i)) return false;
    q->rank = (enum top_rank)i;
    return true;
}

bool show_fits(const char *verb, const struct args *a, enum result_kind what) {
    struct query q;
    const char *only_events = a->of ? "of" : a->where ? "where" : NULL;
    const char *needs_by = a->of ? "of" : a->rank ? "rank" : NULL;
    const char *only_stacks = a->focus ? "focus" : a->ignore ? "ignore" : NULL;
    bool parted = a->by || a->rank;
    if (what != RESULT_EVENTS && only_events)
        args_complain(verb, "--%s is for tools that print events", only_events);
    else if (what == RESULT_HISTOGRAM && parted)
        args_complain(verb, "--%s is for tools that print events or stacks", a->by ? "by" : "rank");
    else if (what != RESULT_HISTOGRAM && a->merged)
        args_complain(verb, "--merged is for tools that print histograms");
    else if (what != RESULT_STACKS && only_stacks)
        args_complain(verb, "--%s is for tools that print stacks", only_stacks);
    else if (!a->by && needs_by)
        args_complain(verb, "--%s needs --by FIELD: what to group by", needs_by);
    else if (!rank_of(a, what, &q))
        args_complain(verb, "--rank is %s, not \"%s\"", what == RESULT_STACKS ? "self or total" : "count, total, avg, max or p99", a->rank);
    else if (what == RESULT_EVENTS && q.rank != TOP_COUNT && !a->of)
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
    case QUERY_CONNECTIONS:
        e = json_answer_connections(answer, &text);
        break;
    case QUERY_OUTLIERS:
        e = json_answer_outliers(answer, &text);
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

enum err show_print(const struct answer *answer, const struct args *a, enum query_kind kind) {
    struct screen s = screen_on(stdout), notes = screen_on(stderr);
    bool csv = a->output == OUTPUT_CSV;
    if (a->output == OUTPUT_JSON) return print_json(answer, kind);
    if (csv) answer_head(answer, &notes); /* rows have no place for it */
    switch ((unsigned)kind) {
    case QUERY_HIST:
        return csv ? answer_csv_hist(answer, stdout) : answer_hist(answer, &s);
    case QUERY_TOP:
    case QUERY_CONNECTIONS:
        return csv ? answer_top_csv(answer, a->per_host, stdout) : answer_top(answer, a->per_host, &s);
    case QUERY_OUTLIERS:
        return csv ? answer_top_outliers_csv(answer, stdout) : answer_top_outliers(answer, &s);
    case QUERY_STACKS:
        return csv ? answer_csv_stacks(answer, stdout) : answer_stacks(answer, &s);
    default:
        return csv ? answer_csv_events(answer, stdout)
                   : answer_events(answer, rows_wanted(a, EVENT_ROWS) ? rows_wanted(a, EVENT_ROWS) : SIZE_MAX, &s);
    }
}

/* "COMM,host" */
static enum err take_fields(struct ask *k, const char *by, struct query *q) {
    struct span rest = span_str(by), field;
    span_cut(rest, ',', &q->by, &rest);
    q->more_by = arena_array(k->mem, TOP_FIELDS_MAX, sizeof *q->more_by);
    if (!q->more_by) return ERR_NOMEM;
    while (rest.n) {
        span_cut(rest, ',', &field, &rest);
        if (q->n_more_by + 1 == TOP_FIELDS_MAX) return ERR_LIMIT;
        q->more_by[q->n_more_by++] = field;
    }
    return ERR_OK;
}

static enum err build_query(struct ask *k, const struct args *a, enum query_kind kind, const char *campaign, struct query *q) {
    bool all = a->output != OUTPUT_TABLE && a->n == 0; /* machines get everything unless they say how much */
    *q = (struct query){.campaign = span_str(campaign),
                        .section = arena_array(k->mem, a->n_sections, sizeof *q->section),
                        .on = span_str(a->on),
                        .where = span_str(a->where),
                        .focus = span_str(a->focus),
                        .ignore = span_str(a->ignore),
                        .of = span_str(a->of),
                        .n = all && kind != QUERY_TOP ? 0 : rows_wanted(a, kind == QUERY_EVENTS ? EVENT_ROWS : ROWS),
                        .round = a->round,
                        .per_host = a->per_host,
                        .drop_sections = a->merged};
    if (a->n_sections && !q->section) return ERR_NOMEM;
    for (size_t i = 0; i < a->n_sections; i++) q->section[q->n_section++] = a->sections[i];
    rank_of(a, kind == QUERY_STACKS ? RESULT_STACKS : RESULT_EVENTS, q); /* show_fits has seen to it */
    return a->by ? take_fields(k, a->by, q) : ERR_OK;
}

int show_question(struct ask *k, const struct args *a, enum query_kind kind, enum rpc_method method, const char *campaign) {
    struct query q;
    struct answer answer;
    enum err e = build_query(k, a, kind, campaign, &q);
    if (e == ERR_LIMIT) {
        args_complain(k->verb, "--by takes at most %d fields", TOP_FIELDS_MAX);
        return EXIT_USAGE;
    }
    if (e) return ask_failed(k, e);
    if (!ask_query(k, kind, &q) || !ask_call(k, method)) return EXIT_FAILED;
    e = query_decode_answer(kind, buf_span(&k->reply), k->mem, &answer);
    answer.bands = &k->bands;
    if (!e) e = show_print(&answer, a, kind);
    return e ? ask_failed(k, e) : ask_exit_code(&answer.info);
}

int show_sum(struct ask *k, const struct args *a) {
    struct query q;
    struct answer answer;
    enum err e = build_query(k, a, QUERY_STACKS, "", &q);
    if (e) return ask_failed(k, e);
    if (!several_ask(k, a->words, a->n_words, &q, &answer)) return EXIT_FAILED;
    e = show_print(&answer, a, QUERY_STACKS);
    return e ? ask_failed(k, e) : several_exit_code(&answer);
}

int show_answer(struct ask *k, const struct args *a, enum result_kind what, const char *campaign) {
    static const struct {
        enum query_kind kind;
        enum rpc_method method;
    } questions[] = {[RESULT_HISTOGRAM] = {QUERY_HIST, RPC_CONSOLE_HIST},
                     [RESULT_EVENTS] = {QUERY_EVENTS, RPC_CONSOLE_EVENTS},
                     [RESULT_STACKS] = {QUERY_STACKS, RPC_CONSOLE_STACKS}};
    if (what == RESULT_EVENTS && a->by) return show_question(k, a, QUERY_TOP, RPC_CONSOLE_TOP, campaign);
    return show_question(k, a, questions[what].kind, questions[what].method, campaign);
}
