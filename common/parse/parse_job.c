#include "common/parse/parse_job.h"

#include "common/base/num.h"
#include "common/parse/parse_notices.h"

enum { NOTE_TEXT_BYTES = 320, NOTE_BYTES = 480 };

bool parse_job_is_clock(struct span s) {
    if (s.n != 8 || s.p[2] != ':' || s.p[5] != ':') return false;
    for (size_t i = 0; i < s.n; i++)
        if (i != 2 && i != 5 && (s.p[i] < '0' || s.p[i] > '9')) return false;
    return true;
}

bool parse_job_is_mark(struct span line) { return parse_job_is_clock(span_trim_end(line)); }

struct span parse_job_joined(struct span from, struct span to) { return span_of(from.p, (size_t)(to.p + to.n - from.p)); }

enum err parse_job_unknown(struct parse_job *job, struct span piece) {
    job->capture->ledger.parse = num_sat_add(job->capture->ledger.parse, 1);
    if (!job->unknown.p) job->unknown = piece;
    if (!job->leftover) {
        job->leftover = arena_alloc(job->mem, PARSE_LEFTOVER_BYTES);
        if (!job->leftover) return ERR_NOMEM;
    }
    size_t room = PARSE_LEFTOVER_BYTES - job->n_leftover;
    struct span kept = span_head(piece, room);
    if (kept.n > 0) memcpy(job->leftover + job->n_leftover, kept.p, kept.n);
    job->n_leftover += kept.n;
    if (job->n_leftover < PARSE_LEFTOVER_BYTES) job->leftover[job->n_leftover++] = '\n';
    job->capture->leftover = span_of(job->leftover, job->n_leftover);
    return ERR_OK;
}

enum err parse_job_cut(struct parse_job *job, struct span line) {
    job->cut = true;
    IGNORED(parse_notices_sign(job, line)); /* a failure's reason may be the last word */
    return parse_job_unknown(job, line);
}

enum err parse_job_note(struct parse_job *job, const char *before, struct span text, const char *after) {
    char note[NOTE_BYTES];
    struct span head = span_head(text, NOTE_TEXT_BYTES);
    int n = snprintf(note, sizeof note, "%s%.*s%s", before, (int)head.n, head.p ? head.p : "", after);
    if (n < 0) return ERR_OK; /* the C locale formats any bytes; nothing to say then */
    size_t length = (size_t)n < sizeof note ? (size_t)n : sizeof note - 1;
    return capture_note(job->capture, job->mem, span_of(note, length));
}
