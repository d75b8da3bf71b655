#include "common/catalog/catalog.h"

#include "common/catalog/catalog_params.h"
#include "common/catalog/catalog_tools.h"

#define CGROUP_ROOT "/sys/fs/cgroup/"

static const char *const flavour_names[FLAVOUR__COUNT] = {
    [FLAVOUR_ANY] = "any", [FLAVOUR_LIBBPF] = "libbpf", [FLAVOUR_BCC] = "bcc", [FLAVOUR_BPFTRACE] = "bpftrace"};

/* ---- lookup ---- */

const struct tool *catalog_tool(enum tool_id id) {
    return (unsigned)id > TOOL_NONE && (unsigned)id < TOOL__COUNT ? catalog_tools[id] : NULL;
}

const struct tool *catalog_find(struct span name) {
    for (size_t i = TOOL_NONE + 1; i < TOOL__COUNT; i++)
        if (span_eq_str(name, catalog_tools[i]->name)) return catalog_tools[i];
    return NULL;
}

const struct flavour *catalog_flavour(const struct tool *t, enum flavour_id id) {
    if (id == FLAVOUR_ANY && t->n_flavours > 0) return &t->flavours[0];
    for (size_t i = 0; i < t->n_flavours; i++)
        if (t->flavours[i].id == id) return &t->flavours[i];
    return NULL;
}

static bool contains(struct span text, const char *what) { return span_find_span(text, span_str(what)) < text.n; }

const struct flavour *catalog_guess(const struct tool *t, struct span text) {
    for (size_t i = 0; i < t->n_flavours; i++)
        for (size_t j = 0; j < COUNT_OF(t->flavours[i].tells) && t->flavours[i].tells[j]; j++)
            if (contains(text, t->flavours[i].tells[j])) return &t->flavours[i];
    bool python = contains(text, "Traceback (most recent call last)") || contains(text, "Unable to find kernel headers");
    const struct flavour *bcc = python ? catalog_flavour(t, FLAVOUR_BCC) : NULL;
    return bcc ? bcc : catalog_flavour(t, FLAVOUR_ANY);
}

const char *catalog_flavour_name(enum flavour_id id) { return (unsigned)id < FLAVOUR__COUNT ? flavour_names[id] : "unknown"; }

enum flavour_id catalog_flavour_find(struct span name) {
    if (span_eq_str(name, "bpfcc")) return FLAVOUR_BCC;
    for (unsigned i = 0; i < FLAVOUR__COUNT; i++)
        if (span_eq_str(name, flavour_names[i])) return (enum flavour_id)i;
    return FLAVOUR__COUNT;
}

const struct param_info *catalog_param(enum param_id id) {
    return (unsigned)id > PARAM_NONE && (unsigned)id < PARAM__COUNT ? &catalog_params[id] : NULL;
}

enum param_id catalog_param_find(struct span name) {
    for (unsigned i = PARAM_NONE + 1; i < PARAM__COUNT; i++)
        if (span_eq_str(name, catalog_params[i].name)) return (enum param_id)i;
    return PARAM_NONE;
}

/* ---- checks ---- */

static const struct flavour_param *offered(const struct flavour *f, enum param_id id) {
    for (size_t i = 0; i < f->n_params; i++)
        if (f->params[i].id == id) return &f->params[i];
    return NULL;
}

static const struct param *given(const struct params *ps, enum param_id id) {
    for (size_t i = 0; i < ps->n; i++)
        if (ps->p[i].id == id) return &ps->p[i];
    return NULL;
}

