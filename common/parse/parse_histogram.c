#include "common/parse/parse_histogram.h"

#include "common/base/bytemask.h"
#include "common/parse/parse_dict.h"
#include "common/parse/parse_notices.h"
#include "common/parse/parse_section.h"

enum {
    SECTION_BYTES = 256,
    TASK_BYTES = 32 /* of a section with a task's name, from its begin */,
    SLOTS_FIRST = 64,
    HIST_BYTES = 1024 /* of one in the print-out, usually */
};

/* What else is known of a histogram. */
struct found {
    unsigned blanks; /* lines above it, which tell intervals apart */
    bool marked;     /* its interval is a mark that the tool printed */
};

struct reader {
    struct parse_job *job;
    struct hist *hists;
    struct found *found; /* of each */
    size_t n, cap, cap_found;
    bool is_open;            /* rows go to hists[n - 1] */
    struct hist_slot *slots; /* of the open one, so far */
    size_t n_slots, cap_slots;
    struct parse_dict_slots dict;
    struct span mark;    /* the interval's, as printed */
    struct span section; /* .p != NULL: waits for its histogram */
    bool section_ended;  /* by a blank line: the name cannot go on */
    unsigned blanks;     /* seen since the last other line */
    unsigned blanks_above;
};

/* ---- lines ---- */

static void skip_blanks(struct span *s) {
    size_t n = 0;
    while (n < s->n && s->p[n] == ' ') n++;
    *s = span_drop(*s, n);
}

static bool number(struct span *s, uint64_t *out) {
    size_t n = 0;
    uint64_t v = 0;
    for (; n < s->n && s->p[n] >= '0' && s->p[n] <= '9'; n++) v = v * 10 + (uint64_t)(s->p[n] - '0');
    bool ok = n > 0 && (n <= SPAN_SAFE_DIGITS || span_u64(span_head(*s, n), &v));
    if (ok) *out = v;
    *s = span_drop(*s, n);
    return ok;
}

static inline bool token(struct span *s, struct span want) {
    bool ok = span_starts(*s, want);
    if (ok) *s = span_drop(*s, want.n);
    return ok;
}

/* The first byte from `at` on that is not c; there is one. */
static size_t run_end(struct span s, size_t at, char c) {
    for (;; at += BYTEMASK_BYTES) {
        uint64_t others = ~bytemask_eq(s, at, c);
        if (others) return at + (size_t)__builtin_ctzll(others);
    }
}

/* "|*****     |", "|****+|": stars, at most one plus, blanks. */
static bool is_bar(struct span s, const char *end) {
    if (s.n < 2 || s.p[0] != '|' || s.p[s.n - 1] != '|') return false;
    struct span readable = span_of(s.p, (size_t)(end - s.p));
    size_t i = run_end(readable, 1, '*');
    if (s.p[i] == '+') i++;
    return run_end(readable, i, ' ') == s.n - 1;
}

struct row {
    struct hist_slot slot;
    enum hist_scale scale;
    bool negative;
};

/* "  64 -> 127  : 84  |****|" or "  3  : 338  |****|", the whole line.  Bytes may be read up to end. */
static bool is_row(struct span line, const char *end, struct row *out) {
    struct span s = span_trim_end(line);
    struct row r = {.scale = HIST_LINEAR};
    skip_blanks(&s);
    if (!number(&s, &r.slot.low)) return false;
    r.slot.high = r.slot.low;
    if (token(&s, SPAN_LIT(" -> "))) {
        r.scale = HIST_LOG2;
        if (!number(&s, &r.slot.high)) return false;
    }
    size_t before = s.n;
    skip_blanks(&s);
    if (s.n == before || !token(&s, SPAN_LIT(": "))) return false;
    r.negative = token(&s, SPAN_LIT("-"));
    if (!number(&s, &r.slot.count)) return false;
    before = s.n;
    skip_blanks(&s);
    if (s.n == before || !is_bar(s, end)) return false;
    *out = r;
    return true;
}

static bool is_log2(const struct hist_slot *s) {
    if (s->low == 0) return s->high == 1;
    return (s->low & (s->low - 1)) == 0 && s->high == s->low + (s->low - 1);
}

/* A u32 that the tool printed as a signed number. */
static bool unsign(struct row *r) {
    if (!r->negative) return true;
    if (r->slot.count == 0 || r->slot.count > (uint64_t)INT32_MAX + 1) return false;
    r->slot.count = ((uint64_t)1 << 32) - r->slot.count;
    return true;
}

bool parse_histogram_is_header(struct span line, struct span *out_unit) {
    struct span s = span_trim(line), unit, word;
    if (!span_word(&s, &unit)) return false;
    if (!span_word(&s, &word) || !span_eq_str(word, ":")) return false;
    if (!span_word(&s, &word) || !span_eq_str(word, "count")) return false;
    if (!span_word(&s, &word) || !span_eq_str(word, "distribution") || s.n > 0) return false;
    *out_unit = unit;
    return true;
}

