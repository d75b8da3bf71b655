#include "common/wire/pack.h"

#include "common/base/utf8.h"
#include "common/wire/unpack.h"

#define ELLIPSIS SPAN_LIT("\xe2\x80\xa6")

enum err pack_message(const struct pack *o, const ProtobufCMessage *m, size_t max_bytes, struct buf *out) {
    if (o->failed != ERR_OK) return o->failed;
    size_t n = protobuf_c_message_get_packed_size(m);
    if (n > max_bytes) return ERR_LIMIT;
    char *p = buf_reserve(out, n);
    if (!p) return buf_failed(out) == ERR_OK ? ERR_NOMEM : buf_failed(out);
    buf_grew(out, protobuf_c_message_pack(m, (uint8_t *)p));
    return ERR_OK;
}

void pack_fail(struct pack *o, enum err why) {
    if (o->failed == ERR_OK) o->failed = why;
}

void *pack_array(struct pack *o, size_t n, size_t size) {
    if (o->failed != ERR_OK) return NULL;
    void *p = arena_array(o->mem, n ? n : 1, size);
    if (!p) pack_fail(o, ERR_NOMEM);
    return p;
}

static char *empty_string(void) { return (char *)(uintptr_t)protobuf_c_empty_string; }

static char *put_string(struct pack *o, struct span s) {
    if (o->failed != ERR_OK || s.n == 0) return empty_string();
    char *z = pack_array(o, s.n + 1, 1);
    if (!z) return empty_string();
    memcpy(z, s.p, s.n);
    return z;
}

char *pack_name(struct pack *o, struct span s) {
    pack_fail(o, unpack_check_name(s));
    return put_string(o, s);
}

char *pack_name_or_none(struct pack *o, struct span s) { return s.n ? pack_name(o, s) : empty_string(); }

char *pack_exact(struct pack *o, struct span s, size_t max) {
    if (s.n > max) pack_fail(o, ERR_LIMIT);
    if (s.n && (!utf8_valid(s) || span_find(s, '\0') < s.n)) pack_fail(o, ERR_SYNTAX);
    return put_string(o, s);
}

struct span pack_cut(struct pack *o, struct span s, size_t max) {
    if (s.n <= max) return s;
    size_t n = max - ELLIPSIS.n;
    while (n > 0 && ((unsigned char)s.p[n] & 0xc0) == 0x80 && max - n < 8) n--;
    char *p = pack_array(o, n + ELLIPSIS.n, 1);
    if (!p) return span_of("", 0);
    memcpy(p, s.p, n);
    memcpy(p + n, ELLIPSIS.p, ELLIPSIS.n);
    return span_of(p, n + ELLIPSIS.n);
}

static struct span put_text(struct pack *o, struct span s, size_t max) {
    if (o->failed != ERR_OK || s.n == 0) return span_of("", 0);
    struct span text = utf8_repair(o->mem, s);
    if (!text.p) pack_fail(o, ERR_NOMEM);
    return text.p ? pack_cut(o, text, max) : span_of("", 0);
}

char *pack_text(struct pack *o, struct span s, size_t max) {
    struct span text = put_text(o, s, max);
    char *z = put_string(o, text);
    for (size_t i = 0; o->failed == ERR_OK && i < text.n; i++)
        if (z[i] == '\0') z[i] = ' ';
    return z;
}

static ProtobufCBinaryData binary(struct span s) {
    return (ProtobufCBinaryData){.len = s.n, .data = s.n ? (uint8_t *)(uintptr_t)s.p : NULL};
}

ProtobufCBinaryData pack_text_bytes(struct pack *o, struct span s, size_t max) { return binary(put_text(o, s, max)); }

ProtobufCBinaryData pack_bytes(struct pack *o, struct span s, size_t max) {
    if (s.n > max) pack_fail(o, ERR_LIMIT);
    return binary(s);
}

ProtobufCBinaryData pack_campaign(const struct campaign_id *id) { return binary(span_of((const char *)id->b, CAMPAIGN_ID_BYTES)); }

#define COLUMN_COUNT(suffix, type)                                                                                                         \
    size_t pack_count_##suffix(const type *values, size_t n) {                                                                             \
        for (size_t i = 0; i < n; i++)                                                                                                     \
            if (values[i] != 0) return n;                                                                                                  \
        return 0;                                                                                                                          \
    }

COLUMN_COUNT(u32, uint32_t)
COLUMN_COUNT(u64, uint64_t)
COLUMN_COUNT(i64, int64_t)
