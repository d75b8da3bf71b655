#include "common/parse/parse_lines.h"

#include "common/base/num.h"
#include "common/parse/parse_lines_hist.h"
#include "common/parse/parse_lines_stacks.h"
#include "common/parse/parse_notices.h"
#include "common/parse/parse_row_stack.h"

/* A row under construction: all of it is understood before it becomes one. */
struct cell {
    int64_t number;
    uint32_t text;
};
struct reader {
    struct parse_job *job;
    struct parse_json json;
    struct cell cells[PARSE_COLUMNS_MAX];
    struct parse_row_stack stack;
    struct parse_lines_hists hists;
    struct parse_lines_stacks stacks;
};

/* ---- values ---- */

/* ADDRESS and PORT in one column, or a device's two numbers: two elements with a colon between. */
static enum err read_pair(struct reader *r, struct cell *out) {
    char text[128];
    struct span first, second;
    size_t n = 0;
    bool quoted = parse_json_next_is(&r->json, '"');
    enum err e = quoted ? parse_json_text(&r->json, &first) : parse_json_bare(&r->json, &first) ? ERR_OK : ERR_SYNTAX;
    if (e || first.n >= sizeof text) return e ? e : ERR_SYNTAX;
    memcpy(text, first.p, first.n);
    n = first.n;
    if (!parse_json_take(&r->json, ',') || !parse_json_bare(&r->json, &second) || n + 1 + second.n > sizeof text) return ERR_SYNTAX;
    text[n++] = ':';
    memcpy(text + n, second.p, second.n);
    return strings_add(&r->job->capture->events.strings, span_of(text, n + second.n), &out->text);
}

static enum err read_cell(struct reader *r, const struct parse_column *c, struct cell *out) {
    struct span s;
    if (c->pair) return read_pair(r, out);
    if (column_is_number(c->type)) return parse_json_bare(&r->json, &s) && span_i64(s, &out->number) ? ERR_OK : ERR_SYNTAX;
    enum err e = ERR_OK;
    if (parse_json_next_is(&r->json, '"'))
        e = parse_json_text(&r->json, &s);
    else if (!parse_json_bare(&r->json, &s))
        e = ERR_SYNTAX;
    return e ? e : strings_add(&r->job->capture->events.strings, s, &out->text);
}

static enum err read_stack(struct reader *r) {
    struct span text, line;
    enum err e = parse_json_take(&r->json, ',') ? parse_json_text(&r->json, &text) : ERR_SYNTAX;
    r->stack.n = 0;
    while (!e && span_line(&text, &line)) {
        struct span copy = arena_copy(r->job->mem, span_trim(line));
        if (!copy.p) return ERR_NOMEM;
        if (copy.n == 0) continue;
        e = arena_grow(r->job->mem, &r->stack.frames, &r->stack.cap, r->stack.n + 1, sizeof *r->stack.frames);
        if (!e) r->stack.frames[r->stack.n++] = copy;
    }
    return e;
}

static enum err read_row(struct reader *r) {
    const struct parse_spec *spec = r->job->spec;
    struct events *events = &r->job->capture->events;
    if (spec->n_columns == 0 || !parse_json_take(&r->json, '[')) return ERR_SYNTAX;
    for (size_t i = 0; i < spec->n_columns; i++) {
        if (i > 0 && !parse_json_take(&r->json, ',')) return ERR_SYNTAX;
        enum err e = read_cell(r, &spec->columns[i], &r->cells[i]);
        if (e) return e;
    }
    size_t row;
    enum err e = spec->row_stacks ? read_stack(r) : ERR_OK;
    if (!e && !parse_json_take(&r->json, ']')) e = ERR_SYNTAX;
    if (!e) e = events_row(events, r->job->mem, &row);
    if (e) return e;
    for (size_t i = 0; i < spec->n_columns; i++) {
        struct column *c = &events->columns[i];
        if (column_is_number(c->type))
            c->number[row] = r->cells[i].number;
        else
            c->text[row] = r->cells[i].text;
    }
    r->job->has_rows = true;
    return parse_row_stack_give(r->job, &r->stack, row);
}