/* "avg = 12 usecs, total: 34 usecs, count: 56" below a histogram. */
static bool is_average(struct span line) {
    return span_starts(line, SPAN_LIT("avg = ")) && span_find_span(line, SPAN_LIT(", total: ")) < line.n &&
           span_find_span(line, SPAN_LIT(", count: ")) < line.n;
}

/* ---- histograms ---- */

static enum err close_hist(struct reader *r) {
    if (!r->is_open) return ERR_OK;
    r->is_open = false;
    if (r->n_slots == 0) {
        r->n--;
        return ERR_OK;
    }
    const struct parse_spec *spec = r->job->spec;
    struct hist *h = &r->hists[r->n - 1];
    struct hist_slot *last = &r->slots[r->n_slots - 1];
    if (spec->histogram_clamps && h->scale == HIST_LOG2 && last->low >= spec->clamp_low) last->high = HIST_OPEN;
    h->slots = arena_array(r->job->mem, r->n_slots, sizeof *h->slots);
    if (!h->slots) return ERR_NOMEM;
    memcpy(h->slots, r->slots, r->n_slots * sizeof *h->slots);
    h->n_slots = r->n_slots;
    r->job->has_rows = true;
    return ERR_OK;
}

/* A task's name that ends in newlines leaves blank lines between its section and the histogram. */
static void end_section(struct reader *r, struct span header) {
    struct span until = span_of(header.p, 0);
    if (!r->section.p || !parse_section_is_task(r->section)) return;
    struct span whole = parse_job_joined(r->section, until);
    size_t newlines = 0, own = r->job->spec->comm_lines ? 2 : 1; /* that are the print-out's */
    for (size_t i = r->section.n; i < whole.n; i++) newlines += whole.p[i] == '\n';
    if (newlines > own && whole.n - own <= TASK_BYTES) r->section.n = whole.n - own;
}

static enum err add_hist(struct reader *r, const struct hist *h, struct found found) {
    size_t room = r->n ? r->n + 1 : r->job->text.n / HIST_BYTES + 1;
    enum err e = arena_regrow(r->job->mem, &r->hists, &r->cap, room, sizeof *r->hists);
    if (!e) e = arena_regrow(r->job->mem, &r->found, &r->cap_found, r->n + 1, sizeof *r->found);
    if (e) return e;
    r->hists[r->n] = *h;
    r->found[r->n++] = found;
    return ERR_OK;
}

static enum err open_hist(struct reader *r, struct span unit) {
    struct arena *mem = r->job->mem;
    struct found f = {.blanks = r->section.p ? r->blanks_above : r->blanks, .marked = r->mark.p != NULL};
    struct hist h = {.unit = arena_copy(mem, unit), .interval = f.marked ? arena_copy(mem, r->mark) : SPAN_LIT("")};
    if (!h.unit.p || !h.interval.p) return ERR_NOMEM;
    enum err e = r->section.p ? parse_section_labels(r->section, mem, h.section, &h.n_section) : ERR_OK;
    if (!e) e = add_hist(r, &h, f);
    if (e) return e;
    r->section = SPAN_NONE;
    r->is_open = true;
    r->n_slots = 0;
    return ERR_OK;
}

/* A row that continues the open histogram: ascending, of one scale.  ERR_SYNTAX: it does not. */
static enum err add_row(struct reader *r, struct row *row) {
    struct hist *h = &r->hists[r->n - 1];
    if (r->n_slots > 0 && (row->scale != h->scale || row->slot.low <= r->slots[r->n_slots - 1].high)) return ERR_SYNTAX;
    if ((row->scale == HIST_LOG2 && !is_log2(&row->slot)) || !unsign(row)) return ERR_SYNTAX;
    enum err e = arena_regrow(r->job->mem, &r->slots, &r->cap_slots, r->n_slots ? r->n_slots + 1 : SLOTS_FIRST, sizeof *r->slots);
    if (e) return e;
    h->scale = row->scale;
    r->slots[r->n_slots++] = row->slot;
    r->job->negative_counts += row->negative;
    return ERR_OK;
}

/* A histogram in one line. */
static enum err add_dict(struct reader *r, struct span line) {
    struct arena *mem = r->job->mem;
    struct hist h;
    enum err e = parse_dict_line(mem, line, &r->dict, &h);
    if (e || h.n_slots == 0) return e;
    const struct hist_slot *slots = h.slots;
    h.slots = arena_array(mem, h.n_slots, sizeof *h.slots);
    h.unit = arena_copy(mem, h.unit);
    h.interval = arena_copy(mem, h.interval);
    bool ok = h.slots && h.unit.p && h.interval.p;
    for (size_t i = 0; i < h.n_section; i++) {
        h.section[i] = (struct label){arena_copy(mem, h.section[i].key), arena_copy(mem, h.section[i].value)};
        ok = ok && h.section[i].key.p && h.section[i].value.p;
    }
    if (!ok) return ERR_NOMEM;
    memcpy(h.slots, slots, h.n_slots * sizeof *h.slots);
    r->job->has_rows = true;
    return add_hist(r, &h, (struct found){.marked = true});
}

