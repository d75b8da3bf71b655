#include "common/json/json_catalog.h"

#include "common/json/json_make.h"

static json_t *parameter(struct json_maker *m, enum param_id id) {
    static const char *const types[] = {[PARAM_TYPE_FLAG] = "flag", [PARAM_TYPE_NUMBER] = "number", [PARAM_TYPE_NAME] = "name"};
    const struct param_info *info = catalog_param(id);
    json_t *o = json_make_object(m);
    json_make_put(m, o, "name", json_make_name(m, info->name));
    json_make_put(m, o, "type", json_make_name(m, types[info->type]));
    if (info->type == PARAM_TYPE_NUMBER) {
        json_make_put(m, o, "low", json_make_int(m, info->low));
        json_make_put(m, o, "high", json_make_int(m, info->high));
    }
    json_make_put(m, o, "help", json_make_name(m, info->help));
    return o;
}

static json_t *flavour(struct json_maker *m, const struct flavour *f) {
    json_t *o = json_make_object(m), *binaries = json_make_array(m), *parameters = json_make_array(m);
    for (size_t i = 0; i < COUNT_OF(f->binaries) && f->binaries[i]; i++) json_make_add(m, binaries, json_make_name(m, f->binaries[i]));
    for (size_t i = 0; i < f->n_params; i++) json_make_add(m, parameters, parameter(m, f->params[i].id));
    json_make_put(m, o, "flavour", json_make_name(m, catalog_flavour_name(f->id)));
    json_make_put(m, o, "binaries", binaries);
    json_make_put(m, o, "ends_by_itself", json_make_bool(f->end == END_BY_ARGV));
    json_make_put(m, o, "capabilities", json_make_name(m, f->capabilities_why ? f->capabilities_why : ""));
    json_make_put(m, o, "parameters", parameters);
    return o;
}

static json_t *tool(struct json_maker *m, const struct tool *t) {
    json_t *o = json_make_object(m), *flavours = json_make_array(m);
    for (size_t i = 0; i < t->n_flavours; i++) json_make_add(m, flavours, flavour(m, &t->flavours[i]));
    json_make_put(m, o, "tool", json_make_name(m, t->name));
    json_make_put(m, o, "kind", json_make_name(m, capture_kind_name(t->kind)));
    json_make_put(m, o, "summary", json_make_name(m, t->summary));
    json_make_put(m, o, "reading", json_make_name(m, t->reading ? t->reading : ""));
    json_make_put(m, o, "flavours", flavours);
    return o;
}

enum err json_catalog(const struct tool *only, struct buf *out) {
    struct json_maker m;
    enum err e = json_make_init(&m, out);
    if (e) return e;
    json_make_list(&m, json_make_object(&m), "tools");
    for (int i = TOOL_NONE + 1; i < TOOL__COUNT && !m.failed; i++) {
        const struct tool *t = catalog_tool((enum tool_id)i);
        if (!only || only == t) json_make_item(&m, tool(&m, t));
    }
    json_make_list_end(&m);
    return json_make_done(&m);
}
