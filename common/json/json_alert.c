#include "common/json/json_alert.h"

#include "common/json/json_make.h"

struct reading {
    struct arena *mem;
    enum err failed;
};

static void fail(struct reading *r, enum err e) {
    if (!r->failed) r->failed = e;
}

/* Absent: "". */
static struct span text(struct reading *r, const json_t *value) {
    if (!value) return SPAN_LIT("");
    if (!json_is_string(value)) fail(r, ERR_SYNTAX);
    if (json_string_length(value) > JSON_ALERT_TEXT) fail(r, ERR_LIMIT);
    if (r->failed) return SPAN_LIT("");
    struct span s = arena_copy(r->mem, span_of(json_string_value(value), json_string_length(value)));
    if (!s.p) fail(r, ERR_NOMEM);
    return s.p ? s : SPAN_LIT("");
}

static void labels(struct reading *r, json_t *object, struct json_alert *a) {
    const char *key;
    json_t *value;
    if (object && !json_is_object(object)) return fail(r, ERR_SYNTAX);
    if (json_object_size(object) > JSON_ALERT_LABELS) return fail(r, ERR_LIMIT);
    a->labels = arena_array(r->mem, json_object_size(object) + 1, sizeof *a->labels);
    if (!a->labels) return fail(r, ERR_NOMEM);
    json_object_foreach(object, key, value) {
        struct span copy = strlen(key) <= JSON_ALERT_TEXT ? arena_copy(r->mem, span_str(key)) : SPAN_NONE;
        if (!copy.p) return fail(r, ERR_LIMIT);
        a->labels[a->n_labels++] = (struct label){copy, text(r, value)};
    }
}

static void alert(struct reading *r, const json_t *o, struct json_alert *a) {
    if (!json_is_object(o)) return fail(r, ERR_SYNTAX);
    struct span status = text(r, json_object_get(o, "status"));
    a->resolved = span_eq_str(status, "resolved");
    if (!a->resolved && !span_eq_str(status, "firing")) fail(r, ERR_SYNTAX);
    a->fingerprint = text(r, json_object_get(o, "fingerprint"));
    a->starts_at = text(r, json_object_get(o, "startsAt"));
    labels(r, json_object_get(o, "labels"), a);
}

static void notice(struct reading *r, const json_t *o, struct json_notice *n) {
    const json_t *alerts = json_object_get(o, "alerts"), *truncated = json_object_get(o, "truncatedAlerts");
    if (!json_is_object(o) || !json_is_array(alerts)) return fail(r, ERR_SYNTAX);
    if (!span_eq_str(text(r, json_object_get(o, "version")), "4")) return fail(r, ERR_VERSION);
    if (truncated && (!json_is_integer(truncated) || json_integer_value(truncated) < 0)) return fail(r, ERR_SYNTAX);
    if (json_array_size(alerts) > JSON_ALERTS) return fail(r, ERR_LIMIT);
    n->group_key = text(r, json_object_get(o, "groupKey"));
    n->truncated = truncated ? (uint64_t)json_integer_value(truncated) : 0;
    n->alerts = arena_array(r->mem, json_array_size(alerts) + 1, sizeof *n->alerts);
    if (!n->alerts) return fail(r, ERR_NOMEM);
    for (size_t i = 0; i < json_array_size(alerts) && !r->failed; i++) alert(r, json_array_get(alerts, i), &n->alerts[n->n++]);
}

enum err json_alert_read(struct span body, struct arena *mem, struct json_notice *out) {
    struct reading r = {.mem = mem};
    struct json_notice n = {.n = 0};
    json_t *o = json_loadb(body.p ? body.p : "", body.n, JSON_REJECT_DUPLICATES, NULL);
    notice(&r, o, &n);
    json_decref(o);
    if (!r.failed) *out = n;
    return r.failed;
}

enum err json_alert_read_call(struct span body, struct arena *mem, struct json_call *out) {
    struct reading r = {.mem = mem};
    struct json_call c = {SPAN_LIT(""), SPAN_LIT("")};
    if (body.n) {
        json_t *o = json_loadb(body.p, body.n, JSON_REJECT_DUPLICATES, NULL);
        if (!json_is_object(o)) fail(&r, ERR_SYNTAX);
        c.on = text(&r, json_object_get(o, "on"));
        c.why = text(&r, json_object_get(o, "why"));
        json_decref(o);
    }
    if (!r.failed) *out = c;
    return r.failed;
}

enum err json_alert_answer(const char *key, struct span text_of_it, struct buf *out) {
    struct json_maker m;
    enum err e = json_make_init(&m, out);
    if (e) return e;
    json_t *o = json_make_object(&m);
    json_make_put(&m, o, key, json_make_text(&m, text_of_it));
    json_make_document(&m, o);
    return json_make_done(&m);
}
