#include "common/parse/parse.h"

#include "common/parse/parse_histogram.h"
#include "common/parse/parse_lines.h"
#include "common/parse/parse_notices.h"
#include "common/parse/parse_occupancy.h"
#include "common/parse/parse_stacks.h"
#include "common/parse/parse_table.h"

/* A tool of histograms may have printed something else, with other options. */
static enum err read_histogram(struct parse_job *job) {
    job->capture->kind = RESULT_EVENTS;
    if (parse_table_is(job)) return parse_table(job);
    if (job->spec->occupancy && parse_occupancy_is(job)) return parse_occupancy(job);
    job->capture->kind = RESULT_HISTOGRAM;
    return parse_histogram(job);
}

static enum err read_text(struct parse_job *job) {
    switch (job->spec->grammar) {
    case GRAMMAR_HISTOGRAM: return read_histogram(job);
    case GRAMMAR_TABLE: job->capture->kind = RESULT_EVENTS; return parse_table(job);
    case GRAMMAR_STACKS: job->capture->kind = RESULT_STACKS; return parse_stacks(job);
    case GRAMMAR_JSON: return parse_lines(job);
    }
    return ERR_OK;
}

/* A terminal's or an editor's line ends; one at the end of a task's name is not. */
static bool has_crlf(struct span text) {
    struct span first = span_head(text, span_find(text, '\n'));
    return first.n > 0 && first.n < text.n && first.p[first.n - 1] == '\r';
}

enum err parse_output(const struct parse_spec *spec, const struct parse_input *in, struct arena *mem, struct capture *out) {
    struct capture c = {.kind = RESULT_NONE};
    struct parse_job job = {.spec = spec, .text = in->out, .crlf = has_crlf(in->out), .apart = in->apart, .mem = mem, .capture = &c};
    arena_expect(mem, in->out.n);
    enum err e = read_text(&job);
    if (e) return e;
    parse_notices_stderr(&job, in->err);
    e = parse_notices_judge(&job, in);
    if (e) return e;
    *out = c;
    return ERR_OK;
}
