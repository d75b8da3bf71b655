#include "console/cli/verb_fleet.h"

#include "common/base/clock.h"
#include "common/crypto/cert.h"
#include "common/json/json_fleet.h"
#include "common/order/foretell.h"
#include "console/cli/ask.h"
#include "console/render/table.h"

enum { ID_SHOWN = 12, CAMPAIGNS = 20 };

static enum err print_text(struct buf *text, enum err e) {
    if (!e) fwrite(text->p, 1, text->n, stdout);
    buf_done(text);
    return e;
}

static enum err print_rows(struct table *t, const struct args *a) {
    struct screen s = screen_on(stdout);
    return a->output == OUTPUT_CSV ? table_print_csv(t, stdout) : table_print(t, &s);
}

/* ---- hosts ---- */

static void host_row(struct table *t, const struct host_info *h) {
    struct buf text;
    buf_init(&text, 0);
    table_row(t);
    table_cell(t, h->facts.host);
    table_cell_tone(t, h->facts.lockdown.n ? "locked" : h->online ? "online" : "offline");
    table_cell(t, h->facts.kernel);
    for (size_t i = 0; i < h->facts.n_labels; i++) {
        if (i) buf_add_char(&text, ' ');
        buf_add(&text, h->facts.labels[i].key);
        buf_add_char(&text, '=');
        buf_add(&text, h->facts.labels[i].value);
    }
    table_cell(t, buf_span(&text));
    buf_reset(&text);
    for (size_t i = 0; i < h->facts.n_tools; i++) {
        if (!h->facts.tools[i].runnable) continue;
        if (text.n) buf_add_char(&text, ' ');
        buf_add(&text, h->facts.tools[i].tool);
    }
    if (h->facts.replayed) buf_add_str(&text, " (replayed)");
    table_cell(t, buf_span(&text));
    buf_done(&text);
    if (h->cert_expires_wall_ns)
        table_cell_fmt(t, "%lld d", (long long)cert_days_left(h->cert_expires_wall_ns, clock_wall_ns()));
    else
        table_cell_str(t, "-");
}

/* "2 certificates end within 30 days: web-1 (11 d), db-1 (-2 d)" on stderr. */
static void warn_of_ends(const struct host_list *l) {
    enum { NAMED = 10 };
    uint64_t now = clock_wall_ns();
    struct buf names;
    size_t n = 0;
    buf_init(&names, 0);
    for (size_t i = 0; i < l->n; i++) {
        const struct host_info *h = &l->hosts[i];
        int64_t days = cert_days_left(h->cert_expires_wall_ns, now);
        if (!h->cert_expires_wall_ns || days >= CERT_WARN_DAYS || ++n > NAMED) continue;
        buf_add_fmt(&names, "%s%.*s (%lld d)", n > 1 ? ", " : "", (int)h->facts.host.n, h->facts.host.p, (long long)days);
    }
    if (n > NAMED) buf_add_fmt(&names, " and %zu more", n - NAMED);
    if (n && buf_str(&names))
        fprintf(stderr, "%zu certificate%s within %d days: %s\n", n, n == 1 ? " ends" : "s end", CERT_WARN_DAYS, buf_str(&names));
    buf_done(&names);
}

static void print_note(struct screen *s, const struct span *host, struct span text) {
    fputs("note: ", stderr);
    if (host) {
        screen_print(s, *host);
        fputs(": ", stderr);
    }
    screen_print(s, text);
    fputc('\n', stderr);
}

static void print_notes(const struct host_list *l) {
    struct screen s = screen_on(stderr);
    for (size_t i = 0; i < l->n; i++) {
        const struct host_info *h = &l->hosts[i];
        if (h->note.n) print_note(&s, NULL, h->note);
        if (h->facts.lockdown.n) print_note(&s, &h->facts.host, h->facts.lockdown);
    }
}

/* Of one host a row for each tool that it has something to say about. */
static enum err wide_rows(struct table *t, const struct host_info *h, struct arena *mem) {
    for (int id = TOOL_NONE + 1; id < TOOL__COUNT; id++) {
        const struct order o = {.tool = catalog_tool((enum tool_id)id)};
        struct plan_row row;
        enum err e = foretell_row(&o, &h->facts, true, mem, &row);
        if (e) return e;
        table_row(t);
        table_cell(t, h->facts.host);
        table_cell_str(t, o.tool->name);
        table_cell_tone(t, row.coverage == COVERAGE_OK ? "ok" : capture_coverage_name(row.coverage));
        table_cell(t, row.flavour);
        table_cell(t, row.why);
    }
    return ERR_OK;
}

