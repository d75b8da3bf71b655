/* Reading back what was written: the text of a path in a document, compared with JSON in a test's own words. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>

#include "common/base/buf.h"

/* jansson allocates inside its library, out of the reach of fault.h: json_set_alloc_funcs(read_malloc, free) brings it in. */
static inline void *read_malloc(size_t n) { return malloc(n); }

/* The whole document; it must be one line and valid JSON without duplicate keys. */
static inline json_t *read_document(struct buf *text) {
    json_error_t error;
    assert_true(text->n > 0 && text->p[text->n - 1] == '\n');
    json_t *doc = json_loadb(text->p, text->n, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    if (!doc) fail_msg("%s at %d in %s", error.text, error.position, buf_str(text));
    assert_int_equal(span_find(buf_span(text), '\n'), text->n - 1);
    return doc;
}

/* The value at "a.b.0.c", as compact JSON, is want. */
static inline void read_is(const json_t *doc, const char *path, const char *want) {
    const json_t *at = doc;
    struct span rest = span_str(path), step;
    while (rest.n) {
        uint64_t index = 0;
        span_cut(rest, '.', &step, &rest);
        at = json_is_array(at) && span_u64(step, &index) ? json_array_get(at, index) : json_object_getn(at, step.p, step.n);
        if (!at) fail_msg("%s: there is no \"%.*s\"", path, (int)step.n, step.p);
    }
    char *got = json_dumps(at, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
    assert_non_null(got);
    assert_string_equal(got, want);
    free(got);
}

/* The keys of the object, in their order, with a blank between. */
static inline void read_keys(json_t *object, const char *want) {
    struct buf got;
    const char *key;
    json_t *value;
    buf_init(&got, 0);
    assert_true(json_is_object(object));
    json_object_foreach(object, key, value) {
        if (got.n) buf_add_char(&got, ' ');
        buf_add_str(&got, key);
    }
    assert_string_equal(buf_str(&got), want);
    buf_done(&got);
}
