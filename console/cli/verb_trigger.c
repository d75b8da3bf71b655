#include "console/cli/verb_trigger.h"

#include "common/base/clock.h"
#include "common/catalog/cost.h"
#include "common/crypto/digest.h"
#include "common/json/json_trigger.h"
#include "common/order/allowance.h"
#include "common/order/rule.h"
#include "console/cli/spec_args.h"
#include "console/cli/verb_plan.h"
#include "console/render/table.h"

enum { WHY_BYTES = 1024, COOLDOWN_S = 300, PER_HOUR = 4, BUDGET_S = 600, EXPIRY_S = 7 * 24 * 3600 };
static const char verb[] = "trigger";

/* ---- printed ---- */
static void add_row(struct table *t, const struct trigger_info *i) {
    const struct trigger *g = &i->trigger;
    char when[32];
    table_row(t);
    table_cell(t, g->name);
    table_cell_str(t, i->removed ? "removed" : "armed");
    table_cell(t, i->operator_name);
    table_cell(t, g->when);
    table_cell_fmt(t, "%.*s for %u s", (int)g->what.tool.n, g->what.tool.p, g->what.duration_s);
    table_cell(t, g->what.selector.n ? g->what.selector : SPAN_LIT("all"));
    table_cell_fmt(t, "%u s, %u/h, %u s", g->cooldown_s, g->per_hour, g->budget_s);
    table_cell_u64(t, i->fired);
    table_cell_u64(t, i->suppressed);
    table_cell_str(t, clock_wall_text(g->what.expires_wall_ms * NS_PER_MS, when));
}

static enum err print_table(struct table *t, const struct args *a) {
    struct screen s = screen_on(stdout);
    return a->output == OUTPUT_CSV ? table_print_csv(t, stdout) : table_print(t, &s);
}

static enum err print_triggers(const struct trigger_list *l, const struct args *a) {
    static const struct table_column columns[] = {
        {"TRIGGER", TABLE_LEFT}, {"STATE", TABLE_LEFT},  {"BY", TABLE_LEFT},     {"WHEN", TABLE_LEFT},        {"WHAT", TABLE_LEFT},
        {"ON", TABLE_CUT},       {"LIMITS", TABLE_LEFT}, {"FIRED", TABLE_RIGHT}, {"SUPPRESSED", TABLE_RIGHT}, {"EXPIRES", TABLE_LEFT}};
    AUTO(table_free) struct table *t = table_new(columns, COUNT_OF(columns));
    if (!t) return ERR_NOMEM;
    for (size_t i = 0; i < l->n; i++) add_row(t, &l->triggers[i]);
    return print_table(t, a);
}

static enum err print_hosts(const struct trigger_info *i, const struct args *a) {
    static const struct table_column columns[] = {
        {"HOST", TABLE_LEFT}, {"STATE", TABLE_LEFT}, {"FIRED", TABLE_RIGHT}, {"SUPPRESSED", TABLE_RIGHT}, {"NOTE", TABLE_WRAP}};
    AUTO(table_free) struct table *t = table_new(columns, COUNT_OF(columns));
    if (!t) return ERR_NOMEM;
    for (size_t k = 0; k < i->n_hosts; k++) {
        const struct trigger_state *s = &i->hosts[k].state;
        table_row(t);
        table_cell(t, i->hosts[k].host);
        table_cell_str(t, s->armed ? "armed" : "not armed");
        table_cell_u64(t, s->fired);
        table_cell_u64(t, s->suppressed);
        table_cell(t, s->note);
    }
    return print_table(t, a);
}

static enum err print_json(const struct trigger_list *l) {
    struct buf text;
    buf_init(&text, 0);
    enum err e = json_trigger_list(l, &text);
    if (!e && fwrite(text.p, 1, text.n, stdout) != text.n) e = ERR_SYS;
    buf_done(&text);
    return e;
}

static int print_reply(struct ask *k, const struct args *a, bool hosts) {
    struct trigger_list l;
    char when[32];
    enum err e = trigger_decode_list(buf_span(&k->reply), k->mem, &l);
    if (!e) e = a->output == OUTPUT_JSON ? print_json(&l) : print_triggers(&l, a);
    for (size_t i = 0; !e && hosts && a->output == OUTPUT_TABLE && i < l.n; i++) {
        const struct trigger_info *t = &l.triggers[i];
        struct screen s = screen_on(stdout);
        if (t->last_wall_ms) {
            printf("\nlast, at %s: ", clock_wall_text(t->last_wall_ms * NS_PER_MS, when));
            screen_print(&s, t->last);
            putchar('\n');
        }
        putchar('\n');
        e = print_hosts(t, a);
    }
    return e ? ask_failed(k, e) : EXIT_OK;
}

/* ---- asked ---- */
static int ask_by_name(const struct args *a, const char *name, enum rpc_method m, bool hosts) {
    struct ask k;
    int code = EXIT_FAILED;
    if (ask_open(&k, verb)) {
        buf_reset(&k.request);
        enum err e = trigger_encode_ref(span_str(name), &k.request);
        if (e)
            args_complain(verb, "\"%s\" is no trigger's name", name);
        else if (ask_call(&k, m))
            code = print_reply(&k, a, hosts);
    }
    ask_close(&k);
    return code;
}

/* ---- add ---- */
static uint32_t seconds(uint64_t ns, uint32_t otherwise) { return ns ? (uint32_t)(ns / NS_PER_S) : otherwise; }

