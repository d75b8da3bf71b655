#include "common/parse/parse_stacks.h"

#include "common/parse/parse_folded.h"
#include "common/parse/parse_notices.h"

/* A block ends in "    -                comm (pid)" and "        COUNT". */
#define FRAME_INDENT "    "
#define COUNT_INDENT "        "
#define TASK_INDENT  "    -                "

enum { COMM_BYTES = 15, LOOK_BYTES = 1 << 20, AT_ONCE = 16 };

struct reader {
    struct parse_job *job;
    struct span *frames; /* of the block so far, leaf first */
    size_t n_frames, cap_frames;
    size_t border;       /* frames above it are the kernel's; SIZE_MAX: not printed */
    struct span task;    /* the block's task line, over newlines in its name; .p NULL: not yet */
    struct parse_folded folded;
    struct span held;    /* folded: the first half of a name with a newline; .p NULL: none */
};

/* ---- blocks ---- */

/* "comm (pid)" behind the indent: the pid is in the last parentheses. */
static bool read_task(struct span task, struct span *out_comm, int64_t *out_pid) {
    struct span s = span_drop(task, sizeof TASK_INDENT - 1);
    size_t open = span_rfind(s, '(');
    if (s.n < 2 || s.p[s.n - 1] != ')' || open == s.n || open == 0 || s.p[open - 1] != ' ') return false;
    *out_comm = span_head(s, open - 1);
    return span_i64(span_of(s.p + open + 1, s.n - open - 2), out_pid);
}

static void forget_block(struct reader *r) {
    r->n_frames = 0;
    r->border = SIZE_MAX;
    r->task = SPAN_NONE;
}

static enum err add_block(struct reader *r, struct span comm, int64_t pid, uint64_t count) {
    struct stacks *s = &r->job->capture->stacks;
    uint32_t node = STACKS_ROOT;
    for (size_t i = r->n_frames; i-- > 0;) {
        enum frame_kind kind = r->border == SIZE_MAX ? FRAME_UNKNOWN : i < r->border ? FRAME_KERNEL : FRAME_USER;
        struct span frame = parse_folded_frame(r->frames[i], &kind);
        enum err e = stacks_node(s, node, frame, kind, &node);
        if (e) return e;
    }
    forget_block(r);
    r->job->has_rows = true;
    return stacks_add(s, node, comm, pid, count);
}

static enum err add_frame(struct reader *r, struct span frame) {
    if (span_eq_str(frame, "--") || span_eq_str(frame, "-")) {
        r->border = r->n_frames;
        return ERR_OK;
    }
    enum err e = arena_grow(r->job->mem, &r->frames, &r->cap_frames, r->n_frames + 1, sizeof *r->frames);
    if (!e) r->frames[r->n_frames++] = frame;
    return e;
}

/* Frames without a task and a count: the print-out was cut, or lines are missing. */
static enum err drop_block(struct reader *r) {
    struct span first = r->n_frames ? r->frames[0] : r->task, last = r->task.p ? r->task : first;
    if (!r->task.p && r->n_frames) last = r->frames[r->n_frames - 1];
    forget_block(r);
    return first.p ? parse_job_unknown(r->job, parse_job_joined(first, last)) : ERR_OK;
}

/* A line below the task line: the count, or the rest of a name with a newline. */
static enum err below_task(struct reader *r, struct span line) {
    struct span comm;
    int64_t pid;
    uint64_t count;
    if (read_task(r->task, &comm, &pid)) {
        bool is_count = span_starts(line, SPAN_LIT(COUNT_INDENT)) && span_u64(span_drop(line, sizeof COUNT_INDENT - 1), &count);
        if (is_count) return add_block(r, comm, pid, count);
    }
    struct span joined = parse_job_joined(r->task, line);
    if (joined.n <= sizeof TASK_INDENT + COMM_BYTES + sizeof " (-2147483648)") {
        r->task = joined;
        return ERR_OK;
    }
    enum err e = drop_block(r);
    return e ? e : parse_job_unknown(r->job, line);
}

static bool is_missed(struct span line) {
    return span_eq_str(line, FRAME_INDENT "[Missed User Stack]") || span_eq_str(line, FRAME_INDENT "[Missed Kernel Stack]");
}

