#include "console/cli/spec_args.h"

#include "common/base/clock.h"
#include "common/order/order.h"
#include "common/order/selector.h"

enum { DEFAULT_S = 10, SHOWN_BYTES = 60 };

const struct tool *spec_args_tool(const char *verb, const char *name) {
    const struct tool *t = catalog_find(span_str(name));
    if (t) return t;
    fprintf(stderr, "trawl %s: there is no tool \"%s\"; there are", verb, name);
    for (int i = TOOL_NONE + 1; i < TOOL__COUNT; i++)
        fprintf(stderr, "%s %s", i > TOOL_NONE + 1 ? "," : "", catalog_tool((enum tool_id)i)->name);
    fputc('\n', stderr);
    return NULL;
}

/* Would any host take it?  The same check that the agent and the runner make, before anything is sent. */
static bool parameters_fit(const char *verb, const struct tool *t, const struct args *a) {
    struct buf why;
    bool fits = false;
    enum flavour_id wanted = a->flavour ? catalog_flavour_find(span_str(a->flavour)) : FLAVOUR_ANY;
    if (wanted == FLAVOUR__COUNT || (wanted != FLAVOUR_ANY && !catalog_flavour(t, wanted))) {
        args_complain(verb, "%s has no flavour \"%s\"; see: trawl tools %s", t->name, a->flavour, t->name);
        return false;
    }
    buf_init(&why, 0);
    for (size_t i = 0; i < t->n_flavours && !fits; i++) {
        const struct flavour *f = &t->flavours[i];
        if (wanted == FLAVOUR_ANY ? !f->binaries[0] : f->id != wanted) continue;
        buf_reset(&why);
        fits = catalog_check(t, f, &a->params, &why) == ERR_OK;
    }
    if (!fits) args_complain(verb, "%s; see: trawl tools %s", buf_str(&why), t->name);
    buf_done(&why);
    return fits;
}

static bool selector_parses(const char *verb, const char *on) {
    AUTO(arena_free) struct arena *mem = arena_new(LIMIT_FRAME_ARENA_BYTES);
    struct buf why;
    const struct selector *s;
    buf_init(&why, 0);
    enum err e = mem ? selector_parse(span_str(on), mem, &why, &s) : ERR_NOMEM;
    int shown = (int)strnlen(on, SHOWN_BYTES); /* the reason names the term */
    if (e) args_complain(verb, "--on %.*s%s: %s", shown, on, on[shown] ? "…" : "", why.n ? buf_str(&why) : err_text(e));
    buf_done(&why);
    return !e;
}

static bool duration_of(const char *verb, const struct args *a, uint32_t *out_s) {
    uint64_t ns = a->for_ns ? a->for_ns : DEFAULT_S * NS_PER_S;
    if (ns % NS_PER_S != 0 || ns < NS_PER_S || ns > LIMIT_DURATION_S * NS_PER_S) {
        args_complain(verb, "--for takes whole seconds from 1s to %d s", LIMIT_DURATION_S);
        return false;
    }
    *out_s = (uint32_t)(ns / NS_PER_S);
    return true;
}

static bool expiry_fits(const char *verb, const struct args *a) {
    if (a->expire_ns <= (ORDER_EXPIRY_MAX_S - LIMIT_DURATION_S) * NS_PER_S) return true;
    args_complain(verb, "--expire takes less than %d days: that is how long an order may be valid", ORDER_EXPIRY_MAX_S / 86400);
    return false;
}

static enum err spec_params(const struct args *a, struct arena *mem, struct spec *s) {
    s->params = arena_array(mem, a->params.n, sizeof *s->params);
    if (a->params.n && !s->params) return ERR_NOMEM;
    for (size_t i = 0; i < a->params.n; i++) {
        const struct param *p = &a->params.p[i];
        s->params[s->n_params++] =
            (struct spec_param){.name = span_str(catalog_param(p->id)->name), .number = p->number, .text = span_str(p->name)};
    }
    return ERR_OK;
}

bool spec_args_fit(const char *verb, const struct tool *t, const struct args *a, struct spec *out) {
    struct spec s = {.version = SPEC_VERSION, .issued_wall_ms = clock_wall_ns() / NS_PER_MS};
    if (!parameters_fit(verb, t, a) || !duration_of(verb, a, &s.duration_s) || !expiry_fits(verb, a)) return false;
    if (a->on && !selector_parses(verb, a->on)) return false;
    if (!course_args_fill(verb, &a->course, a->expire_ns, &s)) return false;
    *out = s;
    return true;
}

enum err spec_args_fill(const struct ask *k, const struct tool *t, const struct args *a, struct spec *s) {
    s->fleet = span_str(k->settings.fleet);
    s->tool = span_str(t->name);
    s->flavour = span_str(a->flavour ? catalog_flavour_name(catalog_flavour_find(span_str(a->flavour))) : "any");
    s->selector = span_str(a->on ? a->on : "");
    return spec_params(a, k->mem, s);
}