static enum err print_wide(const struct host_list *l, struct arena *mem) {
    static const struct table_column columns[] = {
        {"HOST", TABLE_LEFT}, {"TOOL", TABLE_LEFT}, {"WOULD BE", TABLE_LEFT}, {"FLAVOUR", TABLE_LEFT}, {"WHY", TABLE_WRAP}};
    struct screen s = screen_on(stdout);
    AUTO(table_free) struct table *t = table_new(columns, COUNT_OF(columns));
    enum err e = t ? ERR_OK : ERR_NOMEM;
    for (size_t i = 0; !e && i < l->n; i++) e = wide_rows(t, &l->hosts[i], mem);
    return e ? e : table_print(t, &s);
}

static enum err print_hosts(struct ask *k, const struct args *a) {
    static const struct table_column columns[] = {{"HOST", TABLE_LEFT},   {"STATE", TABLE_LEFT}, {"KERNEL", TABLE_LEFT},
                                                  {"LABELS", TABLE_WRAP}, {"RUNS", TABLE_WRAP},  {"CERT", TABLE_RIGHT}};
    struct host_list l;
    enum err e = query_decode_hosts(buf_span(&k->reply), k->mem, &l);
    if (e) return e;
    if (a->output == OUTPUT_JSON) {
        struct buf text;
        buf_init(&text, 0);
        return print_text(&text, json_fleet_hosts(&l, &text));
    }
    if (a->output == OUTPUT_WIDE) return print_wide(&l, k->mem);
    AUTO(table_free) struct table *t = table_new(columns, COUNT_OF(columns));
    if (!t) return ERR_NOMEM;
    size_t online = 0;
    for (size_t i = 0; i < l.n; i++) {
        host_row(t, &l.hosts[i]);
        online += l.hosts[i].online;
    }
    e = print_rows(t, a);
    if (a->output == OUTPUT_TABLE) {
        fprintf(stderr, "%zu hosts, %zu online\n", l.n, online);
        warn_of_ends(&l);
        print_notes(&l);
    }
    return e;
}

int verb_fleet_hosts(const struct args *a) {
    struct ask k;
    struct query q = {.selector = span_str(a->n_words ? a->words[0] : "")};
    enum err e = ERR_OK;
    bool ok = ask_open(&k, "hosts") && ask_query(&k, QUERY_HOSTS, &q) && ask_call(&k, RPC_CONSOLE_HOSTS);
    if (ok) e = print_hosts(&k, a);
    int code = !ok ? EXIT_FAILED : e ? ask_failed(&k, e) : EXIT_OK;
    ask_close(&k);
    return code;
}

/* ---- campaigns ---- */

static void campaign_row(struct table *t, const struct campaign_info *i) {
    char when[32];
    table_row(t);
    table_cell(t, span_head(i->id, ID_SHOWN));
    table_cell_str(t, clock_wall_text(i->created_wall_ns, when));
    table_cell(t, i->spec.tool);
    table_cell_fmt(t, "%u s", i->spec.duration_s);
    table_cell(t, i->spec.selector.n ? i->spec.selector : SPAN_LIT("all"));
    table_cell(t, i->operator_name);
    table_cell(t, i->state);
    table_cell_fmt(t, "%u/%u", i->coverage[COVERAGE_OK], i->targeted);
}

static enum err print_campaigns(struct ask *k, const struct args *a) {
    static const struct table_column columns[] = {{"CAMPAIGN", TABLE_LEFT}, {"STARTED", TABLE_LEFT}, {"TOOL", TABLE_LEFT},
                                                  {"FOR", TABLE_RIGHT},     {"ON", TABLE_CUT},       {"OPERATOR", TABLE_CUT},
                                                  {"STATE", TABLE_LEFT},    {"OK", TABLE_RIGHT}};
    struct campaign_list l;
    enum err e = query_decode_campaigns(buf_span(&k->reply), k->mem, &l);
    if (e) return e;
    if (a->output == OUTPUT_JSON) {
        struct buf text;
        buf_init(&text, 0);
        return print_text(&text, json_fleet_campaigns(&l, &text));
    }
    AUTO(table_free) struct table *t = table_new(columns, COUNT_OF(columns));
    if (!t) return ERR_NOMEM;
    for (size_t i = 0; i < l.n; i++) campaign_row(t, &l.campaigns[i]);
    return print_rows(t, a);
}

int verb_fleet_campaigns(const struct args *a) {
    struct ask k;
    struct query q = {.n = a->n == UINT32_MAX ? 0 : a->n ? a->n : CAMPAIGNS};
    enum err e = ERR_OK;
    bool ok = ask_open(&k, "campaigns") && ask_query(&k, QUERY_CAMPAIGNS, &q) && ask_call(&k, RPC_CONSOLE_CAMPAIGNS);
    if (ok) e = print_campaigns(&k, a);
    int code = !ok ? EXIT_FAILED : e ? ask_failed(&k, e) : EXIT_OK;
    ask_close(&k);
    return code;
}

/* ---- show, stop ---- */

