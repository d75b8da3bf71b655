#include "agent/spool/spool_file.h"

#include <zlib.h>

static const struct span MAGIC = {"TRAWLP2\n", 8};
enum { WORD_BYTES = 4 };

static void put_u32(char out[WORD_BYTES], uint32_t v) {
    for (int i = 0; i < WORD_BYTES; i++) out[i] = (char)(unsigned char)(v >> (24 - 8 * i));
}

static uint32_t get_u32(const char *in) {
    uint32_t v = 0;
    for (int i = 0; i < WORD_BYTES; i++) v = v << 8 | (unsigned char)in[i];
    return v;
}

static uLong add(uLong crc, struct span s) { return s.n ? crc32_z(crc, (const Bytef *)s.p, s.n) : crc; }

static uint32_t check_of(struct span name, struct span length, struct span body) {
    return (uint32_t)add(add(add(crc32_z(0, NULL, 0), name), length), body);
}

void spool_file_encode(struct span name, struct span body, struct buf *out) {
    char length[WORD_BYTES], check[WORD_BYTES];
    put_u32(length, (uint32_t)body.n);
    put_u32(check, check_of(name, span_of(length, WORD_BYTES), body));
    buf_add(out, MAGIC);
    buf_add(out, span_of(length, WORD_BYTES));
    buf_add(out, span_of(check, WORD_BYTES));
    buf_add(out, body);
}

enum err spool_file_decode(struct span name, struct span bytes, struct span *out_body) {
    if (bytes.n < SPOOL_FILE_HEADER_BYTES || !span_starts(bytes, MAGIC)) return ERR_DAMAGED;
    struct span length = span_of(bytes.p + MAGIC.n, WORD_BYTES), body = span_drop(bytes, SPOOL_FILE_HEADER_BYTES);
    if (body.n != get_u32(length.p) || check_of(name, length, body) != get_u32(length.p + WORD_BYTES)) return ERR_DAMAGED;
    *out_body = body;
    return ERR_OK;
}
