/* What the grammars share while they read one print-out: where the result goes, and what to do with a line that is none. */
#pragma once

#include "common/parse/parse.h"

/* The most telling sign of a failure so far, and what else the tool said. */
struct parse_signs {
    int weight; /* of why; 0: none */
    struct span why;
    bool in_traceback, in_ignored; /* inside a Python traceback; one that Python itself ignored */
    bool in_usage;                 /* behind a usage line */
    bool died;                     /* a traceback that ended the tool */
    struct span said;              /* the first line on stderr that nothing explains, and their number */
    uint64_t n_said;
};

struct parse_job {
    const struct parse_spec *spec;
    struct span text; /* the print-out */
    bool crlf;        /* lines end in "\r\n" */
    bool apart;       /* as in parse_input */
    struct arena *mem;
    struct capture *capture;
    bool has_rows;   /* the grammar understood something */
    bool has_banner; /* the tool said that it began */
    bool cut;        /* the last line's end is missing */
    uint64_t null_cells, negative_counts;
    char *leftover; /* PARSE_LEFTOVER_BYTES, made on first use */
    size_t n_leftover;
    struct span unknown; /* the first line that nothing understood */
    struct parse_signs signs;
};

/* The next line of *rest, without its end.  False when there is none. */
static inline bool parse_job_line(const struct parse_job *job, struct span *rest, struct span *line) {
    if (!span_line(rest, line)) return false;
    if (job->crlf && line->n > 0 && line->p[line->n - 1] == '\r') line->n--;
    return true;
}
static inline bool parse_job_is_blank(struct span line) {
    for (size_t i = 0; i < line.n; i++)
        if (line.p[i] != ' ' && line.p[i] != '\t') return false;
    return true;
}
bool parse_job_is_clock(struct span s); /* "11:07:42" and nothing else */
bool parse_job_is_mark(struct span line); /* the same alone on its line: an interval's mark */
/* The line runs to the end of the print-out without '\n'. */
static inline bool parse_job_is_open(const struct parse_job *job, struct span line) { return line.p + line.n == job->text.p + job->text.n; }
/* A piece (of one or more lines) that no grammar understood: kept, counted as one. */
NODISCARD enum err parse_job_unknown(struct parse_job *job, struct span piece);
/* A line whose end is missing: kept, counted, and said; a sign of failure in it is remembered. */
NODISCARD enum err parse_job_cut(struct parse_job *job, struct span line);
NODISCARD enum err parse_job_note(struct parse_job *job, const char *before, struct span text, const char *after);
/* From from to the end of to: two lines of the same print-out and all between. */
struct span parse_job_joined(struct span from, struct span to);
