/* Inside common/json: jansson values from our types, with one place where running out of memory is noticed.
 * Every maker gives a new reference, or NULL and maker.failed; putting NULL into an object is fine and fails as well, so
 * that callers build freely and ask json_make_failed() once. */
#pragma once

#include <jansson.h>

#include "common/base/buf.h"
#include "common/model/capture.h"

struct json_maker {
    struct arena *scratch; /* of one repaired text at a time */
    struct buf *out;
    size_t start; /* where this document begins in out */
    size_t items; /* of the streamed list */
    bool failed;
};

NODISCARD enum err json_make_init(struct json_maker *m, struct buf *out);
/* Ends the document.  After a failure out is as long as it was, and the error is returned. */
NODISCARD enum err json_make_done(struct json_maker *m);

void json_make_put(struct json_maker *m, json_t *object, const char *key, json_t *value);
void json_make_put_key(struct json_maker *m, json_t *object, struct span key, json_t *value); /* a key from outside: repaired */
void json_make_add(struct json_maker *m, json_t *array, json_t *value);

json_t *json_make_object(struct json_maker *m);
json_t *json_make_array(struct json_maker *m);
json_t *json_make_text(struct json_maker *m, struct span s);         /* repaired to UTF-8 */
json_t *json_make_text_or_null(struct json_maker *m, struct span s); /* empty: null */
json_t *json_make_texts(struct json_maker *m, const struct span *texts, size_t n);
json_t *json_make_name(struct json_maker *m, const char *z);
json_t *json_make_count(struct json_maker *m, uint64_t n); /* saturates at INT64_MAX */
json_t *json_make_int(struct json_maker *m, int64_t n);
json_t *json_make_real(struct json_maker *m, double v);
json_t *json_make_decimal(struct json_maker *m, int64_t mantissa, unsigned decimals); /* an integer when decimals is 0 */
json_t *json_make_bool(bool b);
json_t *json_make_null(void);
json_t *json_make_wall(struct json_maker *m, uint64_t wall_ns); /* "2026-11-23T00:14:27Z"; 0: null */

/* A whole document; takes it. */
void json_make_document(struct json_maker *m, json_t *object);
/* A document whose last member is a list that may be long: head (taken) without it, then each item (taken), then the end.
 * Only one item is in memory at a time. */
void json_make_list(struct json_maker *m, json_t *head, const char *key);
void json_make_item(struct json_maker *m, json_t *item);
void json_make_list_end(struct json_maker *m);
