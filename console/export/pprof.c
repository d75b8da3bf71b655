#include "console/export/pprof.h"

#define ZLIB_CONST
#include <zlib.h>

#include "common/base/utf8.h"
#include "console/render/summary.h"

/* Field numbers of profile.proto; the message's name comes first. */
enum {
    PROFILE_SAMPLE_TYPE = 1,
    PROFILE_SAMPLE = 2,
    PROFILE_MAPPING = 3,
    PROFILE_LOCATION = 4,
    PROFILE_FUNCTION = 5,
    PROFILE_STRING_TABLE = 6,
    PROFILE_TIME_NANOS = 9,
    PROFILE_DURATION_NANOS = 10,
    PROFILE_COMMENT = 13,
    VALUE_TYPE_TYPE = 1,
    VALUE_TYPE_UNIT = 2,
    SAMPLE_LOCATION_ID = 1,
    SAMPLE_VALUE = 2,
    SAMPLE_LABEL = 3,
    LABEL_KEY = 1,
    LABEL_STR = 2,
    MAPPING_ID = 1,
    MAPPING_FILENAME = 5,
    MAPPING_HAS_FUNCTIONS = 7,
    LOCATION_ID = 1,
    LOCATION_MAPPING_ID = 2,
    LOCATION_LINE = 4,
    LINE_FUNCTION_ID = 1,
    FUNCTION_ID = 1,
    FUNCTION_NAME = 2
};
enum { WIRE_VARINT = 0, WIRE_BYTES = 2, KINDS = FRAME_KERNEL + 1, GZIP_WINDOW = 15 + 16, GZIP_MEMORY = 8 };

struct pprof {
    struct buf raw, message, inner;
    struct strings strings;
    uint32_t *locations; /* by frame × KINDS + kind; 0: none yet */
    bool *functions;     /* by frame */
    uint32_t n_locations;
    enum err failed;
    struct arena *mem;
};

static void put_varint(struct buf *to, uint64_t v) {
    for (; v >= 0x80; v >>= 7) buf_add_char(to, (char)(v | 0x80));
    buf_add_char(to, (char)v);
}

static void put_number(struct buf *to, unsigned field, uint64_t v) {
    put_varint(to, field << 3 | WIRE_VARINT);
    put_varint(to, v);
}

static void put_bytes(struct buf *to, unsigned field, struct span s) {
    put_varint(to, field << 3 | WIRE_BYTES);
    put_varint(to, s.n);
    buf_add(to, s);
}

/* The message that was built, into the profile. */
static void put_message(struct pprof *p, unsigned field) {
    put_bytes(&p->raw, field, buf_span(&p->message));
    buf_reset(&p->message);
}

static uint32_t string_of(struct pprof *p, struct span s) {
    uint32_t at = 0;
    struct span repaired = utf8_repair(p->mem, s);
    enum err e = repaired.p || s.n == 0 ? strings_add(&p->strings, repaired, &at) : ERR_NOMEM;
    if (e && !p->failed) p->failed = e;
    return at;
}

static uint32_t location_of(struct pprof *p, const struct stacks *st, const struct stack_node *n) {
    uint32_t *id = &p->locations[(size_t)n->frame * KINDS + n->kind];
    if (*id) return *id;
    if (!p->functions[n->frame]) {
        put_number(&p->message, FUNCTION_ID, n->frame + 1u);
        put_number(&p->message, FUNCTION_NAME, string_of(p, st->strings.text[n->frame]));
        put_message(p, PROFILE_FUNCTION);
        p->functions[n->frame] = true;
    }
    *id = ++p->n_locations;
    put_number(&p->inner, LINE_FUNCTION_ID, n->frame + 1u);
    put_number(&p->message, LOCATION_ID, *id);
    put_number(&p->message, LOCATION_MAPPING_ID, n->kind == FRAME_KERNEL ? 1 : 2);
    put_bytes(&p->message, LOCATION_LINE, buf_span(&p->inner));
    put_message(p, PROFILE_LOCATION);
    buf_reset(&p->inner);
    return *id;
}

