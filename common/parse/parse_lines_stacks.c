#include "common/parse/parse_lines_stacks.h"

enum err parse_lines_stacks_begin(struct parse_lines_stacks *s, struct parse_job *job) {
    enum err e = stacks_init(&job->capture->stacks, span_str(job->spec->stacks_unit), job->mem);
    return e ? e : strings_init(&s->pids, job->mem);
}

/* "123": "name" */
static enum err read_name(struct parse_lines_stacks *s, struct parse_job *job, struct parse_json *j) {
    struct span pid, name;
    uint32_t index;
    enum err e = parse_json_key(j, &pid);
    if (!e) e = strings_add(&s->pids, pid, &index);
    if (!e) e = parse_json_text(j, &name);
    if (!e) e = arena_grow(job->mem, &s->comm, &s->cap_comm, (size_t)index + 1, sizeof *s->comm);
    if (e) return e;
    s->comm[index] = arena_copy(job->mem, name);
    return s->comm[index].p ? ERR_OK : ERR_NOMEM;
}

/* "main+25" → "main"; an address without a name, as other tools print it. */
static struct span frame_of(struct span line) {
    struct span s = span_trim(line);
    size_t plus = span_rfind(s, '+');
    uint64_t offset;
    if (span_starts(s, SPAN_LIT("0x"))) return SPAN_LIT("[unknown]");
    return plus > 0 && plus < s.n && span_u64(span_drop(s, plus + 1), &offset) ? span_head(s, plus) : s;
}

static enum err add_frames(struct parse_lines_stacks *s, struct parse_job *job, struct span text) {
    struct span line;
    while (span_line(&text, &line)) {
        if (parse_job_is_blank(line)) continue;
        enum err e = arena_grow(job->mem, &s->frames, &s->cap_frames, s->n_frames + 1, sizeof *s->frames);
        if (e) return e;
        s->frames[s->n_frames++] = frame_of(line);
    }
    return ERR_OK;
}

/* "PID,\n    leaf+1\n    root+2\n,\n    user+3\n": either stack may be empty.  No kernel function has a comma in its name. */
static bool cut_key(struct span key, struct span *pid, struct span *kernel, struct span *user) {
    if (!span_cut(key, ',', pid, &key)) return false;
    return span_cut(key, ',', kernel, user) && (kernel->n == 0 || kernel->p[kernel->n - 1] == '\n');
}

static enum err add_stack(struct parse_lines_stacks *s, struct parse_job *job, size_t kernel_frames, struct span comm, int64_t pid,
                          uint64_t count) {
    struct stacks *stacks = &job->capture->stacks;
    uint32_t node = STACKS_ROOT;
    for (size_t i = s->n_frames; i-- > 0;) {
        enum err e = stacks_node(stacks, node, s->frames[i], i < kernel_frames ? FRAME_KERNEL : FRAME_USER, &node);
        if (e) return e;
    }
    job->has_rows = true;
    return stacks_add(stacks, node, comm, pid, count);
}

/* "KEY": count */
static enum err read_sample(struct parse_lines_stacks *s, struct parse_job *job, struct parse_json *j) {
    struct span key, pid_text, kernel, user, number;
    int64_t pid;
    uint64_t count;
    uint32_t index;
    enum err e = parse_json_key(j, &key);
    if (e) return e;
    if (!cut_key(key, &pid_text, &kernel, &user) || !span_i64(pid_text, &pid) || pid < 0) return ERR_SYNTAX;
    if (!parse_json_bare(j, &number) || !span_u64(number, &count)) return ERR_SYNTAX;
    s->n_frames = 0;
    e = add_frames(s, job, kernel);
    size_t kernel_frames = s->n_frames;
    if (!e) e = add_frames(s, job, user);
    if (!e) e = strings_add(&s->pids, pid_text, &index);
    if (e) return e;
    bool named = index < s->cap_comm && s->comm[index].p;
    return add_stack(s, job, kernel_frames, named ? s->comm[index] : SPAN_LIT(""), pid, count);
}

enum err parse_lines_stacks(struct parse_lines_stacks *s, struct parse_job *job, struct parse_json *j) {
    struct span name;
    if (!job->spec->stacks_unit || !parse_json_take(j, '{')) return ERR_SYNTAX;
    enum err e = parse_json_key(j, &name);
    bool names = !e && span_eq_str(name, "@comm");
    if (!e && !names && !span_eq_str(name, "@samples")) e = ERR_SYNTAX;
    if (e || !parse_json_take(j, '{')) return e ? e : ERR_SYNTAX;
    if (parse_json_take(j, '}')) return ERR_OK;
    do e = names ? read_name(s, job, j) : read_sample(s, job, j);
    while (!e && parse_json_take(j, ','));
    if (e) return e;
    return parse_json_take(j, '}') && parse_json_take(j, '}') ? ERR_OK : ERR_SYNTAX;
}
