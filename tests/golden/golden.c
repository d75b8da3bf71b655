/* Reads print-outs recorded from real tools and compares what the parser understood with FILE.want, a fact a line.
 *   golden DIR      checks DIR/TOOL/CASE.txt (and CASE.err) against CASE.want; BLESS=1 writes the .want files
 *   golden TOOL OUT [ERR]   prints the facts of one print-out
 * A new .want file is checked by eye before it is committed. */
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "common/catalog/catalog.h"

enum { FILE_BYTES = 64 << 20, ROWS_SHOWN = 6, STACKS_SHOWN = 6, FRAMES_MAX = 512 };

/* ---- facts ---- */

static void add_text(struct buf *b, struct span s) {
    buf_add_char(b, '"');
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c < 0x20 || c > 0x7e || c == '"' || c == '\\')
            buf_add_fmt(b, "\\x%02x", c);
        else
            buf_add_char(b, (char)c);
    }
    buf_add_char(b, '"');
}

static void add_hist(struct buf *b, const struct hist *h) {
    buf_add_str(b, "histogram unit ");
    add_text(b, h->unit);
    buf_add_fmt(b, " %s interval ", h->scale == HIST_LOG2 ? "log2" : "linear");
    add_text(b, h->interval);
    buf_add_str(b, " section");
    for (size_t i = 0; i < h->n_section; i++) {
        buf_add_char(b, ' ');
        add_text(b, h->section[i].key);
        buf_add_char(b, '=');
        add_text(b, h->section[i].value);
    }
    buf_add_fmt(b, " total %llu slots %zu\n  counts", (unsigned long long)hist_total(h), h->n_slots);
    for (size_t i = 0; i < h->n_slots; i++) {
        const struct hist_slot *s = &h->slots[i];
        if (s->count == 0) continue;
        buf_add_fmt(b, " %llu..", (unsigned long long)s->low);
        if (s->high != HIST_OPEN) buf_add_u64(b, s->high);
        buf_add_fmt(b, ":%llu", (unsigned long long)s->count);
    }
    buf_add_char(b, '\n');
}

static void add_row(struct buf *b, const struct events *e, size_t row) {
    struct buf cell;
    buf_init(&cell, 0);
    buf_add_fmt(b, "row %zu", row);
    for (size_t i = 0; i < e->n_columns; i++) {
        buf_reset(&cell);
        events_cell(e, row, i, &cell);
        buf_add_char(b, ' ');
        add_text(b, buf_span(&cell));
    }
    buf_add_char(b, '\n');
    buf_done(&cell);
    if (!e->stack_of || !e->stack_of[row]) return;
    buf_add_str(b, "  stack");
    for (uint32_t n = e->stacks.rows[e->stack_of[row] - 1].leaf; n != STACKS_ROOT; n = e->stacks.nodes[n].parent) {
        buf_add_char(b, ' ');
        add_text(b, e->stacks.strings.text[e->stacks.nodes[n].frame]);
    }
    buf_add_char(b, '\n');
}

static bool is_odd(struct span s) {
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < 0x20 || (unsigned char)s.p[i] > 0x7e) return true;
    return false;
}

/* The first rows, the last one, and those with text worth a look. */
static bool is_shown(const struct events *e, size_t row) {
    if (row < ROWS_SHOWN || row + 1 == e->n_rows) return true;
    for (size_t i = 0; i < e->n_columns; i++)
        if (!column_is_number(e->columns[i].type) && is_odd(e->strings.text[e->columns[i].text[row]])) return true;
    return false;
}

static void add_events(struct buf *b, const struct events *e) {
    buf_add_fmt(b, "rows %zu\n", e->n_rows);
    for (size_t i = 0; i < e->n_columns; i++) {
        const struct column *c = &e->columns[i];
        static const char *const types[] = {"int", "decimal", "port", "text", "address", "time"};
        buf_add_str(b, "column ");
        add_text(b, c->name);
        buf_add_fmt(b, " %s", types[c->type]);
        if (c->unit.n) buf_add_fmt(b, " unit %.*s", (int)c->unit.n, c->unit.p);
        int64_t sum = 0, nulls = 0;
        for (size_t r = 0; r < e->n_rows && column_is_number(c->type); r++) {
            if (c->number[r] == EVENTS_NULL)
                nulls++;
            else
                sum += c->number[r];
        }
        if (column_is_number(c->type)) buf_add_fmt(b, " decimals %u sum %lld nulls %lld", c->decimals, (long long)sum, (long long)nulls);
        buf_add_char(b, '\n');
    }
    for (size_t r = 0; r < e->n_rows; r++)
        if (is_shown(e, r)) add_row(b, e, r);
}

static void add_stacks(struct buf *b, const struct stacks *s) {
    static const char kinds[] = {' ', 'u', 'k'};
    buf_add_fmt(b, "stacks rows %zu nodes %zu total %llu unit %.*s\n", s->n_rows, s->n_nodes, (unsigned long long)stacks_total(s),
                (int)s->unit.n, s->unit.p);
    for (size_t i = 0; i < s->n_rows; i++) {
        const struct stack_row *r = &s->rows[i];
        if (i >= STACKS_SHOWN && !is_odd(s->strings.text[r->comm])) continue;
        buf_add_fmt(b, "stack %llu pid %lld comm ", (unsigned long long)r->count, (long long)r->pid);
        add_text(b, s->strings.text[r->comm]);
        uint32_t nodes[FRAMES_MAX];
        size_t depth = stacks_frames(s, r->leaf, nodes, FRAMES_MAX);
        for (size_t j = 0; j < depth && j < FRAMES_MAX; j++) {
            buf_add_fmt(b, " %c", kinds[s->nodes[nodes[j]].kind]);
            add_text(b, s->strings.text[s->nodes[nodes[j]].frame]);
        }
        buf_add_char(b, '\n');
    }
}