static void put_sample(struct pprof *p, const struct stacks *st, const struct stack_row *row) {
    uint32_t ids[LIMIT_STACK_DEPTH];
    size_t depth = 0; /* leaf first, as the format wants it */
    for (uint32_t n = row->leaf; n != STACKS_ROOT && depth < COUNT_OF(ids); n = st->nodes[n].parent)
        ids[depth++] = location_of(p, st, &st->nodes[n]);
    for (size_t i = 0; i < depth; i++) put_varint(&p->inner, ids[i]);
    put_bytes(&p->message, SAMPLE_LOCATION_ID, buf_span(&p->inner));
    put_number(&p->message, SAMPLE_VALUE, row->count > INT64_MAX ? INT64_MAX : row->count);
    buf_reset(&p->inner);
    if (row->comm) {
        put_number(&p->inner, LABEL_KEY, string_of(p, SPAN_LIT("comm")));
        put_number(&p->inner, LABEL_STR, string_of(p, st->strings.text[row->comm]));
        put_bytes(&p->message, SAMPLE_LABEL, buf_span(&p->inner));
        buf_reset(&p->inner);
    }
    put_message(p, PROFILE_SAMPLE);
}

static void put_head(struct pprof *p, const struct answer *a) {
    static const char *const files[] = {"[kernel]", "[user]"};
    bool time = span_eq_str(a->stacks.unit, "usecs");
    put_number(&p->message, VALUE_TYPE_TYPE, string_of(p, time ? SPAN_LIT("time") : a->stacks.unit));
    put_number(&p->message, VALUE_TYPE_UNIT, string_of(p, time ? SPAN_LIT("microseconds") : SPAN_LIT("count")));
    put_message(p, PROFILE_SAMPLE_TYPE);
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        put_number(&p->message, MAPPING_ID, i + 1);
        put_number(&p->message, MAPPING_FILENAME, string_of(p, span_str(files[i])));
        put_number(&p->message, MAPPING_HAS_FUNCTIONS, 1);
        put_message(p, PROFILE_MAPPING);
    }
    put_number(&p->raw, PROFILE_TIME_NANOS, a->info.created_wall_ns);
    put_number(&p->raw, PROFILE_DURATION_NANOS, (uint64_t)a->info.spec.duration_s * 1000000000u);
    struct buf head;
    buf_init(&head, 0);
    enum err e = summary_lines(a, &head);
    if (e && !p->failed) p->failed = e;
    struct span rest = buf_span(&head), line;
    while (span_line(&rest, &line)) put_number(&p->raw, PROFILE_COMMENT, string_of(p, line));
    buf_done(&head);
}

static enum err build(struct pprof *p, const struct answer *a) {
    const struct stacks *st = &a->stacks;
    p->locations = arena_array(p->mem, (size_t)(st->strings.n + 1) * KINDS, sizeof *p->locations);
    p->functions = arena_array(p->mem, (size_t)st->strings.n + 1, sizeof *p->functions);
    enum err e = p->locations && p->functions ? strings_init(&p->strings, p->mem) : ERR_NOMEM;
    if (e) return e;
    put_head(p, a);
    for (size_t i = 0; i < st->n_rows; i++) put_sample(p, st, &st->rows[i]);
    for (uint32_t i = 0; i < p->strings.n; i++) put_bytes(&p->raw, PROFILE_STRING_TABLE, p->strings.text[i]);
    e = buf_failed(&p->raw) ? buf_failed(&p->raw) : buf_failed(&p->message) ? buf_failed(&p->message) : buf_failed(&p->inner);
    return p->failed ? p->failed : e;
}

static enum err gzip(struct span raw, struct buf *out) {
    z_stream z = {0};
    if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, GZIP_MEMORY, Z_DEFAULT_STRATEGY) != Z_OK) return ERR_NOMEM;
    size_t most = deflateBound(&z, raw.n);
    char *to = buf_reserve(out, most);
    z.next_in = (const Bytef *)raw.p;
    z.avail_in = (uInt)raw.n; /* at most LIMIT_ANSWER_ARENA_BYTES */
    z.next_out = (Bytef *)to;
    z.avail_out = (uInt)most;
    int rc = to ? deflate(&z, Z_FINISH) : Z_MEM_ERROR;
    if (rc == Z_STREAM_END) buf_grew(out, most - z.avail_out);
    deflateEnd(&z);
    if (!to) return buf_failed(out);
    return rc == Z_STREAM_END ? ERR_OK : ERR_SYS;
}

enum err pprof_write(const struct answer *a, struct buf *out) {
    AUTO(arena_free) struct arena *mem = arena_new(LIMIT_ANSWER_ARENA_BYTES);
    struct pprof p = {.mem = mem};
    if (!mem) return ERR_NOMEM;
    buf_init(&p.raw, LIMIT_ANSWER_ARENA_BYTES);
    buf_init(&p.message, 0);
    buf_init(&p.inner, 0);
    enum err e = build(&p, a);
    if (!e) e = gzip(buf_span(&p.raw), out);
    buf_done(&p.raw);
    buf_done(&p.message);
    buf_done(&p.inner);
    return e;
}
