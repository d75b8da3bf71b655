#include "console/export/text.h"

#include "common/base/utf8.h"

static void add_json(struct buf *out, unsigned char c) {
    if (c < 0x20 || c == 0x7f)
        buf_add_fmt(out, "\\u%04x", c);
    else
        buf_add_fmt(out, c == '"' || c == '\\' ? "\\%c" : "%c", c);
}

static void add_label(struct buf *out, unsigned char c) {
    if (c == '\n')
        buf_add_str(out, "\\n");
    else
        buf_add_fmt(out, c == '"' || c == '\\' ? "\\%c" : "%c", c);
}

static void add_frame(struct buf *out, unsigned char c) { buf_add_char(out, c < 0x20 || c == 0x7f ? ' ' : c == ';' ? ':' : (char)c); }

void text_add(struct buf *out, struct span s, enum text_form form) {
    static void (*const add[])(struct buf * out,
                               unsigned char c) = {[TEXT_JSON] = add_json, [TEXT_LABEL] = add_label, [TEXT_FRAME] = add_frame};
    while (s.n) {
        bool ok;
        size_t n = utf8_step(s, &ok);
        if (!ok)
            buf_add_str(out, "\xef\xbf\xbd");
        else if (n > 1)
            buf_add(out, span_head(s, n));
        else
            add[form](out, (unsigned char)s.p[0]);
        s = span_drop(s, n);
    }
}
