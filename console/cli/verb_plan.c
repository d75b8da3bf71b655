#include "console/cli/verb_plan.h"

#include "common/catalog/cost.h"
#include "common/json/json_fleet.h"
#include "console/cli/spec_args.h"
#include "console/render/table.h"

static void add_cost(struct table *t, const struct plan_row *r, bool runs) {
    struct buf text;
    buf_init(&text, 0);
    if (!runs)
        buf_add_str(&text, "");
    else if (!r->cost_known)
        buf_add_str(&text, "?");
    else {
        if (r->cost_at_least) buf_add_str(&text, ">= ");
        cost_say_ppm(r->cost_ppm, &text);
    }
    table_cell(t, buf_span(&text));
    buf_done(&text);
}

/* "3 hosts: 2 would run it (2 libbpf), 1 incapable; at most 0.2 % of a host's CPU time" on stderr. */
static void print_summary(const struct plan *p) {
    uint32_t ends[COVERAGE__COUNT] = {0}, flavours[FLAVOUR__COUNT] = {0};
    uint64_t most_ppm = 0;
    struct buf text;
    for (size_t i = 0; i < p->n; i++) {
        const struct plan_row *r = &p->rows[i];
        enum flavour_id f = catalog_flavour_find(r->flavour);
        ends[r->coverage]++;
        if (r->coverage != COVERAGE_OK) continue;
        if (f != FLAVOUR__COUNT) flavours[f]++;
        if (r->cost_known && r->cost_ppm > most_ppm) most_ppm = r->cost_ppm;
    }
    buf_init(&text, 0);
    buf_add_fmt(&text, "%zu host%s: %u would run it", p->n, p->n == 1 ? "" : "s", ends[COVERAGE_OK]);
    for (unsigned f = 0, some = 0; f < FLAVOUR__COUNT; f++)
        if (flavours[f]) buf_add_fmt(&text, "%s%u %s", some++ ? ", " : " (", flavours[f], catalog_flavour_name((enum flavour_id)f));
    if (ends[COVERAGE_OK]) buf_add_char(&text, ')');
    for (int c = COVERAGE_OK + 1; c < COVERAGE__COUNT; c++)
        if (ends[c]) buf_add_fmt(&text, ", %u %s", ends[c], capture_coverage_name((enum coverage)c));
    if (ends[COVERAGE_OK]) {
        buf_add_str(&text, "; estimated at up to ");
        cost_say_ppm(most_ppm, &text);
        buf_add_str(&text, " of a host's CPU time");
    }
    if (buf_str(&text)) fprintf(stderr, "%s\n", buf_str(&text));
    buf_done(&text);
}

static enum err print_table(const struct plan *p, const struct args *a) {
    static const struct table_column columns[] = {
        {"HOST", TABLE_LEFT}, {"WOULD BE", TABLE_LEFT}, {"FLAVOUR", TABLE_LEFT}, {"CPU", TABLE_RIGHT}, {"WHY", TABLE_WRAP}};
    AUTO(table_free) struct table *t = table_new(columns, COUNT_OF(columns));
    struct screen s = screen_on(stdout);
    if (!t) return ERR_NOMEM;
    for (size_t i = 0; i < p->n; i++) {
        const struct plan_row *r = &p->rows[i];
        table_row(t);
        table_cell(t, r->host);
        table_cell_tone(t, capture_coverage_name(r->coverage));
        table_cell(t, r->flavour);
        add_cost(t, r, r->coverage == COVERAGE_OK);
        table_cell(t, r->why);
    }
    if (a->output == OUTPUT_TABLE) print_summary(p);
    return a->output == OUTPUT_CSV ? table_print_csv(t, stdout) : table_print(t, &s);
}

static enum err print_json(const struct plan *p, const struct tool *t) {
    struct buf text;
    buf_init(&text, 0);
    enum err e = json_fleet_plan(p, t, &text);
    if (!e) fwrite(text.p, 1, text.n, stdout);
    buf_done(&text);
    return e;
}

enum err verb_plan_show(struct ask *k, const struct tool *t, const struct args *a, struct plan *out) {
    enum err e = query_plan_decode(buf_span(&k->reply), k->mem, out);
    if (e) return e;
    return a->output == OUTPUT_JSON ? print_json(out, t) : print_table(out, a);
}

/* As run would end, by what is foretold. */
static int exit_code(const struct plan *p) {
    size_t runs = 0;
    for (size_t i = 0; i < p->n; i++) runs += p->rows[i].coverage == COVERAGE_OK;
    return runs == 0 ? EXIT_FAILED : runs < p->n ? EXIT_PARTIAL : EXIT_OK;
}

int verb_plan(const struct args *a) {
    const struct tool *t = spec_args_tool("plan", a->words[0]);
    struct spec s;
    struct plan p;
    if (!t || !spec_args_fit("plan", t, a, &s)) return EXIT_USAGE;
    struct ask k;
    int code = EXIT_FAILED;
    if (ask_open(&k, "plan")) {
        enum err e = spec_args_fill(&k, t, a, &s);
        if (!e) e = spec_encode(&s, &k.request);
        if (e || ask_call(&k, RPC_CONSOLE_PLAN)) {
            if (!e) e = verb_plan_show(&k, t, a, &p);
            code = e ? ask_failed(&k, e) : exit_code(&p);
        }
    }
    ask_close(&k);
    return code;
}
