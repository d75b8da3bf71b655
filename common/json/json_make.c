#include "common/json/json_make.h"

#include "common/base/clock.h"
#include "common/base/utf8.h"
#include "common/wire/limits.h"

/* 15 digits: every decimal that a tool prints comes back as it was written, 1.52 and not 1.52000000000000002. */
enum { DUMP_FLAGS = JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15) };

enum err json_make_init(struct json_maker *m, struct buf *out) {
    struct arena *scratch = arena_new(LIMIT_ANSWER_ARENA_BYTES);
    if (!scratch) return ERR_NOMEM;
    *m = (struct json_maker){.scratch = scratch, .out = out, .start = out->n};
    return ERR_OK;
}

enum err json_make_done(struct json_maker *m) {
    buf_add_char(m->out, '\n');
    arena_free(m->scratch);
    enum err e = buf_failed(m->out);
    if (!e && m->failed) e = ERR_NOMEM;
    if (e) m->out->n = m->start;
    return e;
}

static json_t *made(struct json_maker *m, json_t *value) {
    if (!value) m->failed = true;
    return value;
}

void json_make_put(struct json_maker *m, json_t *object, const char *key, json_t *value) {
    if (json_object_set_new_nocheck(object, key, value)) m->failed = true;
}

/* Many readers of JSON, jansson among them, refuse a NUL in a key: it becomes U+FFFD.  .p == NULL when out of memory. */
static struct span without_nul(struct arena *mem, struct span s) {
    static const char replacement[] = "\xef\xbf\xbd";
    if (span_find(s, '\0') == s.n) return s;
    char *p = arena_array(mem, s.n, sizeof replacement - 1);
    size_t n = 0;
    if (!p) return SPAN_NONE;
    for (size_t i = 0; i < s.n; i++) {
        size_t bytes = s.p[i] ? 1 : sizeof replacement - 1;
        memcpy(p + n, s.p[i] ? s.p + i : replacement, bytes);
        n += bytes;
    }
    return span_of(p, n);
}

void json_make_put_key(struct json_maker *m, json_t *object, struct span key, json_t *value) {
    struct span good = SPAN_LIT("");
    if (key.n) good = utf8_repair(m->scratch, key);
    if (good.p) good = without_nul(m->scratch, good);
    if (!good.p) {
        m->failed = true;
        json_decref(value);
        return;
    }
    if (json_object_setn_new_nocheck(object, good.p, good.n, value)) m->failed = true;
    if (good.p != key.p) arena_reset(m->scratch);
}

void json_make_add(struct json_maker *m, json_t *array, json_t *value) {
    if (json_array_append_new(array, value)) m->failed = true;
}

json_t *json_make_object(struct json_maker *m) { return made(m, json_object()); }

json_t *json_make_array(struct json_maker *m) { return made(m, json_array()); }

json_t *json_make_text(struct json_maker *m, struct span s) {
    if (s.n == 0) return made(m, json_stringn_nocheck("", 0));
    struct span good = utf8_repair(m->scratch, s);
    if (!good.p) return made(m, NULL);
    json_t *value = json_stringn_nocheck(good.p, good.n);
    if (good.p != s.p) arena_reset(m->scratch);
    return made(m, value);
}

json_t *json_make_text_or_null(struct json_maker *m, struct span s) { return s.n ? json_make_text(m, s) : json_null(); }

json_t *json_make_texts(struct json_maker *m, const struct span *texts, size_t n) {
    json_t *array = json_make_array(m);
    for (size_t i = 0; i < n; i++) json_make_add(m, array, json_make_text(m, texts[i]));
    return array;
}

json_t *json_make_name(struct json_maker *m, const char *z) { return json_make_text(m, span_str(z)); }

json_t *json_make_count(struct json_maker *m, uint64_t n) { return json_make_int(m, n > INT64_MAX ? INT64_MAX : (int64_t)n); }

json_t *json_make_int(struct json_maker *m, int64_t n) { return made(m, json_integer(n)); }

json_t *json_make_real(struct json_maker *m, double v) { return made(m, json_real(v)); }

json_t *json_make_decimal(struct json_maker *m, int64_t mantissa, unsigned decimals) {
    if (decimals == 0) return json_make_int(m, mantissa);
    double unit = 1;
    for (unsigned i = 0; i < decimals; i++) unit *= 10;
    return json_make_real(m, (double)mantissa / unit);
}

json_t *json_make_bool(bool b) { return json_boolean(b); }

json_t *json_make_null(void) { return json_null(); }

json_t *json_make_wall(struct json_maker *m, uint64_t wall_ns) {
    char text[32];
    return wall_ns ? json_make_name(m, clock_wall_text(wall_ns, text)) : json_null();
}

static int to_buf(const char *p, size_t n, void *arg) {
    struct buf *out = arg;
    buf_add(out, span_of(p, n));
    return buf_failed(out) ? -1 : 0;
}

static void dump(struct json_maker *m, json_t *value) {
    if (!value || json_dump_callback(value, to_buf, m->out, DUMP_FLAGS)) m->failed = true;
    json_decref(value);
}

void json_make_document(struct json_maker *m, json_t *object) { dump(m, object); }

void json_make_list(struct json_maker *m, json_t *head, const char *key) {
    bool first = json_object_size(head) == 0;
    dump(m, head);
    if (m->failed) return;
    m->out->n--; /* the head's '}' */
    buf_add_str(m->out, first ? "\"" : ",\"");
    buf_add_str(m->out, key);
    buf_add_str(m->out, "\":[");
    m->items = 0;
}

void json_make_item(struct json_maker *m, json_t *item) {
    if (m->items++) buf_add_char(m->out, ',');
    dump(m, item);
}

void json_make_list_end(struct json_maker *m) { buf_add_str(m->out, "]}"); }