static enum err on_block_line(struct reader *r, struct span line) {
    if (parse_job_is_open(r->job, line)) {
        enum err e = drop_block(r);
        return e ? e : parse_job_cut(r->job, line);
    }
    if (r->job->spec->missed_aside && is_missed(line) && parse_notices_loss(r->job, line)) return ERR_OK;
    if (r->task.p) return below_task(r, line);
    if (parse_job_is_blank(line)) return drop_block(r);
    if (span_starts(line, SPAN_LIT(TASK_INDENT))) {
        r->task = line;
        return ERR_OK;
    }
    if (span_starts(line, SPAN_LIT(FRAME_INDENT))) return add_frame(r, span_drop(line, sizeof FRAME_INDENT - 1));
    return parse_notices_line(r->job, line) ? ERR_OK : parse_job_unknown(r->job, line);
}

static bool has_blocks(struct span text) {
    text = span_head(text, LOOK_BYTES);
    struct span start = text;
    while (start.n > 0 && start.p[0] == '\n') start = span_drop(start, 1);
    struct span first = span_head(start, span_find(start, '\n'));
    if (span_starts(first, SPAN_LIT("Sampling at ")) || span_starts(first, SPAN_LIT("Tracing off-CPU time "))) return true;
    if (span_starts(first, SPAN_LIT(FRAME_INDENT)) && span_find(first, ';') == first.n) return true;
    return span_starts(text, SPAN_LIT(TASK_INDENT)) || span_find_span(text, SPAN_LIT("\n" TASK_INDENT)) < text.n;
}

/* ---- folded ---- */

static enum err drop_held(struct reader *r) {
    struct span line = r->held;
    r->held = SPAN_NONE;
    return line.p && !parse_job_is_blank(line) && !parse_notices_line(r->job, line) ? parse_job_unknown(r->job, line) : ERR_OK;
}

static bool may_begin_name(struct span s) { return s.n < COMM_BYTES; }

/* row NULL: the line by itself is no stack. */
static enum err on_folded_line(struct reader *r, struct span line, const struct parse_folded_row *row) {
    struct parse_folded_row joined;
    if (line.n == 0) return drop_held(r);
    if (parse_job_is_open(r->job, line)) {
        enum err e = drop_held(r);
        return e ? e : parse_job_cut(r->job, line);
    }
    struct span whole = line;
    if (r->held.p) {
        whole = parse_job_joined(r->held, line);
        row = parse_folded_cut(r->job, &r->folded, whole, &joined) ? &joined : NULL;
    }
    if (row) {
        r->held = SPAN_NONE;
        return parse_folded_add(r->job, &r->folded, row);
    }
    if (may_begin_name(whole)) {
        r->held = whole;
        return ERR_OK;
    }
    enum err e = drop_held(r);
    if (e) return e;
    r->held = line;
    return may_begin_name(line) ? ERR_OK : drop_held(r);
}

/* Some lines at a time: what each is compared with lies anywhere, and is waited for together. */
static enum err read_folded(struct reader *r, struct span rest) {
    enum err e = ERR_OK;
    for (size_t n = AT_ONCE; !e && n == AT_ONCE;) {
        struct span lines[AT_ONCE];
        struct parse_folded_row rows[AT_ONCE];
        bool is_row[AT_ONCE];
        for (n = 0; n < AT_ONCE && parse_job_line(r->job, &rest, &lines[n]); n++)
            is_row[n] = parse_folded_cut(r->job, &r->folded, lines[n], &rows[n]);
        for (size_t i = 0; i < n; i++)
            if (is_row[i]) parse_folded_fetch(&r->folded, &rows[i]);
        for (size_t i = 0; !e && i < n; i++) e = on_folded_line(r, lines[i], is_row[i] ? &rows[i] : NULL);
    }
    if (!e) e = drop_held(r);
    return e ? e : parse_folded_end(r->job, &r->folded);
}

static enum err read_blocks(struct reader *r, struct span rest) {
    struct span line;
    enum err e = ERR_OK;
    while (!e && parse_job_line(r->job, &rest, &line)) e = on_block_line(r, line);
    r->job->cut = r->job->cut || r->n_frames > 0 || r->task.p; /* a block without its count */
    return e ? e : drop_block(r);
}

enum err parse_stacks(struct parse_job *job) {
    struct reader r = {.job = job, .border = SIZE_MAX};
    enum err e = stacks_init(&job->capture->stacks, span_str(job->spec->stacks_unit), job->mem);
    if (e) return e;
    return job->spec->blocks || has_blocks(job->text) ? read_blocks(&r, job->text) : read_folded(&r, job->text);
}
