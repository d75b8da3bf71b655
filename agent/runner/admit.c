#include "agent/runner/admit.h"

static const struct tool *tool_of(const struct request *r, struct buf *why) {
    const struct tool *t = r->tool > TOOL_NONE && r->tool < TOOL__COUNT ? catalog_tool((enum tool_id)r->tool) : NULL;
    if (!t) buf_add_fmt(why, "tool number %u is not in the catalogue", r->tool);
    return t;
}

static const struct flavour *flavour_of(const struct request *r, const struct tool *t, struct buf *why) {
    bool known = r->flavour > FLAVOUR_ANY && r->flavour < FLAVOUR__COUNT;
    const struct flavour *f = known ? catalog_flavour(t, (enum flavour_id)r->flavour) : NULL;
    if (!f) buf_add_fmt(why, "%s has no flavour number %u", t->name, r->flavour);
    return f;
}

static enum err add_param(const struct request_param *q, struct params *ps, struct buf *why) {
    const struct param_info *info = q->id < PARAM__COUNT ? catalog_param((enum param_id)q->id) : NULL;
    if (!info || q->reserved != 0) {
        buf_add_fmt(why, "parameter number %u is not in the catalogue", q->id);
        return ERR_REFUSED;
    }
    if (info->type == PARAM_TYPE_NAME && !catalog_is_name(info, q->name)) {
        buf_add_fmt(why, "%s must be a name of letters, digits, '.', '_' and '-'", info->name);
        return ERR_REFUSED;
    }
    if (info->type == PARAM_TYPE_FLAG && q->number != 1) {
        buf_add_fmt(why, "%s takes no value", info->name);
        return ERR_REFUSED;
    }
    struct param *p = &ps->p[ps->n++];
    *p = (struct param){.id = (enum param_id)q->id, .number = q->number};
    if (info->type == PARAM_TYPE_NAME) memcpy(p->name, q->name, strnlen(q->name, PARAM_NAME_BYTES - 1));
    return ERR_OK;
}

enum err admit_probe(const struct request *r, const struct policy *p, struct admitted *out, struct buf *out_why) {
    struct admitted a = {0};
    a.tool = tool_of(r, out_why);
    if (!a.tool) return ERR_REFUSED;
    a.flavour = flavour_of(r, a.tool, out_why);
    if (!a.flavour) return ERR_REFUSED;
    /* A probe asks whether it could run at all, so the least run at noon of no quiet day stands for it. */
    struct policy always = *p;
    static char none[] = "";
    always.quiet_hours = none;
    enum err e = policy_admits(&always, a.tool, 1, 0, 0, out_why);
    if (e) return e;
    *out = a;
    return ERR_OK;
}

enum err admit_run(const struct request *r, const struct policy *p, size_t running_now, uint64_t wall_ns, struct admitted *out,
                   struct buf *out_why) {
    struct admitted a = {.seconds = r->seconds};
    a.tool = tool_of(r, out_why);
    if (!a.tool) return ERR_REFUSED;
    a.flavour = flavour_of(r, a.tool, out_why);
    if (!a.flavour) return ERR_REFUSED;
    if (r->reserved != 0) {
        buf_add_str(out_why, "the request has something in a field that must be empty");
        return ERR_REFUSED;
    }
    for (size_t i = 0; i < PARAMS_MAX; i++) {
        if (r->params[i].id == PARAM_NONE) continue;
        enum err e = add_param(&r->params[i], &a.params, out_why);
        if (e) return e;
    }
    enum err e = catalog_check(a.tool, a.flavour, &a.params, out_why);
    if (e) return ERR_REFUSED;
    e = policy_admits(p, a.tool, a.seconds, running_now, wall_ns, out_why);
    if (e) return e;
    *out = a;
    return ERR_OK;
}
