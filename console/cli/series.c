#include "console/cli/series.h"

#include "common/base/clock.h"
#include "common/json/json_series.h"
#include "console/cli/ask.h"
#include "console/render/answer_series.h"

enum { CAMPAIGNS = 20, LISTED = 500 };

struct series {
    struct series_point *points;
    size_t n;
};

static bool ask_point(struct ask *k, const struct args *a, struct span campaign, uint32_t round, struct series_point *out) {
    struct query q = {.campaign = campaign,
                      .section = arena_array(k->mem, a->n_sections + 1, sizeof *q.section),
                      .n_section = a->n_sections,
                      .on = span_str(a->on),
                      .round = round,
                      .drop_sections = a->merged,
                      .merged_only = true};
    if (q.section) memcpy(q.section, a->sections, a->n_sections * sizeof *q.section);
    if (!q.section || !ask_query(k, QUERY_HIST, &q) || !ask_call(k, RPC_CONSOLE_HIST)) return false;
    enum err e = query_decode_answer(QUERY_HIST, buf_span(&k->reply), k->mem, &out->answer);
    out->answer.bands = &k->bands;
    const struct campaign_info *i = &out->answer.info;
    out->round = round;
    out->start_wall_ns = i->first_start_wall_ns ? i->first_start_wall_ns : i->created_wall_ns;
    if (round) out->start_wall_ns += (round - 1) * (uint64_t)i->spec.every_s * NS_PER_S;
    if (e) ask_failed(k, e);
    return !e;
}

static bool rounds_of(struct ask *k, const struct args *a, const struct ask_campaign *c, struct series *out) {
    out->points = arena_array(k->mem, c->rounds, sizeof *out->points);
    for (uint32_t r = 1; out->points && r <= c->rounds; r++)
        if (!ask_point(k, a, span_str(c->id), r, &out->points[out->n++])) return false;
    return out->points != NULL;
}

static bool same_question(const struct spec *a, const struct spec *b) {
    if (!span_eq(a->tool, b->tool) || !span_eq(a->selector, b->selector) || a->n_params != b->n_params || spec_rounds(b) > 1) return false;
    for (size_t i = 0; i < a->n_params; i++)
        if (!span_eq(a->params[i].name, b->params[i].name) || !span_eq(a->params[i].text, b->params[i].text) ||
            a->params[i].number != b->params[i].number)
            return false;
    return true;
}

/* Newest first, as they are listed; points go in from the end. */
static bool campaigns_like(struct ask *k, const struct args *a, const struct ask_campaign *c, struct series *out) {
    struct query q = {.n = LISTED};
    struct campaign_list l = {0};
    if (!ask_query(k, QUERY_CAMPAIGNS, &q) || !ask_call(k, RPC_CONSOLE_CAMPAIGNS)) return false;
    enum err e = query_decode_campaigns(buf_span(&k->reply), k->mem, &l);
    size_t most = a->n ? a->n : CAMPAIGNS, first = 0;
    while (first < l.n && !span_eq_str(l.campaigns[first].id, c->id)) first++;
    struct series_point *points = arena_array(k->mem, l.n + 1, sizeof *points);
    if (e || !points) {
        ask_failed(k, e ? e : ERR_NOMEM);
        return false;
    }
    size_t at = l.n;
    for (size_t i = first; i < l.n && l.n - at < most; i++) {
        if (!same_question(&l.campaigns[first].spec, &l.campaigns[i].spec)) continue;
        if (ask_point(k, a, l.campaigns[i].id, 0, &points[at - 1]))
            at--;
        else if (at == l.n || client_status(k->client) != RPC_FAILED_PRECONDITION)
            return false;
        else /* said on stderr; those before it were removed before it */
            break;
    }
    *out = (struct series){points + at, l.n - at};
    return true;
}

static int print(struct ask *k, const struct args *a, const struct series *s) {
    struct screen screen = screen_on(stdout);
    struct buf text;
    enum err e;
    buf_init(&text, 0);
    if (a->output == OUTPUT_JSON) {
        e = json_series_hist(s->points, s->n, &text);
        if (!e) fwrite(text.p, 1, text.n, stdout);
    } else {
        e = a->output == OUTPUT_CSV ? answer_series_csv(s->points, s->n, stdout) : answer_series(s->points, s->n, &screen);
    }
    buf_done(&text);
    if (e) return ask_failed(k, e);
    for (size_t i = 0; i < s->n; i++)
        if (ask_exit_code(&s->points[i].answer.info) != EXIT_OK) return EXIT_PARTIAL;
    return EXIT_OK;
}

int series_hist(const struct args *a) {
    struct ask_campaign c;
    struct series s = {0};
    struct ask k;
    int code = EXIT_FAILED;
    if (a->round || a->per_host) {
        args_complain("hist", "--over time is of all rounds and all hosts together: without --round and --per-host");
        return EXIT_USAGE;
    }
    if (ask_open(&k, "hist") && ask_campaign(&k, a->n_words ? a->words[0] : "last", &c)) {
        if (c.kind != RESULT_HISTOGRAM)
            args_complain("hist", "campaign %.12s is of %s, which prints no histograms", c.id, c.tool);
        else if (c.rounds > 1 ? rounds_of(&k, a, &c, &s) : campaigns_like(&k, a, &c, &s))
            code = print(&k, a, &s);
    }
    ask_close(&k);
    return code;
}
