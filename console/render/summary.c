#include "console/render/summary.h"

#include "console/render/answer.h"

enum err summary_lines(const struct answer *a, struct buf *out) {
    char *text = NULL;
    size_t n = 0;
    struct screen s = {.to = open_memstream(&text, &n), .width = 80};
    if (!s.to) return ERR_NOMEM;
    answer_head(a, &s);
    bool whole = fclose(s.to) == 0;
    if (whole) {
        struct span lines = span_trim_end(span_of(text, n));
        buf_add(out, lines);
        buf_add_char(out, '\n');
    }
    free(text);
    return whole ? buf_failed(out) : ERR_NOMEM;
}

enum err summary_title(const struct answer *a, struct buf *out) {
    struct answer alone = *a;
    struct buf lines;
    alone.n_also = 0;
    buf_init(&lines, 0);
    enum err e = summary_lines(&alone, &lines);
    struct span rest = buf_span(&lines), first, second = SPAN_NONE;
    if (!e && span_line(&rest, &first)) {
        buf_add(out, first);
        if (span_line(&rest, &second)) buf_add_str(out, " · ");
        buf_add(out, second);
    }
    buf_done(&lines);
    for (size_t i = 0; i < a->n_also && !e; i++) {
        buf_add_str(out, " · and ");
        e = summary_title(&a->also[i], out);
    }
    return e ? e : buf_failed(out);
}
