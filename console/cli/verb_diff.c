#include "console/cli/verb_diff.h"

#include "common/json/json_diff.h"
#include "console/cli/cohorts.h"
#include "console/render/answer_diff.h"

enum { ROWS = 20 };

static int print_json(struct ask *k, enum err e, struct buf *text) {
    if (!e) fwrite(text->p, 1, text->n, stdout);
    buf_done(text);
    return e ? ask_failed(k, e) : EXIT_OK;
}

static int hist(struct ask *k, const struct args *a, const struct answer_diff *d) {
    struct hist_diff *diffs = NULL;
    struct buf text;
    size_t n = 0;
    enum err e = hist_diff_sets(&d->is->merged, &d->was->merged, k->mem, &diffs, &n);
    if (e) return ask_failed(k, e);
    buf_init(&text, 0);
    if (a->output == OUTPUT_JSON) return print_json(k, json_diff_hist(d->is, d->was, diffs, n, &text), &text);
    struct screen s = screen_on(stdout), notes = screen_on(stderr);
    if (a->output == OUTPUT_CSV) answer_diff_heads(d, &notes);
    e = a->output == OUTPUT_CSV ? answer_diff_hist_csv(diffs, n, stdout) : answer_diff_hist(d, diffs, n, &s);
    return e ? ask_failed(k, e) : EXIT_OK;
}

static enum err compare(const struct args *a, const struct answer_diff *d, struct arena *mem, struct stacks *tree,
                        struct stack_change **out, size_t *out_n) {
    const struct stack_side is = {d->is->parts, d->is->n_parts, d->is->total}, was = {d->was->parts, d->was->n_parts, d->was->total};
    bool in_all = a->rank && strcmp(a->rank, "total") == 0;
    if (a->by) return stack_diff_parts(&is, &was, in_all ? STACK_BY_TOTAL : STACK_BY_SELF, mem, out, out_n);
    return stack_diff_stacks(&d->is->stacks, &d->was->stacks, mem, tree, out, out_n);
}

static int stacks(struct ask *k, const struct args *a, const struct answer_diff *d) {
    struct stacks tree;
    struct stack_change *changes = NULL;
    struct buf text;
    size_t all = 0;
    bool one_unit = !d->is->stacks.n_rows || !d->was->stacks.n_rows || span_eq(d->is->stacks.unit, d->was->stacks.unit);
    enum err e = one_unit ? compare(a, d, k->mem, &tree, &changes, &all) : ERR_REFUSED;
    if (e == ERR_REFUSED) {
        args_complain(k->verb, "they count in different units: %.*s and %.*s", (int)d->is->stacks.unit.n, d->is->stacks.unit.p,
                      (int)d->was->stacks.unit.n, d->was->stacks.unit.p);
        return EXIT_FAILED;
    }
    if (e) return ask_failed(k, e);
    uint32_t wanted = a->n ? a->n : a->output == OUTPUT_TABLE ? ROWS : UINT32_MAX;
    size_t n = all < wanted ? all : wanted;
    const struct stacks *whole = a->by ? NULL : &tree;
    buf_init(&text, 0);
    if (a->output == OUTPUT_JSON) return print_json(k, json_diff_stacks(d->is, d->was, whole, changes, n, all, &text), &text);
    struct screen s = screen_on(stdout), notes = screen_on(stderr);
    if (a->output == OUTPUT_CSV) answer_diff_heads(d, &notes);
    e = a->output == OUTPUT_CSV ? answer_diff_stacks_csv(whole, changes, n, stdout) : answer_diff_stacks(d, whole, changes, n, all, &s);
    return e ? ask_failed(k, e) : EXIT_OK;
}

/* Does it make sense to compare them, with these options?  False: said why. */
static bool comparable(const struct args *a, const struct ask_campaign *c) {
    bool of_hists = a->n_sections || a->merged, of_stacks = a->by || a->rank || a->focus || a->ignore;
    if (strcmp(c[0].tool, c[1].tool) != 0)
        args_complain("diff", "campaign %.12s is of %s, %.12s of %s: what they measure cannot be compared", c[0].id, c[0].tool, c[1].id,
                      c[1].tool);
    else if (c[0].kind != RESULT_HISTOGRAM && c[0].kind != RESULT_STACKS)
        args_complain("diff", "%s has %s; histograms and stacks can be compared", c[0].tool, capture_kind_name(c[0].kind));
    else if (of_hists && c[0].kind != RESULT_HISTOGRAM)
        args_complain("diff", "--section and --merged are for tools that print histograms");
    else if (of_stacks && c[0].kind != RESULT_STACKS)
        args_complain("diff", "--by, --rank, --focus and --ignore are for tools that print stacks");
    else
        return true;
    return false;
}

static int diff(struct ask *k, const struct args *a, struct cohort c[2]) {
    struct ask_campaign found[2];
    struct answer is, was;
    struct query q = {.section = arena_array(k->mem, a->n_sections + 1, sizeof *q.section),
                      .n_section = a->n_sections,
                      .focus = span_str(a->focus),
                      .ignore = span_str(a->ignore),
                      .by = span_str(a->by),
                      .round = a->round,
                      .drop_sections = a->merged};
    if (!q.section) return ask_failed(k, ERR_NOMEM);
    memcpy(q.section, a->sections, a->n_sections * sizeof *q.section);
    for (int i = 0; i < 2; i++) {
        if (!ask_campaign(k, c[i].campaign, &found[i])) return EXIT_FAILED;
        c[i].campaign = found[i].id; /* "last" stays the same one */
    }
    if (!comparable(a, found)) return EXIT_FAILED;
    enum query_kind kind = found[0].kind == RESULT_STACKS ? QUERY_STACKS : QUERY_HIST;
    if (!cohorts_ask(k, &c[0], kind, &q, &is) || !cohorts_ask(k, &c[1], kind, &q, &was)) return EXIT_FAILED;
    const struct answer_diff d = {.is = &is, .was = &was, .of_is = c[0].words, .of_was = c[1].words};
    int code = kind == QUERY_STACKS ? stacks(k, a, &d) : hist(k, a, &d);
    return code == EXIT_OK ? cohorts_exit_code(&is, &was) : code;
}

int verb_diff(const struct args *a) {
    struct cohort c[2];
    struct ask k;
    bool known = !a->rank || strcmp(a->rank, "self") == 0 || strcmp(a->rank, "total") == 0;
    if (!cohorts_of(a, c)) {
        args_complain("diff", "compared with what?  Two campaigns, or one with --on A --versus B");
        return EXIT_USAGE;
    }
    if (!known || (a->rank && !a->by)) {
        args_complain("diff", known ? "--rank needs --by frame or process" : "--rank is self or total, not \"%s\"", a->rank);
        return EXIT_USAGE;
    }
    int code = ask_open(&k, "diff") ? diff(&k, a, c) : EXIT_FAILED;
    ask_close(&k);
    return code;
}
