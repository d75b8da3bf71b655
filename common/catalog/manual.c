#include "common/catalog/manual.h"

#include <linux/capability.h>

enum { SECONDS = 10, ARENA_BYTES = 16 * 1024 };

static const struct {
    int number;
    const char *name;
} capabilities[] = {{CAP_BPF, "BPF"},       {CAP_PERFMON, "PERFMON"},       {CAP_DAC_READ_SEARCH, "DAC_READ_SEARCH"},
                    {CAP_SYSLOG, "SYSLOG"}, {CAP_SYS_PTRACE, "SYS_PTRACE"}, {CAP_SYS_ADMIN, "SYS_ADMIN"}};

/* A cell may not hold a bar. */
static void add_text(struct buf *out, const char *text) {
    for (; *text; text++) {
        if (*text == '|') buf_add_char(out, '\\');
        buf_add_char(out, *text);
    }
}

/* ", " before all but the first of a cell's items. */
static void add_item(struct buf *out, bool *any, const char *before, const char *text) {
    if (*any) buf_add_str(out, ", ");
    *any = true;
    buf_add_str(out, before);
    add_text(out, text);
}

static enum err add_argv(struct buf *out, const struct flavour *f) {
    static const struct params none;
    AUTO(arena_free) struct arena *mem = arena_new(ARENA_BYTES);
    const char *const *argv;
    enum err e = mem ? catalog_argv(f, f->binaries[0], &none, SECONDS, mem, &argv) : ERR_NOMEM;
    if (e) return e;
    buf_add_char(out, '`');
    for (size_t i = 0; argv[i]; i++) {
        if (i) buf_add_char(out, ' ');
        if (argv[i][0] == '\0')
            buf_add_str(out, "''");
        else
            buf_add_str(out, f->program && span_eq_str(span_str(argv[i]), "{program}") ? f->program : argv[i]);
    }
    buf_add_str(out, f->end == END_BY_SIGINT ? "`, SIGINT" : "`");
    return ERR_OK;
}

static void add_needs(struct buf *out, const struct flavour *f) {
    bool any = false;
    if (f->needs_btf) add_item(out, &any, "", "BTF");
    if (f->needs_tracefs) add_item(out, &any, "", "tracefs");
    if (f->needs_headers) add_item(out, &any, "", "headers");
    for (size_t i = 0; i < COUNT_OF(f->functions) && f->functions[i]; i++)
        add_item(out, &any, f->id == FLAVOUR_BCC ? "kprobe " : "fentry or kprobe ", f->functions[i]);
    for (size_t i = 0; i < COUNT_OF(f->tracepoints) && f->tracepoints[i]; i++) add_item(out, &any, "", f->tracepoints[i]);
    for (size_t i = 0; i < COUNT_OF(f->fields) && f->fields[i]; i++) add_item(out, &any, "", f->fields[i]);
    if (f->fails_with_field) add_item(out, &any, "no ", f->fails_with_field);
    if (f->fails_with_macro) {
        add_item(out, &any, "no macro ", f->fails_with_macro);
        buf_add_fmt(out, " before %s", f->compiles_from);
    }
}

static void add_capabilities(struct buf *out, const struct flavour *f) {
    bool any = false;
    if (f->as_root) buf_add_str(out, "root with only ");
    for (size_t i = 0; i < COUNT_OF(capabilities); i++)
        if (f->capabilities >> capabilities[i].number & 1) add_item(out, &any, "", capabilities[i].name);
    if (f->perf_events) add_item(out, &any, "", "SYS_ADMIN where perf_event_paranoid is over 2");
}

static void add_limits(struct buf *out, const struct flavour *f) {
    if (f->known_wrong) add_text(out, f->known_wrong);
    if (f->known_wrong && f->parse.limits) buf_add_str(out, "; ");
    if (f->parse.limits) add_text(out, f->parse.limits);
}

static enum err add_row(struct buf *out, const struct tool *t, const struct flavour *f) {
    static const char *const grammars[] = {
        [GRAMMAR_HISTOGRAM] = "histogram", [GRAMMAR_TABLE] = "table", [GRAMMAR_STACKS] = "stacks", [GRAMMAR_JSON] = "JSON lines"};
    buf_add_fmt(out, "| %s | %s | ", t->name, catalog_flavour_name(f->id));
    enum err e = add_argv(out, f);
    if (e) return e;
    buf_add_str(out, " | ");
    add_needs(out, f);
    buf_add_str(out, " | ");
    add_capabilities(out, f);
    buf_add_fmt(out, " | %s | ", grammars[f->parse.grammar]);
    add_limits(out, f);
    buf_add_str(out, " |\n");
    return ERR_OK;
}

enum err manual_table(struct buf *out) {
    buf_add_str(
        out,
        "| tool | flavour | argv (10 s) | needs of the kernel | capabilities | grammar | known limits |\n|---|---|---|---|---|---|---|\n");
    for (int id = TOOL_NONE + 1; id < TOOL__COUNT; id++) {
        const struct tool *t = catalog_tool((enum tool_id)id);
        for (size_t i = 0; i < t->n_flavours; i++) {
            enum err e = add_row(out, t, &t->flavours[i]);
            if (e) return e;
        }
    }
    return buf_failed(out) ? ERR_NOMEM : ERR_OK;
}
