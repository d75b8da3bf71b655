#include "console/cli/verb_parse.h"

#include <errno.h>
#include <fcntl.h>

#include "common/json/json.h"
#include "common/sys/fds.h"
#include "common/wire/limits.h"
#include "console/render/body.h"
#include "console/render/chart.h"

enum { FILE_BYTES_MAX = 1024 * 1024 * 1024, ROWS = 20 };

/* FILE or "-" for standard input. */
static bool read_input(const char *path, struct buf *out) {
    buf_init(out, FILE_BYTES_MAX);
    enum err e = fds_read_file(strcmp(path, "-") == 0 ? "/dev/stdin" : path, out);
    if (e) args_complain("parse", "%s: %s", path, e == ERR_SYS ? strerror(errno) : err_text(e));
    return !e;
}

/* By the flavour asked for, or by the one that it looks like. */
static enum err parse_text(const struct tool *t, enum flavour_id wanted, struct span text, struct arena *mem, struct capture *out) {
    struct parse_input in = {.out = text};
    const struct flavour *f = wanted == FLAVOUR_ANY ? catalog_guess(t, text) : catalog_flavour(t, wanted);
    enum err e = parse_output(&f->parse, &in, mem, out);
    if (e) return e;
    out->tool = span_str(t->name);
    out->flavour = span_str(catalog_flavour_name(f->id));
    if (out->kind == RESULT_NONE) out->kind = t->kind;
    return ERR_OK;
}

static bool nothing_understood(const struct capture *c) {
    return c->ledger.parse > 0 && c->hists.n == 0 && c->events.n_rows == 0 && c->stacks.n_rows == 0;
}

static enum err print_table(const struct capture *c, const struct tool *t) {
    struct screen s = screen_on(stdout);
    enum err e = ERR_OK;
    for (size_t i = 0; i < c->n_notes; i++) {
        fputs("note: ", stdout);
        screen_print(&s, c->notes[i]);
        fputc('\n', stdout);
    }
    for (size_t i = 0; i < c->hists.n; i++) {
        if (c->hists.hists[i].interval.n) {
            screen_print(&s, c->hists.hists[i].interval);
            fputc('\n', stdout);
        }
        chart_print(&c->hists.hists[i], t, NULL, &s);
    }
    if (c->kind == RESULT_EVENTS) {
        struct host_events h = {.host = c->flavour, .events = c->events};
        e = body_events(&h, 1, ROWS, c->events.n_rows, &s);
    }
    if (c->kind == RESULT_STACKS) body_stacks(&c->stacks, ROWS, stacks_total(&c->stacks), &s);
    if (c->ledger.parse) printf("%llu line%s not understood\n", (unsigned long long)c->ledger.parse, c->ledger.parse == 1 ? " was" : "s were");
    return e;
}

static enum err print_capture(const struct capture *c, const struct tool *t, const struct args *a) {
    if (a->output == OUTPUT_TABLE) return print_table(c, t);
    struct buf text;
    buf_init(&text, 0);
    enum err e = json_capture(c, &text);
    if (!e) fwrite(text.p, 1, text.n, stdout);
    buf_done(&text);
    return e;
}

/* One file, with an arena of its own: an answer each, whatever became of those before. */
static int parse_file(const char *path, const struct tool *t, enum flavour_id wanted, const struct args *a) {
    AUTO(arena_free) struct arena *mem = arena_new(LIMIT_OFFLINE_ARENA_BYTES);
    struct buf text;
    struct capture c;
    int code = EXIT_FAILED;
    if (mem && read_input(path, &text)) {
        enum err e = parse_text(t, wanted, buf_span(&text), mem, &c);
        if (!e) e = print_capture(&c, t, a);
        if (e) args_complain("parse", "%s: %s", path, err_text(e));
        code = e || c.failed || nothing_understood(&c) ? EXIT_FAILED : EXIT_OK;
    }
    if (mem) buf_done(&text);
    return code;
}

int verb_parse(const struct args *a) {
    const struct tool *t = catalog_find(span_str(a->words[0]));
    enum flavour_id wanted = a->flavour ? catalog_flavour_find(span_str(a->flavour)) : FLAVOUR_ANY;
    if (!t) {
        args_complain("parse", "there is no tool \"%s\"; trawl tools lists them", a->words[0]);
        return EXIT_USAGE;
    }
    if (wanted != FLAVOUR_ANY && !catalog_flavour(t, wanted)) {
        args_complain("parse", "%s has no flavour \"%s\"; see: trawl tools %s", t->name, a->flavour, t->name);
        return EXIT_USAGE;
    }
    if (a->output == OUTPUT_CSV) {
        args_complain("parse", "-o is table or json here");
        return EXIT_USAGE;
    }
    int code = EXIT_OK;
    for (size_t i = 1; i < a->n_words; i++) {
        int one = parse_file(a->words[i], t, wanted, a);
        if (one != EXIT_OK) code = one;
    }
    return code;
}