static enum err begin_events(struct parse_job *job) {
    struct column columns[PARSE_COLUMNS_MAX];
    for (size_t i = 0; i < job->spec->n_columns; i++) {
        const struct parse_column *c = &job->spec->columns[i];
        columns[i] = (struct column){.name = span_str(c->name),
                                     .unit = span_str(c->unit ? c->unit : ""),
                                     .type = c->type,
                                     .decimals = c->type == COLUMN_DECIMAL ? c->decimals : 0};
    }
    return events_init(&job->capture->events, columns, job->spec->n_columns, job->mem);
}

/* ---- lines ---- */

static enum err read_lost(struct reader *r) {
    struct span key, number;
    uint64_t lost;
    enum err e = parse_json_take(&r->json, '{') ? parse_json_key(&r->json, &key) : ERR_SYNTAX;
    if (e) return e;
    bool ok = span_eq_str(key, "events") && parse_json_bare(&r->json, &number) && span_u64(number, &lost) && parse_json_take(&r->json, '}');
    if (!ok) return ERR_SYNTAX;
    r->job->capture->ledger.kernel = num_sat_add(r->job->capture->ledger.kernel, lost);
    return ERR_OK;
}

static enum err read_time(struct reader *r) {
    struct span text;
    enum err e = parse_json_text(&r->json, &text);
    return e ? e : parse_lines_hist_mark(&r->hists, r->job, span_trim(text));
}

/* {"probes": N}: attached. */
static enum err read_attached(struct reader *r) {
    struct span key, number;
    enum err e = parse_json_take(&r->json, '{') ? parse_json_key(&r->json, &key) : ERR_SYNTAX;
    if (e || !parse_json_bare(&r->json, &number) || !parse_json_take(&r->json, '}')) return e ? e : ERR_SYNTAX;
    r->job->has_banner = true;
    return ERR_OK;
}

static enum err read_data(struct reader *r, struct span type) {
    if (span_eq_str(type, "value")) return read_row(r);
    if (span_eq_str(type, "hist") || span_eq_str(type, "lhist"))
        return parse_lines_hist(&r->hists, r->job, &r->json, r->job->spec->linear ? HIST_LINEAR : HIST_LOG2);
    if (span_eq_str(type, "map")) return parse_lines_stacks(&r->stacks, r->job, &r->json);
    if (span_eq_str(type, "time")) return read_time(r);
    if (span_eq_str(type, "lost_events")) return read_lost(r);
    return span_eq_str(type, "attached_probes") ? read_attached(r) : ERR_SYNTAX;
}

static enum err read_object(struct reader *r, struct span line) {
    struct span key, type;
    r->json.rest = line;
    enum err e = parse_json_take(&r->json, '{') ? parse_json_key(&r->json, &key) : ERR_SYNTAX;
    if (!e && !span_eq_str(key, "type")) e = ERR_SYNTAX;
    if (!e) e = parse_json_text(&r->json, &type); /* never escaped, so it points into the line */
    if (!e && !parse_json_take(&r->json, ',')) e = ERR_SYNTAX;
    if (!e) e = parse_json_key(&r->json, &key);
    if (!e && !span_eq_str(key, "data")) e = ERR_SYNTAX;
    return e ? e : read_data(r, type);
}

static enum err on_line(struct reader *r, struct span line) {
    if (parse_job_is_open(r->job, line)) return parse_job_cut(r->job, line);
    if (parse_job_is_blank(line)) return ERR_OK;
    if (line.p[0] != '{') return parse_notices_line(r->job, line) ? ERR_OK : parse_job_unknown(r->job, line);
    enum err e = read_object(r, line);
    return e == ERR_SYNTAX ? parse_job_unknown(r->job, line) : e;
}

enum err parse_lines(struct parse_job *job) {
    struct reader r = {.job = job, .json = {.mem = job->mem}};
    struct span rest = job->text, line;
    const struct parse_spec *spec = job->spec;
    job->capture->kind = spec->n_columns ? RESULT_EVENTS : spec->stacks_unit ? RESULT_STACKS : RESULT_HISTOGRAM;
    enum err e = ERR_OK;
    if (spec->n_columns) e = begin_events(job);
    if (!e && spec->stacks_unit) e = parse_lines_stacks_begin(&r.stacks, job);
    while (!e && parse_job_line(job, &rest, &line)) e = on_line(&r, line);
    return e ? e : parse_lines_hist_end(&r.hists, job);
}
