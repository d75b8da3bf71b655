#include "common/parse/parse_occupancy.h"

#include "common/parse/parse_notices.h"

#define OVERALL "runqocc: "
#define OF_CPU  "runqocc, CPU "

enum { HUNDREDTHS = 2, INTERVAL_BYTES = 24 };

/* A line as understood. */
struct line {
    bool of_cpu;
    int64_t cpu, hundredths;
};

static bool read_line(struct span text, struct line *out) {
    struct line l = {.of_cpu = span_starts(text, SPAN_LIT(OF_CPU))};
    if (!l.of_cpu && !span_starts(text, SPAN_LIT(OVERALL))) return false;
    struct span rest = span_drop(text, l.of_cpu ? sizeof OF_CPU - 1 : sizeof OVERALL - 1), word;
    if (l.of_cpu && !(span_word(&rest, &word) && span_i64(word, &l.cpu))) return false;
    unsigned decimals;
    if (!span_word(&rest, &word) || !parse_job_is_blank(rest) || word.n < 2 || word.p[word.n - 1] != '%') return false;
    if (!span_decimal(span_head(word, word.n - 1), &l.hundredths, &decimals) || decimals != HUNDREDTHS) return false;
    *out = l;
    return true;
}

bool parse_occupancy_is(const struct parse_job *job) {
    struct span rest = job->text, text;
    struct line l;
    while (parse_job_line(job, &rest, &text))
        if (read_line(text, &l)) return true;
    return false;
}

/* What the print-out shows besides the figure. */
struct shape {
    bool of_cpu, marked, many;
};

static struct shape shape_of(const struct parse_job *job) {
    struct shape shape = {false, false, false};
    struct span rest = job->text, text;
    struct line l;
    bool apart = false, any = false;
    while (parse_job_line(job, &rest, &text)) {
        if (parse_job_is_mark(text)) shape.marked = true;
        if (parse_job_is_blank(text)) apart = any;
        if (!read_line(text, &l)) continue;
        shape.of_cpu = shape.of_cpu || l.of_cpu;
        shape.many = shape.many || apart;
        any = true;
    }
    return shape;
}

static enum err begin(struct parse_job *job, const struct shape *shape) {
    struct column columns[3];
    size_t n = 0;
    if (shape->marked)
        columns[n++] = (struct column){.name = SPAN_LIT("TIME"), .unit = SPAN_LIT(""), .type = COLUMN_TIME};
    else if (shape->many)
        columns[n++] = (struct column){.name = SPAN_LIT("interval"), .unit = SPAN_LIT(""), .type = COLUMN_TEXT};
    if (shape->of_cpu) columns[n++] = (struct column){.name = SPAN_LIT("CPU"), .unit = SPAN_LIT(""), .type = COLUMN_INT};
    columns[n++] = (struct column){.name = SPAN_LIT("runqocc"), .unit = SPAN_LIT("%"), .type = COLUMN_DECIMAL, .decimals = HUNDREDTHS};
    return events_init(&job->capture->events, columns, n, job->mem);
}

static enum err add(struct parse_job *job, const struct shape *shape, uint32_t interval, const struct line *l) {
    struct events *e = &job->capture->events;
    size_t row, i = 0;
    enum err err = events_row(e, job->mem, &row);
    if (err) return err;
    if (shape->marked || shape->many) e->columns[i++].text[row] = interval;
    if (shape->of_cpu) e->columns[i++].number[row] = l->of_cpu ? l->cpu : EVENTS_NULL;
    e->columns[i].number[row] = l->hundredths;
    job->has_rows = true;
    return ERR_OK;
}

/* The cell of an interval that begins. */
static enum err next_interval(struct parse_job *job, struct span mark, uint64_t number, uint32_t *out) {
    char text[INTERVAL_BYTES];
    int n = snprintf(text, sizeof text, "#%llu", (unsigned long long)number);
    return strings_add(&job->capture->events.strings, mark.p ? mark : span_of(text, (size_t)n), out);
}

enum err parse_occupancy(struct parse_job *job) {
    struct shape shape = shape_of(job);
    struct span rest = job->text, text, mark = SPAN_NONE;
    struct line l;
    uint64_t number = 0;
    uint32_t interval = 0;
    bool apart = true; /* from the previous line by a blank one */
    enum err e = begin(job, &shape);
    while (!e && parse_job_line(job, &rest, &text)) {
        if (parse_job_is_blank(text)) {
            apart = true;
        } else if (parse_job_is_open(job, text)) {
            e = parse_job_cut(job, text);
        } else if (parse_job_is_mark(text)) {
            mark = span_trim_end(text);
        } else if (read_line(text, &l)) {
            if (apart) e = next_interval(job, mark, ++number, &interval);
            if (!e) e = add(job, &shape, interval, &l);
            apart = false;
        } else if (!parse_notices_line(job, text)) {
            e = parse_job_unknown(job, text);
        }
    }
    return e;
}
