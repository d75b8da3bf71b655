#include "common/wire/unpack.h"

#include "common/base/utf8.h"
#include "common/wire/allocator.h"

enum { NESTING_MAX = 8 }; /* of messages in our .proto files: none is recursive */

static bool cut_varint(struct span *s, uint64_t *out) {
    uint64_t v = 0;
    for (unsigned i = 0; i < 10 && i < s->n; i++) {
        v |= (uint64_t)((unsigned char)s->p[i] & 0x7f) << (7 * i);
        if ((unsigned char)s->p[i] >= 0x80) continue;
        *s = span_drop(*s, i + 1);
        *out = v;
        return true;
    }
    return false;
}

static bool cut_bytes(struct span *s, uint64_t n, struct span *out) {
    if (n > s->n) return false;
    *out = span_head(*s, (size_t)n);
    *s = span_drop(*s, (size_t)n);
    return true;
}

struct field {
    uint64_t number;
    unsigned wire;
    struct span data; /* of a length-delimited field */
};

static bool cut_field(struct span *s, struct field *out) {
    enum { VARINT = 0, FIXED64 = 1, DELIMITED = 2, FIXED32 = 5 };
    uint64_t tag, value;
    if (!cut_varint(s, &tag)) return false;
    *out = (struct field){.number = tag >> 3, .wire = (unsigned)(tag & 7), .data = SPAN_NONE};
    switch (out->wire) {
    case VARINT:
        return cut_varint(s, &value);
    case FIXED64:
        return cut_bytes(s, 8, &out->data);
    case FIXED32:
        return cut_bytes(s, 4, &out->data);
    case DELIMITED:
        return cut_varint(s, &value) && cut_bytes(s, value, &out->data);
    default:
        return false;
    }
}

struct level {
    const ProtobufCMessageDescriptor *type;
    struct span rest;
};

/* proto3 wants UTF-8 in strings; protobuf-c takes anything and its C strings end early at a NUL, so two readers could see
 * two names.  Looked at before anything is allocated. */
static bool strings_are_text(const ProtobufCMessageDescriptor *type, struct span bytes) {
    struct level level[NESTING_MAX] = {{type, bytes}};
    size_t depth = 1;
    while (depth > 0) {
        struct level *l = &level[depth - 1];
        struct field f;
        if (l->rest.n == 0) {
            depth--;
            continue;
        }
        if (!cut_field(&l->rest, &f)) return false;
        if (f.wire != 2 || f.number > UINT32_MAX) continue;
        const ProtobufCFieldDescriptor *d = protobuf_c_message_descriptor_get_field(l->type, (unsigned)f.number);
        if (d && d->type == PROTOBUF_C_TYPE_STRING && (!utf8_valid(f.data) || span_find(f.data, '\0') < f.data.n)) return false;
        if (!d || d->type != PROTOBUF_C_TYPE_MESSAGE) continue;
        if (depth == NESTING_MAX) return false;
        level[depth++] = (struct level){d->descriptor, f.data};
    }
    return true;
}

enum err unpack_message(const ProtobufCMessageDescriptor *type, struct span bytes, size_t max_bytes, struct arena *mem, struct unpack *in,
                        const ProtobufCMessage **out) {
    if (bytes.n > max_bytes) return ERR_LIMIT;
    if (!strings_are_text(type, bytes)) return ERR_SYNTAX;
    ProtobufCAllocator allocator = allocator_over(mem);
    const ProtobufCMessage *m = protobuf_c_message_unpack(type, &allocator, bytes.n, (const uint8_t *)(bytes.n ? bytes.p : ""));
    if (!m) return arena_exhausted(mem) ? ERR_NOMEM : ERR_SYNTAX;
    *in = (struct unpack){.mem = mem, .max_rows = bytes.n > LIMIT_ROWS ? bytes.n : LIMIT_ROWS, .failed = ERR_OK};
    *out = m;
    return ERR_OK;
}

void unpack_refuse(struct unpack *in, enum err why) {
    if (in->failed == ERR_OK) in->failed = why;
}

void *unpack_array(struct unpack *in, size_t n, size_t size) {
    if (in->failed != ERR_OK) return NULL;
    void *p = arena_array(in->mem, n ? n : 1, size);
    if (!p) unpack_refuse(in, ERR_NOMEM);
    return p;
}

static bool is_name_byte(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

enum err unpack_check_name(struct span s) {
    if (s.n > LIMIT_NAME_BYTES) return ERR_LIMIT;
    if (s.n == 0) return ERR_SYNTAX;
    for (size_t i = 0; i < s.n; i++)
        if (!is_name_byte(s.p[i])) return ERR_SYNTAX;
    return ERR_OK;
}

struct span unpack_name(struct unpack *in, struct span s) {
    unpack_refuse(in, unpack_check_name(s));
    return s;
}

struct span unpack_name_or_none(struct unpack *in, struct span s) {
    return s.n ? unpack_name(in, s) : span_of("", 0);
}

struct span unpack_text(struct unpack *in, struct span s, size_t max) {
    if (s.n > max) unpack_refuse(in, ERR_LIMIT);
    if (in->failed != ERR_OK || s.n == 0) return span_of("", 0);
    struct span text = utf8_repair(in->mem, s);
    if (!text.p) unpack_refuse(in, ERR_NOMEM);
    return text;
}

struct span unpack_bytes(struct unpack *in, ProtobufCBinaryData b, size_t max) {
    if (b.len > max) unpack_refuse(in, ERR_LIMIT);
    return unpack_span(b);
}

struct campaign_id unpack_campaign(struct unpack *in, ProtobufCBinaryData b) {
    struct campaign_id id = {0};
    if (b.len != CAMPAIGN_ID_BYTES)
        unpack_refuse(in, ERR_SYNTAX);
    else
        memcpy(id.b, b.data, CAMPAIGN_ID_BYTES);
    return id;
}

/* The three types of column differ in nothing but their type. */
#define COLUMN_GET(suffix, type)                                                                                                           \
    type *unpack_##suffix(struct unpack *in, type *values, size_t n_values, size_t n) {                                                    \
        if (n_values != 0 && n_values != n) unpack_refuse(in, ERR_SYNTAX);                                                                 \
        if (in->failed != ERR_OK || n == 0) return NULL;                                                                                   \
        return n_values ? values : unpack_array(in, n, sizeof(type));                                                                      \
    }

COLUMN_GET(u32, uint32_t)
COLUMN_GET(u64, uint64_t)
COLUMN_GET(i64, int64_t)