static void add_facts(struct buf *b, const struct capture *c) {
    buf_add_fmt(b, "kind %s\nflavour %.*s\n", capture_kind_name(c->kind), (int)c->flavour.n, c->flavour.p);
    if (c->failed) buf_add_str(b, "failed\n");
    if (c->partial) buf_add_str(b, "partial\n");
    buf_add_fmt(b, "ledger kernel %llu tool %llu parse %llu\n", (unsigned long long)c->ledger.kernel, (unsigned long long)c->ledger.tool,
                (unsigned long long)c->ledger.parse);
    for (size_t i = 0; i < c->n_notes; i++) {
        buf_add_str(b, "note ");
        add_text(b, c->notes[i]);
        buf_add_char(b, '\n');
    }
    if (c->leftover.n) {
        buf_add_str(b, "leftover ");
        add_text(b, c->leftover);
        buf_add_char(b, '\n');
    }
    for (size_t i = 0; i < c->hists.n; i++) add_hist(b, &c->hists.hists[i]);
    if (c->kind == RESULT_EVENTS) add_events(b, &c->events);
    if (c->kind == RESULT_STACKS) add_stacks(b, &c->stacks);
}

/* ---- files ---- */

/* False: there is none. */
static bool read_file(const char *path, struct buf *out) {
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    for (;;) {
        char *room = buf_reserve(out, 65536);
        ssize_t n = room ? read(fd, room, 65536) : -1;
        if (n <= 0) return n == 0;
        buf_grew(out, (size_t)n);
    }
}

static bool write_file(const char *path, struct span text) {
    AUTO_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    return fd >= 0 && write(fd, text.p, text.n) == (ssize_t)text.n;
}

static bool understand(const char *tool, struct span out, struct span err, struct buf *facts) {
    const struct tool *t = catalog_find(span_str(tool));
    const struct flavour *f = t ? catalog_guess(t, out.n ? out : err) : NULL;
    AUTO(arena_free) struct arena *mem = arena_new(512u << 20);
    struct parse_input in = {.out = out, .err = err};
    struct capture c;
    if (!f || !mem || parse_output(&f->parse, &in, mem, &c)) {
        printf("%s: cannot be parsed\n", tool);
        return false;
    }
    c.flavour = span_str(catalog_flavour_name(f->id));
    add_facts(facts, &c);
    return true;
}

static void show_difference(const char *path, struct span want, struct span have) {
    struct span a, b;
    for (unsigned line = 1;; line++) {
        bool more_a = span_line(&want, &a), more_b = span_line(&have, &b);
        if (!more_a && !more_b) return;
        if (more_a && more_b && span_eq(a, b)) continue;
        printf("%s:%u\n  want %.*s\n  have %.*s\n", path, line, more_a ? (int)a.n : 0, more_a ? a.p : "", more_b ? (int)b.n : 0,
               more_b ? b.p : "");
        return;
    }
}

static bool check_case(const char *dir, const char *tool, struct span name, bool bless) {
    char path[1024];
    struct buf out, err, want, have;
    buf_init(&out, FILE_BYTES), buf_init(&err, FILE_BYTES), buf_init(&want, FILE_BYTES), buf_init(&have, FILE_BYTES);
    snprintf(path, sizeof path, "%s/%s/%.*s.txt", dir, tool, (int)name.n, name.p);
    bool ok = read_file(path, &out);
    snprintf(path, sizeof path, "%s/%s/%.*s.err", dir, tool, (int)name.n, name.p);
    IGNORED(read_file(path, &err)); /* most have none */
    snprintf(path, sizeof path, "%s/%s/%.*s.want", dir, tool, (int)name.n, name.p);
    ok = ok && understand(tool, buf_span(&out), buf_span(&err), &have);
    if (ok && bless)
        ok = write_file(path, buf_span(&have));
    else if (ok) {
        ok = read_file(path, &want) && span_eq(buf_span(&want), buf_span(&have));
        if (!ok) show_difference(path, buf_span(&want), buf_span(&have));
    }
    buf_done(&out), buf_done(&err), buf_done(&want), buf_done(&have);
    return ok;
}

static void check_tool(const char *dir, const char *tool, bool bless, unsigned *checked, unsigned *failed) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s", dir, tool);
    struct dirent **list;
    int n = scandir(path, &list, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        struct span name = span_str(list[i]->d_name);
        if (span_ends(name, SPAN_LIT(".txt"))) {
            ++*checked;
            *failed += !check_case(dir, tool, span_head(name, name.n - 4), bless);
        }
        free(list[i]);
    }
    if (n >= 0) free(list);
}

static int check_all(const char *dir) {
    bool bless = getenv("BLESS") != NULL;
    unsigned checked = 0, failed = 0;
    for (size_t i = TOOL_NONE + 1; i < TOOL__COUNT; i++) check_tool(dir, catalog_tool((enum tool_id)i)->name, bless, &checked, &failed);
    printf("%u print-outs %s, %u failed\n", checked, bless ? "blessed" : "checked", failed);
    return failed || !checked;
}

int main(int argc, char **argv) {
    if (argc == 2) return check_all(argv[1]);
    if (argc != 3 && argc != 4) return 2;
    struct buf out, err, facts;
    buf_init(&out, FILE_BYTES), buf_init(&err, FILE_BYTES), buf_init(&facts, FILE_BYTES);
    bool ok = read_file(argv[2], &out) && (argc == 3 || read_file(argv[3], &err)) && understand(argv[1], buf_span(&out), buf_span(&err), &facts);
    printf("%.*s", (int)facts.n, facts.n ? facts.p : "");
    buf_done(&out), buf_done(&err), buf_done(&facts);
    return !ok;
}
