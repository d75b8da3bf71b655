#include "console/cli/several.h"

#include "common/base/num.h"
#include "common/merge/stack_merge.h"

static enum err merge_all(const struct answer *each, size_t n, struct stack_merge *m) {
    enum err e = ERR_OK;
    for (size_t i = 0; i < n && e == ERR_OK; i++) e = stack_merge_add(m, &each[i].stacks);
    return e;
}

static enum err give_rows(const struct stack_merge *m, struct arena *mem, struct answer *out) {
    const struct stacks *view = stack_merge_view(m);
    const struct stack_row **rows = NULL;
    size_t n = 0;
    uint32_t *places = arena_array(mem, view->n_nodes, sizeof *places);
    enum err e = places ? stack_merge_top(m, 0, mem, &rows, &n) : ERR_NOMEM;
    if (e == ERR_OK) e = stacks_init(&out->stacks, view->n_rows ? view->unit : out->stacks.unit, mem);
    for (size_t i = 0; i < n && e == ERR_OK; i++) e = stack_merge_copy(m, rows[i], places, &out->stacks);
    out->distinct = (uint32_t)view->n_rows;
    return e;
}

/* Each host as a process without frames: what is left of stacks when only hosts are asked for. */
static enum err hosts_as_stacks(const struct answer *each, size_t n, struct arena *mem, struct stacks *out) {
    enum err e = stacks_init(out, each->stacks.unit, mem);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < each[i].n_parts && e == ERR_OK; k++)
            e = stacks_add(out, STACKS_ROOT, each[i].parts[k].name, STACKS_NO_PID, each[i].parts[k].total);
    return e;
}

static enum err give_parts(const struct answer *each, size_t n, const struct query *q, struct arena *mem, struct answer *out) {
    struct stacks hosts;
    size_t all = 0;
    enum err e;
    if (span_eq_str(q->by, "frame")) {
        e = stack_view_frames(&out->stacks, NULL, q->stack_rank, q->n, mem, &out->parts, &out->n_parts, &all);
    } else if (span_eq_str(q->by, "process")) {
        e = stack_view_processes(&out->stacks, NULL, q->n, mem, &out->parts, &out->n_parts, &all);
    } else {
        e = hosts_as_stacks(each, n, mem, &hosts);
        if (e == ERR_OK) e = stack_view_processes(&hosts, NULL, q->n, mem, &out->parts, &out->n_parts, &all);
    }
    out->all_parts = (uint32_t)all;
    return e;
}

enum err several_sum(const struct answer *each, size_t n, const struct query *q, struct arena *mem, struct answer *out) {
    AUTO(stack_merge_free) struct stack_merge *m = stack_merge_new(LIMIT_ANSWER_ARENA_BYTES);
    struct answer sum = each[0];
    if (!m) return ERR_NOMEM;
    sum.also = each + 1;
    sum.n_also = n - 1;
    for (size_t i = 1; i < n; i++) {
        sum.total = num_sat_add(sum.total, each[i].total);
        sum.whole = num_sat_add(sum.whole, each[i].whole);
    }
    enum err e = merge_all(each, n, m);
    if (e == ERR_OK) e = give_rows(m, mem, &sum);
    if (e == ERR_OK && q->by.n) e = give_parts(each, n, q, mem, &sum);
    if (e != ERR_OK) return e;
    if (q->n && q->n < sum.stacks.n_rows) sum.stacks.n_rows = q->n; /* largest first */
    *out = sum;
    return ERR_OK;
}

static bool find_all(struct ask *k, const char *const *campaigns, size_t n, struct ask_campaign *out) {
    for (size_t i = 0; i < n; i++) {
        if (!ask_campaign(k, campaigns[i], &out[i])) return false;
        if (out[i].kind != RESULT_STACKS) {
            args_complain(k->verb, "campaign %.12s is of %s, which prints no stacks: of several campaigns only stacks are added up",
                          out[i].id, out[i].tool);
            return false;
        }
        if (strcmp(out[i].tool, out[0].tool) != 0) {
            args_complain(k->verb, "campaign %.12s is of %s, %.12s of %s: what they measure does not add up", out[0].id, out[0].tool,
                          out[i].id, out[i].tool);
            return false;
        }
        for (size_t was = 0; was < i; was++)
            if (strcmp(out[i].id, out[was].id) == 0) {
                args_complain(k->verb, "campaign %.12s is named twice: its stacks would count twice", out[i].id);
                return false;
            }
    }
    return true;
}

bool several_ask(struct ask *k, const char *const *campaigns, size_t n, const struct query *q, struct answer *out) {
    struct ask_campaign *found = arena_array(k->mem, n, sizeof *found);
    struct answer *each = arena_array(k->mem, n, sizeof *each);
    struct query all = *q;
    enum err e = found && each ? ERR_OK : ERR_NOMEM;
    if (e == ERR_OK && !find_all(k, campaigns, n, found)) return false;
    all.n = 0; /* what is cut off here could be the most of all together */
    for (size_t i = 0; i < n && e == ERR_OK; i++) {
        all.campaign = span_str(found[i].id);
        if (!ask_query(k, QUERY_STACKS, &all) || !ask_call(k, RPC_CONSOLE_STACKS)) return false;
        e = query_decode_answer(QUERY_STACKS, buf_span(&k->reply), k->mem, &each[i]);
    }
    if (e == ERR_OK) e = several_sum(each, n, q, k->mem, out);
    if (e == ERR_REFUSED)
        args_complain(k->verb, "the campaigns count in different units and do not add up");
    else if (e)
        ask_failed(k, e);
    return e == ERR_OK;
}

int several_exit_code(const struct answer *a) {
    bool all_ok = ask_exit_code(&a->info) == EXIT_OK, all_failed = ask_exit_code(&a->info) == EXIT_FAILED;
    for (size_t i = 0; i < a->n_also; i++) {
        int code = ask_exit_code(&a->also[i].info);
        all_ok = all_ok && code == EXIT_OK;
        all_failed = all_failed && code == EXIT_FAILED;
    }
    return all_ok ? EXIT_OK : all_failed ? EXIT_FAILED : EXIT_PARTIAL;
}