static enum err on_blank(struct reader *r) {
    r->blanks++;
    r->section_ended = true;
    return close_hist(r);
}

static enum err on_other(struct reader *r, struct span line) {
    if (parse_job_is_mark(line)) {
        r->mark = span_trim_end(line);
        r->section = SPAN_NONE;
        return ERR_OK;
    }
    if (r->job->spec->dicts && parse_dict_is(line)) {
        enum err e = add_dict(r, line);
        if (e != ERR_SYNTAX) return e;
    }
    if (is_average(line)) return ERR_OK;
    if (parse_section_is(line)) {
        r->section = line;
        r->section_ended = false;
        r->blanks_above = r->blanks;
        return ERR_OK;
    }
    if (parse_notices_line(r->job, line)) return ERR_OK;
    return parse_job_unknown(r->job, line);
}

/* Is the line, which is no histogram's header, more of the name in the section above: a name with newlines? */
static bool section_goes_on(const struct reader *r, struct span line) {
    size_t n = parse_job_joined(r->section, line).n;
    if (!r->section_ended) return n <= SECTION_BYTES;
    return n <= TASK_BYTES && parse_section_is_task(r->section) && !parse_section_is(line) && !parse_job_is_mark(line);
}

static enum err on_line(struct reader *r, struct span line) {
    struct row row;
    struct span unit;
    if (span_starts(line, SPAN_LIT("^C"))) line = span_drop(line, 2); /* the terminal's echo in a print-out kept by hand */
    bool cut = line.n > 0 && parse_job_is_open(r->job, line);
    if (parse_job_is_blank(line) && !cut) return on_blank(r);
    if (r->is_open && is_row(line, r->job->text.p + r->job->text.n, &row)) {
        r->job->cut = r->job->cut || cut; /* the row is whole, what came behind it is not there */
        enum err e = add_row(r, &row);
        return e == ERR_SYNTAX ? parse_job_unknown(r->job, line) : e;
    }
    enum err e = close_hist(r);
    if (e) return e;
    if (cut) return parse_job_cut(r->job, line);
    bool goes_on = r->section.p && section_goes_on(r, line);
    if (parse_histogram_is_header(line, &unit)) {
        end_section(r, line);
        e = open_hist(r, unit);
    } else if (goes_on)
        r->section = parse_job_joined(r->section, line); /* a newline within a process's name */
    else
        e = on_other(r, line);
    r->blanks = 0;
    return e;
}

/* ---- intervals ---- */

static bool same_section(const struct hist *a, const struct hist *b) {
    if (a->n_section != b->n_section) return false;
    for (size_t i = 0; i < a->n_section; i++)
        if (!span_eq(a->section[i].key, b->section[i].key) || !span_eq(a->section[i].value, b->section[i].value)) return false;
    return true;
}

static unsigned fewest_blanks(const struct reader *r) {
    unsigned least = r->n > 1 ? r->found[1].blanks : 0;
    for (size_t i = 2; i < r->n; i++)
        if (r->found[i].blanks < least) least = r->found[i].blanks;
    return least;
}

/* Does found[i] begin an interval, after the one that began with found[first]?  Sections of one interval are apart by the
 * fewest blank lines, an interval adds one.  Where that does not tell (one section in each interval), the first section
 * coming again does; but only as far from the line above as the very first one was, for bitesize prints tasks of one name
 * as sections of one name. */
static bool begins_interval(const struct reader *r, size_t first, size_t i, unsigned least) {
    const struct found *f = &r->found[i];
    if (r->hists[i].n_section == 0 || f->blanks >= 2 || f->blanks > least) return true;
    return f->blanks >= r->found[0].blanks && same_section(&r->hists[i], &r->hists[first]);
}

static enum err number_intervals(struct reader *r) {
    unsigned least = fewest_blanks(r);
    uint64_t intervals = 0;
    size_t first = 0;
    for (int pass = 0; pass < 2; pass++) {
        uint64_t at = 0;
        for (size_t i = 0; i < r->n; i++) {
            struct hist *h = &r->hists[i];
            if (r->found[i].marked) continue;
            if (at == 0 || begins_interval(r, first, i, least)) at++, first = i;
            if (pass == 0 || intervals < 2) continue;
            char text[24];
            int n = snprintf(text, sizeof text, "#%llu", (unsigned long long)at);
            h->interval = arena_copy(r->job->mem, span_of(text, (size_t)n));
            if (!h->interval.p) return ERR_NOMEM;
        }
        intervals = at;
    }
    return ERR_OK;
}

enum err parse_histogram(struct parse_job *job) {
    struct reader r = {.job = job};
    struct span rest = job->text, line;
    enum err e = ERR_OK;
    while (!e && parse_job_line(job, &rest, &line)) e = on_line(&r, line);
    if (!e) e = close_hist(&r);
    if (!e) e = number_intervals(&r);
    if (e) return e;
    struct hist_set *set = &job->capture->hists;
    set->hists = r.hists;
    set->n = r.n;
    return ERR_OK;
}
