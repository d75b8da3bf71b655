#include "console/export/speedscope.h"

#include "console/export/text.h"
#include "console/render/summary.h"

/* Written by hand: as jansson's values the lists of indices would be some thirty times as large. */
enum err speedscope_write(const struct answer *a, struct buf *out) {
    const struct stacks *st = &a->stacks;
    struct buf title;
    buf_init(&title, 0);
    enum err e = summary_title(a, &title);
    buf_add_str(out, "{\"$schema\":\"https://www.speedscope.app/file-format-schema.json\",\"exporter\":\"trawl\",\"name\":\"");
    text_add(out, buf_span(&title), TEXT_JSON);
    buf_add_str(out, "\",\"shared\":{\"frames\":[");
    for (uint32_t i = 0; !e && i < st->strings.n; i++) { /* so that an index of a string is one of a frame */
        buf_add_str(out, i ? ",{\"name\":\"" : "{\"name\":\"");
        text_add(out, st->strings.text[i], TEXT_JSON);
        buf_add_str(out, "\"}");
    }
    buf_add_str(out, "]},\"profiles\":[{\"type\":\"sampled\",\"name\":\"");
    text_add(out, buf_span(&title), TEXT_JSON);
    buf_add_fmt(out, "\",\"unit\":\"%s\",\"startValue\":0,\"endValue\":%llu,\"samples\":[",
                span_eq_str(st->unit, "usecs") ? "microseconds" : "none", (unsigned long long)stacks_total(st));
    for (size_t i = 0; !e && i < st->n_rows; i++) {
        uint32_t path[LIMIT_STACK_DEPTH];
        size_t depth = stacks_frames(st, st->rows[i].leaf, path, COUNT_OF(path));
        buf_add_fmt(out, i ? ",[%u" : "[%u", st->rows[i].comm);
        for (size_t d = 0; d < depth && d < COUNT_OF(path); d++) buf_add_fmt(out, ",%u", st->nodes[path[d]].frame);
        buf_add_char(out, ']');
    }
    buf_add_str(out, "],\"weights\":[");
    for (size_t i = 0; i < st->n_rows; i++) buf_add_fmt(out, i ? ",%llu" : "%llu", (unsigned long long)st->rows[i].count);
    buf_add_str(out, "]}]}\n");
    buf_done(&title);
    return e ? e : buf_failed(out);
}
