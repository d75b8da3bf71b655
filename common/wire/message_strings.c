#include "common/wire/message.h"

void message_strings_get(struct unpack *in, const Trawl__Strings *m, struct strings *out) {
    size_t n = m ? m->n_len : 0;
    struct span rest = m ? unpack_span(m->text) : SPAN_NONE;
    if (n >= UINT32_MAX) unpack_refuse(in, ERR_LIMIT);
    struct span *text = unpack_array(in, n + 1, sizeof *text);
    if (!text) return;
    text[0] = span_of("", 0);
    for (size_t i = 0; i < n; i++) {
        if (m->len[i] > LIMIT_TEXT_BYTES) return unpack_refuse(in, ERR_LIMIT);
        if (m->len[i] > rest.n) return unpack_refuse(in, ERR_SYNTAX);
        text[i + 1] = span_head(rest, m->len[i]);
        rest = span_drop(rest, m->len[i]);
    }
    if (rest.n) return unpack_refuse(in, ERR_SYNTAX);
    *out = (struct strings){.text = text, .n = (uint32_t)n + 1, .cap = n + 1, .mem = in->mem};
}

Trawl__Strings *message_strings_put(struct pack *o, const struct strings *t) {
    size_t n = t->n > 1 ? t->n - 1 : 0, bytes = 0;
    if (n == 0) return NULL;
    Trawl__Strings *m = pack_array(o, 1, sizeof *m);
    struct span *cut = pack_array(o, n, sizeof *cut);
    uint32_t *len = pack_array(o, n, sizeof *len);
    for (size_t i = 0; i < n && o->failed == ERR_OK; i++) {
        cut[i] = pack_cut(o, t->text[i + 1], LIMIT_TEXT_BYTES);
        len[i] = (uint32_t)cut[i].n;
        bytes += cut[i].n;
    }
    char *text = pack_array(o, bytes, 1);
    if (!text) return NULL;
    trawl__strings__init(m);
    m->text = (ProtobufCBinaryData){.len = bytes, .data = (uint8_t *)text};
    m->len = len;
    m->n_len = n;
    for (size_t i = 0; i < n; text += cut[i++].n)
        if (cut[i].n) memcpy(text, cut[i].p, cut[i].n);
    return m;
}
