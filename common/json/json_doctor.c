#include "common/json/json_doctor.h"

#include "common/json/json_make.h"

static uint64_t count(const struct json_finding *findings, size_t n, const char *level) {
    uint64_t found = 0;
    for (size_t i = 0; i < n; i++) found += strcmp(findings[i].level, level) == 0;
    return found;
}

enum err json_doctor(const struct json_finding *findings, size_t n, struct buf *out) {
    struct json_maker m;
    enum err e = json_make_init(&m, out);
    if (e) return e;
    json_t *head = json_make_object(&m);
    json_make_put(&m, head, "ok", json_make_count(&m, count(findings, n, "ok")));
    json_make_put(&m, head, "warn", json_make_count(&m, count(findings, n, "warn")));
    json_make_put(&m, head, "fail", json_make_count(&m, count(findings, n, "FAIL")));
    json_make_list(&m, head, "findings");
    for (size_t i = 0; i < n && !m.failed; i++) {
        json_t *o = json_make_object(&m);
        json_make_put(&m, o, "level", json_make_name(&m, findings[i].level));
        json_make_put(&m, o, "what", json_make_text(&m, findings[i].what));
        json_make_put(&m, o, "why", json_make_text(&m, findings[i].why));
        json_make_put(&m, o, "do", json_make_text_or_null(&m, findings[i].remedy));
        json_make_item(&m, o);
    }
    json_make_list_end(&m);
    return json_make_done(&m);
}
