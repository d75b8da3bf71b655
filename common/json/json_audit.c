#include "common/json/json_audit.h"

#include "common/json/json_make.h"

static bool take_text(const json_t *o, const char *key, struct arena *mem, struct span *out) {
    const json_t *value = json_object_get(o, key);
    if (value && !json_is_string(value)) return false;
    *out = value ? arena_copy(mem, span_of(json_string_value(value), json_string_length(value))) : SPAN_LIT("");
    return out->p != NULL;
}

enum err json_audit_read(struct span line, struct arena *mem, struct json_audit *out) {
    json_t *o = json_loadb(line.p ? line.p : "", line.n, JSON_REJECT_DUPLICATES, NULL);
    struct json_audit a = {.hosts = 0};
    const struct {
        const char *key;
        struct span *to;
    } texts[] = {{"time", &a.time},         {"event", &a.event}, {"who", &a.who},     {"role", &a.role},     {"host", &a.host},
                 {"campaign", &a.campaign}, {"what", &a.what},   {"where", &a.where}, {"result", &a.result}, {"why", &a.why}};
    bool good = json_is_object(o);
    for (size_t i = 0; good && i < COUNT_OF(texts); i++) good = take_text(o, texts[i].key, mem, texts[i].to);
    const json_t *hosts = good ? json_object_get(o, "hosts") : NULL;
    if (hosts && (!json_is_integer(hosts) || json_integer_value(hosts) < 0)) good = false;
    if (good && hosts) a.hosts = (uint64_t)json_integer_value(hosts);
    json_decref(o);
    if (!good) return arena_exhausted(mem) ? ERR_NOMEM : ERR_SYNTAX;
    *out = a;
    return ERR_OK;
}