static void print_summary(const struct campaign_info *i) {
    struct screen s = screen_on(stdout);
    char when[32];
    fputs("campaign ", stdout);
    screen_print(&s, i->id);
    fputs(": ", stdout);
    screen_print(&s, i->spec.tool);
    printf(" for %u s on ", i->spec.duration_s);
    screen_print(&s, i->spec.selector.n ? i->spec.selector : SPAN_LIT("all"));
    fputs(", by ", stdout);
    screen_print(&s, i->operator_name);
    printf(" at %s, ", clock_wall_text(i->created_wall_ns, when));
    screen_print(&s, i->state);
    if (i->why.n) {
        fputs(": ", stdout);
        screen_print(&s, i->why);
    }
    if (i->spec.fired.number) {
        fputs("\nfired by trigger ", stdout);
        screen_print(&s, i->spec.fired.trigger);
        fputs(": ", stdout);
        screen_print(&s, i->spec.fired.why);
    }
    if (i->waves > 1) printf("\nwave %u of %u", i->wave, i->waves);
    if (i->waves > 1 && i->held) printf(", %u hosts held back", i->held);
    printf("\n%u hosts:", i->targeted);
    for (int c = COVERAGE_PENDING; c < COVERAGE__COUNT; c++)
        if (i->coverage[c]) printf(" %u %s", i->coverage[c], capture_coverage_name((enum coverage)c));
    puts(i->replayed ? " (replayed)\n" : "\n");
}

static enum err print_detail(struct ask *k, const struct args *a, struct campaign_detail *d) {
    static const struct table_column columns[] = {{"HOST", TABLE_LEFT},
                                                  {"STATE", TABLE_LEFT},
                                                  {"FLAVOUR", TABLE_LEFT},
                                                  {"CPU", TABLE_RIGHT},
                                                  {"RSS", TABLE_RIGHT},
                                                  {"HELD BY", TABLE_LEFT},
                                                  {"REASON, OR WHY THIS FLAVOUR", TABLE_WRAP}};
    enum err e = query_decode_detail(buf_span(&k->reply), k->mem, d);
    if (e) return e;
    if (a->output == OUTPUT_JSON) {
        struct buf text;
        buf_init(&text, 0);
        return print_text(&text, json_fleet_detail(d, &text));
    }
    AUTO(table_free) struct table *t = table_new(columns, COUNT_OF(columns));
    if (!t) return ERR_NOMEM;
    for (size_t i = 0; i < d->n_targets; i++) {
        const struct target_info *target = &d->targets[i];
        const struct outcome *o = target->outcome;
        table_row(t);
        table_cell(t, target->host);
        table_cell_tone(t, capture_coverage_name(target->coverage));
        table_cell(t, o ? o->flavour : SPAN_NONE);
        if (o && o->wall_ns) {
            table_cell_fmt(t, "%.2f s", (double)o->cpu_ns / 1e9);
            table_cell_fmt(t, "%.1f MiB", (double)o->peak_rss_bytes / 1048576.0);
            table_cell_fmt(t, "memory %s, cpu %s", capture_ceiling_name(o->ceilings.memory), capture_ceiling_name(o->ceilings.cpu));
        } else {
            table_cell_str(t, "");
            table_cell_str(t, "");
            table_cell_str(t, "");
        }
        table_cell(t, target->reason.n || !o ? target->reason : o->flavour_why);
    }
    if (a->output == OUTPUT_TABLE) print_summary(&d->info);
    return print_rows(t, a);
}

int verb_fleet_show(const struct args *a) {
    struct ask k;
    struct campaign_detail d;
    struct query q = {.campaign = span_str(a->n_words ? a->words[0] : "last")};
    enum err e = ERR_OK;
    bool ok = ask_open(&k, "show") && ask_query(&k, QUERY_REF, &q) && ask_call(&k, RPC_CONSOLE_SHOW);
    if (ok) e = print_detail(&k, a, &d);
    int code = !ok ? EXIT_FAILED : e ? ask_failed(&k, e) : ask_exit_code(&d.info);
    ask_close(&k);
    return code;
}

/* A stop that comes in time ends it later: its end is not known yet. */
static void print_stop(const struct campaign_info *i) {
    char when[32];
    if (i->ended_wall_ns) {
        struct screen s = screen_on(stdout);
        fputs("campaign ", stdout);
        screen_print(&s, i->id);
        printf(" ended at %s: nothing to stop\n", clock_wall_text(i->ended_wall_ns, when));
    } else {
        print_summary(i);
    }
}

int verb_fleet_stop(const struct args *a) {
    struct ask k;
    struct campaign_info i;
    struct query q = {.campaign = span_str(a->words[0])};
    int code = EXIT_FAILED;
    if (ask_open(&k, "stop") && ask_query(&k, QUERY_REF, &q) && ask_call(&k, RPC_CONSOLE_STOP)) {
        enum err e = query_decode_info(buf_span(&k.reply), k.mem, &i);
        if (!e) print_stop(&i);
        code = e ? ask_failed(&k, e) : EXIT_OK;
    }
    ask_close(&k);
    return code;
}