/* A name becomes an argument, so it must not look like an option, nor lead out of where a path begins. */
bool catalog_is_name(const struct param_info *info, const char name[PARAM_NAME_BYTES]) {
    size_t n = strnlen(name, PARAM_NAME_BYTES);
    if (n == 0 || n == PARAM_NAME_BYTES || name[n - 1] == '/') return false;
    bool first = true;
    for (size_t i = 0; i < n; i++) {
        char c = name[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
        bool ok = plain || (!first && (c == '.' || c == '-')) || (info->path && !first && (c == '/' || c == '@' || c == ':'));
        if (!ok) return false;
        first = c == '/';
    }
    return true;
}

static enum err check_value(const struct param *p, const struct param_info *info, struct buf *why) {
    switch (info->type) {
    case PARAM_TYPE_FLAG:
        if (p->number == 1) return ERR_OK;
        if (why) buf_add_fmt(why, "%s takes no value", info->name);
        return ERR_REFUSED;
    case PARAM_TYPE_NUMBER:
        if (p->id == PARAM_FAMILY && p->number == 5) break;
        if (p->number >= info->low && p->number <= info->high) return ERR_OK;
        if (why) buf_add_fmt(why, "%s must be %lld…%lld", info->name, (long long)info->low, (long long)info->high);
        return ERR_REFUSED;
    case PARAM_TYPE_NAME:
        if (catalog_is_name(info, p->name)) return ERR_OK;
        if (why)
            buf_add_fmt(why, "%s must be a name of letters, digits, '.', '_' and '-'%s, at most %d long", info->name,
                        info->path ? ", or several with '/' between" : "", PARAM_NAME_BYTES - 1);
        return ERR_REFUSED;
    }
    if (why) buf_add_fmt(why, "%s must be 4 or 6", info->name);
    return ERR_REFUSED;
}

static enum err check_one(const struct tool *t, const struct flavour *f, const struct params *ps, size_t i, struct buf *why) {
    const struct param *p = &ps->p[i];
    const struct param_info *info = catalog_param(p->id);
    if (!info) {
        if (why) buf_add_fmt(why, "there is no parameter %d", (int)p->id);
        return ERR_REFUSED;
    }
    enum err e = check_value(p, info, why); /* first: it is wrong in every flavour */
    if (e) return e;
    if (!offered(f, p->id)) {
        if (why) buf_add_fmt(why, "%s (%s) has no parameter %s", t->name, catalog_flavour_name(f->id), info->name);
        return ERR_REFUSED;
    }
    if (given(ps, p->id) != p) {
        if (why) buf_add_fmt(why, "%s is given twice", info->name);
        return ERR_REFUSED;
    }
    return ERR_OK;
}

static enum err check_pairs(const struct params *ps, struct buf *why) {
    static const enum param_id exclude[][2] = {{PARAM_KERNEL_ONLY, PARAM_USER_ONLY},       {PARAM_KERNEL_STACKS, PARAM_USER_STACKS},
                                               {PARAM_PER_PROCESS, PARAM_PER_THREAD},      {PARAM_PER_PROCESS, PARAM_PER_NAMESPACE},
                                               {PARAM_PER_THREAD, PARAM_PER_NAMESPACE},    {PARAM_PER_LOCAL, PARAM_PER_REMOTE}};
    for (size_t i = 0; i < COUNT_OF(exclude); i++) {
        if (!given(ps, exclude[i][0]) || !given(ps, exclude[i][1])) continue;
        if (why) buf_add_fmt(why, "%s and %s exclude each other", catalog_param(exclude[i][0])->name, catalog_param(exclude[i][1])->name);
        return ERR_REFUSED;
    }
    return ERR_OK;
}

enum err catalog_check(const struct tool *t, const struct flavour *f, const struct params *ps, struct buf *out_why) {
    if (!f->binaries[0]) {
        if (out_why) buf_add_fmt(out_why, "%s of %s can be read but not run", t->name, catalog_flavour_name(f->id));
        return ERR_REFUSED;
    }
    if (ps->n > PARAMS_MAX) {
        if (out_why) buf_add_fmt(out_why, "more than %d parameters", PARAMS_MAX);
        return ERR_REFUSED;
    }
    for (size_t i = 0; i < ps->n; i++) {
        enum err e = check_one(t, f, ps, i, out_why);
        if (e) return e;
    }
    return check_pairs(ps, out_why);
}

/* ---- argv ---- */

/* The vector under construction: room for everything that a row and PARAMS_MAX parameters can give. */
struct vector {
    struct arena *mem;
    const char **v;
    size_t n;
};
enum { VECTOR_MAX = 1 + 4 + 2 * PARAMS_MAX + 8 + 1 };

static enum err add(struct vector *to, const char *text) {
    struct span copy = arena_copy(to->mem, span_str(text));
    if (!copy.p) return ERR_NOMEM;
    to->v[to->n++] = copy.p;
    return ERR_OK;
}

static enum err add_number(struct vector *to, int64_t number) {
    char text[24];
    snprintf(text, sizeof text, "%lld", (long long)number);
    return add(to, text);
}

static bool is_default(const struct flavour *f, const char *flag) {
    for (size_t i = 0; i < COUNT_OF(f->defaults) && f->defaults[i]; i++)
        if (span_eq_str(span_str(flag), f->defaults[i])) return true;
    return false;
}

/* A flag that makes several parameters work (-T of interval and rounds) is given once. */
static bool is_there(const struct vector *to, const char *flag) {
    for (size_t i = 1; i < to->n; i++)
        if (span_eq_str(span_str(flag), to->v[i])) return true;
    return false;
}

static enum err add_value(struct vector *to, const struct param *p, const struct param_info *info) {
    char path[sizeof CGROUP_ROOT + PARAM_NAME_BYTES];
    if (info->type == PARAM_TYPE_NUMBER) return add_number(to, p->number);
    if (info->type == PARAM_TYPE_FLAG) return add(to, "1");
    if (!info->path) return add(to, p->name);
    snprintf(path, sizeof path, CGROUP_ROOT "%s", p->name);
    return add(to, path);
}

static enum err add_param(struct vector *to, const struct flavour *f, const struct param *p) {
    const struct flavour_param *how = offered(f, p->id);
    const struct param_info *info = catalog_param(p->id);
    if (!how || !info) return ERR_REFUSED;
    bool marks = p->id == PARAM_INTERVAL_S || p->id == PARAM_ROUNDS;
    if (how->flag[0] == '\0') return ERR_OK; /* argv has a place for it */
    if (span_eq_str(span_str(how->flag), "-=")) return add_number(to, -p->number);
    if ((info->type == PARAM_TYPE_FLAG || marks) && (is_default(f, how->flag) || is_there(to, how->flag))) return ERR_OK;
    enum err e = add(to, how->flag);
    return e || info->type == PARAM_TYPE_FLAG || marks ? e : add_value(to, p, info);
}

/* How the duration is divided: whole intervals that fit into it, at least one. */
struct division {
    int64_t interval, count;
};

static struct division divide(const struct flavour *f, const struct params *ps, unsigned seconds) {
    const struct param *interval = given(ps, PARAM_INTERVAL_S), *rounds = given(ps, PARAM_ROUNDS);
    int64_t whole = (int64_t)seconds, each = f->interval_s ? (int64_t)f->interval_s : whole;
    if (interval && interval->number >= 1)
        each = interval->number;
    else if (rounds && rounds->number >= 1)
        each = whole / rounds->number;
    if (each < 1) each = 1;
    if (each > whole) each = whole;
    int64_t count = whole / each;
    if (rounds && rounds->number >= 1 && rounds->number < count) count = rounds->number;
    return (struct division){each, count};
}

/* "{pid}": its value, or what stands for none. */
static enum err add_place(struct vector *to, const char *word, const struct params *ps) {
    struct span w = span_str(word);
    bool is_place = w.n > 2 && w.p[0] == '{' && w.p[w.n - 1] == '}';
    enum param_id id = is_place ? catalog_param_find(span_of(w.p + 1, w.n - 2)) : PARAM_NONE;
    if (id == PARAM_NONE) return add(to, word);
    const struct param_info *info = catalog_param(id);
    const struct param *p = given(ps, id);
    if (p) return add_value(to, p, info);
    return add(to, info->type == PARAM_TYPE_NAME ? "" : "0");
}

static enum err add_template(struct vector *to, const char *word, const struct flavour *f, const struct params *ps, unsigned seconds) {
    const struct param *min = given(ps, PARAM_MIN_MS);
    struct division d = divide(f, ps, seconds);
    struct span w = span_str(word);
    if (span_eq_str(w, "{seconds}")) return add_number(to, seconds);
    if (span_eq_str(w, "{interval}")) return add_number(to, d.interval);
    if (span_eq_str(w, "{count}")) return add_number(to, d.count);
    if (span_eq_str(w, "{intervals}")) return add_number(to, d.interval * d.count);
    if (!span_eq_str(w, "{min-ms}")) return add_place(to, word, ps);
    if (min) return add_number(to, min->number);
    return f->min_ms ? add_number(to, f->min_ms) : ERR_OK;
}

enum err catalog_argv(const struct flavour *f, const char *argv0, const struct params *ps, unsigned seconds, struct arena *mem,
                      const char *const **out) {
    if (seconds == 0 || ps->n > PARAMS_MAX) return ERR_REFUSED;
    struct vector to = {.mem = mem, .v = arena_array(mem, VECTOR_MAX, sizeof *to.v)};
    if (!to.v) return ERR_NOMEM;
    enum err e = add(&to, argv0);
    for (size_t i = 0; !e && i < COUNT_OF(f->defaults) && f->defaults[i]; i++) e = add(&to, f->defaults[i]);
    for (size_t i = 0; !e && i < ps->n; i++) e = add_param(&to, f, &ps->p[i]);
    for (size_t i = 0; !e && i < COUNT_OF(f->argv) && f->argv[i]; i++) e = add_template(&to, f->argv[i], f, ps, seconds);
    if (!e) *out = to.v;
    return e;
}
