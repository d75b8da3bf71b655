#include "console/export/folded.h"

#include "console/export/text.h"
#include "console/render/summary.h"

enum err folded_write(const struct answer *a, struct buf *out) {
    const struct stacks *st = &a->stacks;
    struct buf head;
    buf_init(&head, 0);
    enum err e = summary_lines(a, &head);
    struct span rest = buf_span(&head), line;
    while (!e && span_line(&rest, &line)) {
        buf_add_str(out, "# ");
        text_add(out, line, TEXT_FRAME);
        buf_add_str(out, " #\n");
    }
    buf_done(&head);
    for (size_t i = 0; !e && i < st->n_rows; i++) {
        uint32_t path[LIMIT_STACK_DEPTH];
        size_t depth = stacks_frames(st, st->rows[i].leaf, path, COUNT_OF(path));
        text_add(out, st->rows[i].comm ? st->strings.text[st->rows[i].comm] : SPAN_LIT("?"), TEXT_FRAME);
        for (size_t d = 0; d < depth && d < COUNT_OF(path); d++) {
            buf_add_char(out, ';');
            text_add(out, st->strings.text[st->nodes[path[d]].frame], TEXT_FRAME);
        }
        buf_add_fmt(out, " %llu\n", (unsigned long long)st->rows[i].count);
    }
    return e ? e : buf_failed(out);
}