/* Everything but fleet, tool and id. */
static bool make(const struct args *a, const struct tool *t, struct trigger *out) {
    char why[WHY_BYTES];
    struct when when;
    if (!a->when || when_parse(span_str(a->when), &when, why, sizeof why) != ERR_OK) {
        args_complain(verb, "%s", a->when ? why : "--when CONDITION is missing; try: trawl trigger --help");
        return false;
    }
    *out = (struct trigger){.version = TRIGGER_VERSION,
                            .name = span_str(a->words[1]),
                            .when = span_str(a->when),
                            .cooldown_s = seconds(a->cooldown_ns, COOLDOWN_S),
                            .per_hour = a->per_hour ? a->per_hour : PER_HOUR,
                            .budget_s = seconds(a->budget_ns, BUDGET_S)};
    struct args course = *a;
    uint64_t valid_ns = a->expire_ns ? a->expire_ns : EXPIRY_S * NS_PER_S;
    course.expire_ns = 0; /* of the trigger, not of what it starts */
    if (!spec_args_fit(verb, t, &course, &out->what)) return false;
    out->what.waves = (struct share *)(uintptr_t)a->course.waves; /* course dies */
    out->what.expires_wall_ms = out->what.issued_wall_ms + valid_ns / NS_PER_MS;
    return true;
}

static bool sign(struct ask *k, struct trigger *t) {
    char why[WHY_BYTES] = "";
    AUTO(sign_free) struct signer *me = NULL;
    enum err e = sign_load(k->settings.cert, k->settings.key, why, sizeof why, &me);
    if (!e) e = digest_random(t->id.b, sizeof t->id.b);
    buf_reset(&k->request);
    if (!e) e = rule_sign(t, me, &k->request);
    if (e) args_complain(verb, "the trigger cannot be signed: %s", why[0] ? why : err_text(e));
    return !e;
}

static int add(const struct args *a) {
    struct ask k;
    struct trigger t;
    int code = EXIT_FAILED;
    const struct tool *tool = spec_args_tool(verb, a->words[2]);
    if (!tool || !make(a, tool, &t)) return EXIT_USAGE;
    if (ask_open(&k, verb)) {
        enum err e = spec_args_fill(&k, tool, a, &t.what);
        if (e)
            code = ask_failed(&k, e);
        else if (sign(&k, &t) && ask_call(&k, RPC_CONSOLE_ADD_TRIGGER))
            code = print_reply(&k, a, false);
    }
    ask_close(&k);
    return code;
}

/* ---- test: nothing is sent but questions ---- */
static void print_cost(const struct trigger *t, const struct tool *tool, const struct plan *p) {
    uint32_t each = allowance_cost_s(t);
    uint64_t ns = cost_event_ns(tool);
    size_t able = 0;
    for (size_t i = 0; i < p->n; i++) able += p->rows[i].coverage == COVERAGE_OK;
    printf("\n%s for %u s on %zu hosts, %zu of which can: %llu seconds of tracing a firing\n", tool->name, each, p->n, able,
           (unsigned long long)each * able);
    printf("at the most %u firings an hour, %u s apart, and %u in all (a budget of %u s on each host)\n", t->per_hour, t->cooldown_s,
           t->budget_s / each, t->budget_s);
    if (ns)
        printf("while it traces, an event costs its host about %llu ns (%s); a host refuses what is over its max_cost\n",
               (unsigned long long)ns, cost_source(tool));
}

/* One that is armed, or one that would be. */
static const struct tool *what_to_test(struct ask *k, const struct args *a, struct trigger *out) {
    struct trigger_list l;
    if (a->n_words == 3) {
        const struct tool *tool = spec_args_tool(verb, a->words[2]);
        if (!tool || !make(a, tool, out)) return NULL;
        enum err e = spec_args_fill(k, tool, a, &out->what);
        if (e) ask_failed(k, e);
        return e ? NULL : tool;
    }
    buf_reset(&k->request);
    if (trigger_encode_ref(span_str(a->words[1]), &k->request) != ERR_OK || !ask_call(k, RPC_CONSOLE_TRIGGERS)) return NULL;
    if (trigger_decode_list(buf_span(&k->reply), k->mem, &l) != ERR_OK || l.n == 0) return NULL;
    *out = l.triggers[0].trigger;
    return catalog_find(out->what.tool);
}

static int test(const struct args *a) {
    struct ask k;
    struct trigger t = {.version = 0};
    struct plan p = {.n = 0};
    int code = EXIT_FAILED;
    if (ask_open(&k, verb)) {
        const struct tool *tool = what_to_test(&k, a, &t);
        buf_reset(&k.request);
        enum err e = tool ? spec_encode(&t.what, &k.request) : ERR_OK;
        if (e)
            code = ask_failed(&k, e);
        else if (tool && ask_call(&k, RPC_CONSOLE_PLAN)) {
            e = verb_plan_show(&k, tool, a, &p);
            if (!e && a->output == OUTPUT_TABLE) print_cost(&t, tool, &p);
            code = e ? ask_failed(&k, e) : EXIT_OK;
        }
    }
    ask_close(&k);
    return code;
}

int verb_trigger(const struct args *a) {
    const char *what = a->words[0];
    if (strcmp(what, "list") == 0 && a->n_words == 1) return ask_by_name(a, "", RPC_CONSOLE_TRIGGERS, false);
    if (strcmp(what, "show") == 0 && a->n_words == 2) return ask_by_name(a, a->words[1], RPC_CONSOLE_TRIGGERS, true);
    if (strcmp(what, "remove") == 0 && a->n_words == 2) return ask_by_name(a, a->words[1], RPC_CONSOLE_REMOVE_TRIGGER, false);
    if (strcmp(what, "add") == 0 && a->n_words == 3) return add(a);
    if (strcmp(what, "test") == 0 && a->n_words >= 2) return test(a);
    args_complain(verb, "it is add or test NAME TOOL, list, or show, test or remove NAME; try: trawl trigger --help");
    return EXIT_USAGE;
}
