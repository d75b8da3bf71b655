#include "common/parse/parse_row_stack.h"

bool parse_row_stack_is(struct span line) { return line.n > 1 && line.p[0] == '\t'; }

enum err parse_row_stack_add(struct parse_job *job, struct parse_row_stack *s, struct span line) {
    enum err e = arena_grow(job->mem, &s->frames, &s->cap, s->n + 1, sizeof *s->frames);
    if (!e) s->frames[s->n++] = span_drop(line, 1);
    return e;
}

static int hex(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* What Python's repr escapes, at s.p[at] == '\\'; returns how many bytes it took. */
static size_t unescape(struct span s, size_t at, char *out) {
    static const char from[] = "ntr\\'\"", to[] = "\n\t\r\\'\"";
    char c = at + 1 < s.n ? s.p[at + 1] : '\0';
    const char *known = c ? strchr(from, c) : NULL;
    if (known) {
        *out = to[known - from];
        return 2;
    }
    if (c == 'x' && at + 3 < s.n && hex(s.p[at + 2]) >= 0 && hex(s.p[at + 3]) >= 0) {
        *out = (char)(unsigned char)(hex(s.p[at + 2]) * 16 + hex(s.p[at + 3]));
        return 4;
    }
    *out = '\\';
    return 1;
}

/* b'name+0x7b' → name+0x7b; anything else as it is. */
static enum err unquoted(struct parse_job *job, struct parse_row_stack *s, struct span *frame) {
    bool quoted = frame->n >= 3 && frame->p[0] == 'b' && (frame->p[1] == '\'' || frame->p[1] == '"') && frame->p[frame->n - 1] == frame->p[1];
    if (!quoted) return ERR_OK;
    struct span inner = span_of(frame->p + 2, frame->n - 3);
    *frame = inner;
    if (span_find(inner, '\\') == inner.n) return ERR_OK;
    enum err e = arena_grow(job->mem, &s->text, &s->text_cap, inner.n, 1);
    size_t n = 0;
    for (size_t i = 0; !e && i < inner.n; n++) {
        if (inner.p[i] == '\\')
            i += unescape(inner, i, &s->text[n]);
        else
            s->text[n] = inner.p[i++];
    }
    if (!e) *frame = span_of(s->text, n);
    return e;
}

enum err parse_row_stack_give(struct parse_job *job, struct parse_row_stack *s, size_t row) {
    struct events *events = &job->capture->events;
    uint32_t node = STACKS_ROOT, index;
    if (s->n == 0) return ERR_OK;
    enum err e = events_stacks(events, SPAN_LIT("events"), job->mem);
    while (!e && s->n > 0) {
        struct span frame = s->frames[--s->n];
        e = unquoted(job, s, &frame);
        if (!e) e = stacks_node(&events->stacks, node, frame, FRAME_KERNEL, &node);
    }
    if (!e) e = stacks_row(&events->stacks, node, SPAN_LIT(""), STACKS_NO_PID, &index);
    if (e) return e;
    events->stacks.rows[index].count++;
    events->stack_of[row] = index + 1;
    return ERR_OK;
}
