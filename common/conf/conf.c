#include "common/conf/conf.h"

#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdarg.h>
#include <stdio.h>

#include "common/base/auto.h"
#include "common/base/log.h"
#include "common/base/utf8.h"
#include "common/conf/conf_value.h"

enum { FILE_BYTES = 1 << 20, SHOWN_BYTES = 80 };

/* One load.  inih has no line numbers and cuts long lines in two, so the lines are handed to it one by one. */
struct load {
    const struct conf_item *items;
    size_t n;
    const char *path;
    void *target;
    char *why;
    size_t why_size;
    unsigned *set_in; /* per item: the line that set it, 0 none */
    struct span rest; /* of the file */
    unsigned line;
    bool indented; /* the line continues the value of the one above, if there is one */
    enum err failed;
};

__attribute__((format(printf, 3, 4))) static void fail(struct load *l, enum err e, const char *fmt, ...) {
    if (l->failed) return; /* the first is the one to mend first */
    l->failed = e;
    int n = l->line ? snprintf(l->why, l->why_size, "%s:%u: ", l->path, l->line) : snprintf(l->why, l->why_size, "%s: ", l->path);
    if (n < 0 || (size_t)n >= l->why_size) return;
    va_list args;
    va_start(args, fmt);
    vsnprintf(l->why + n, l->why_size - (size_t)n, fmt, args);
    va_end(args);
}

static size_t min3(size_t a, size_t b, size_t c) {
    size_t m = a < b ? a : b;
    return m < c ? m : c;
}

/* Edit distance; SIZE_MAX for what is too long to be a slip. */
static size_t distance(struct span a, struct span b) {
    enum { LONGEST = 63 };
    size_t row[LONGEST + 1];
    if (a.n > LONGEST || b.n > LONGEST) return SIZE_MAX;
    for (size_t j = 0; j <= b.n; j++) row[j] = j;
    for (size_t i = 1; i <= a.n; i++) {
        size_t above_left = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.n; j++) {
            size_t above = row[j];
            row[j] = min3(above + 1, row[j - 1] + 1, above_left + (a.p[i - 1] != b.p[j - 1]));
            above_left = above;
        }
    }
    return row[b.n];
}

static void fail_unknown(struct load *l, const char *key) {
    const char *nearest = NULL;
    size_t best = strlen(key) / 3 + 1;
    for (size_t i = 0; i < l->n; i++) {
        size_t d = distance(span_str(key), span_str(l->items[i].key));
        if (d > best) continue;
        if (d < best || !nearest) nearest = l->items[i].key;
        best = d;
    }
    char shown[SHOWN_BYTES];
    log_escape(span_str(key), shown, sizeof shown);
    if (nearest) fail(l, ERR_SYNTAX, "unknown key \"%s\"; did you mean \"%s\"?", shown, nearest);
    else fail(l, ERR_SYNTAX, "unknown key \"%s\"", shown);
}

static void set(struct load *l, const struct conf_item *item, const char *text) {
    struct buf expected;
    buf_init(&expected, 256);
    enum err e = conf_value_set(item, span_str(text), l->target, &expected);
    if (e == ERR_NOMEM) {
        fail(l, e, "%s: out of memory", item->key);
    } else if (e) {
        char shown[SHOWN_BYTES];
        log_escape(span_str(text), shown, sizeof shown);
        fail(l, e, "%s: expected %s, not \"%s\"", item->key, buf_str(&expected), shown);
    }
    buf_done(&expected);
}

/* inih's callback for "key = value"; 0 counts as an error there, ours are kept in l. */
static int take(void *arg, const char *section, const char *key, const char *value) {
    struct load *l = arg;
    size_t i = 0;
    if (l->failed) return 0;
    if (section[0] && strcmp(section, "trawl") != 0) {
        char shown[SHOWN_BYTES];
        log_escape(span_str(section), shown, sizeof shown);
        fail(l, ERR_SYNTAX, "unknown section [%s]; there is only [trawl]", shown);
        return 0;
    }
    while (i < l->n && strcmp(l->items[i].key, key) != 0) i++;
    if (i == l->n) {
        fail_unknown(l, key);
    } else if (l->indented && l->set_in[i] && l->items[i].type != CONF_WORDS) {
        fail(l, ERR_SYNTAX, "an indented line continues \"%s\", which has one value; begin the line at its left edge", key);
    } else if (l->set_in[i] && !l->indented) {
        fail(l, ERR_SYNTAX, "\"%s\" is set a second time; the first is in line %u", key, l->set_in[i]);
    } else {
        if (!l->set_in[i]) l->set_in[i] = l->line;
        set(l, &l->items[i], value);
    }
    return !l->failed;
}

/* inih's fgets: the next line, or the end after a failure. */
static char *next_line(char *to, int size, void *arg) {
    struct load *l = arg;
    struct span line;
    if (l->failed || !span_line(&l->rest, &line)) return NULL;
    l->line++;
    l->indented = line.n > 0 && (line.p[0] == ' ' || line.p[0] == '\t');
    line = span_trim_end(line);
    if (line.n + 2 > (size_t)size) {
        fail(l, ERR_SYNTAX, "the line is longer than %d bytes%s", size - 2, "; words may go on in the next line, indented");
        return NULL;
    }
    if (!utf8_valid(line) || span_find(line, '\0') < line.n) {
        fail(l, ERR_SYNTAX, "the line is not UTF-8 text");
        return NULL;
    }
    if (line.n) memcpy(to, line.p, line.n);
    memcpy(to + line.n, "\n", 2);
    return to;
}

static void read_file(struct load *l, struct buf *out) {
    AUTO_CLOSE int fd = open(l->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    ssize_t got = fd < 0 ? -1 : 1;
    while (got > 0 && !l->failed) {
        enum { CHUNK = 4096 };
        char *to = buf_reserve(out, CHUNK);
        if (!to) {
            fail(l, ERR_SYS, "%s", buf_failed(out) == ERR_NOMEM ? "out of memory" : "the file is larger than 1 MiB");
            return;
        }
        do got = read(fd, to, CHUNK);
        while (got < 0 && errno == EINTR);
        if (got > 0) buf_grew(out, (size_t)got);
    }
    if (got < 0) fail(l, ERR_SYS, "%s", strerror(errno));
}

static void parse_file(struct load *l) {
    struct buf file;
    buf_init(&file, FILE_BYTES);
    read_file(l, &file);
    l->rest = buf_span(&file);
    int bad = l->failed ? 0 : ini_parse_stream(next_line, l, take, l);
    if (bad && !l->failed) {
        l->line = bad > 0 ? (unsigned)bad : 0;
        fail(l, ERR_SYNTAX, "expected \"key = value\" or \"[trawl]\"");
    }
    buf_done(&file);
    l->line = 0;
}

static void fill_defaults(struct load *l) {
    for (size_t i = 0; i < l->n && !l->failed; i++) {
        const struct conf_item *item = &l->items[i];
        if (l->set_in[i]) continue;
        if (item->fallback) set(l, item, item->fallback);
        else fail(l, ERR_SYNTAX, "\"%s\" is missing: %s", item->key, item->help);
    }
}

enum err conf_load(const struct conf_item *items, size_t n, const char *path, void *target, char *why, size_t why_size) {
    struct load l = {.items = items, .n = n, .path = path ? path : "defaults", .target = target, .why = why, .why_size = why_size};
    AUTO_FREE unsigned *set_in = calloc(n ? n : 1, sizeof *set_in);
    l.set_in = set_in;
    for (size_t i = 0; i < n; i++) conf_value_clear(&items[i], target);
    if (!set_in) fail(&l, ERR_NOMEM, "out of memory");
    else if (path) parse_file(&l);
    if (!l.failed) fill_defaults(&l);
    if (l.failed) conf_done(items, n, target);
    return l.failed;
}

void conf_done(const struct conf_item *items, size_t n, void *target) {
    for (size_t i = 0; i < n; i++) conf_value_done(&items[i], target);
}

void conf_example(const struct conf_item *items, size_t n, struct buf *out) {
    buf_add_str(out, "[trawl]\n");
    for (size_t i = 0; i < n; i++) {
        buf_add_fmt(out, "\n# %s (", items[i].help);
        conf_value_expected(&items[i], out);
        buf_add_str(out, items[i].fallback ? ")\n" : "; required)\n");
        buf_add_fmt(out, "# %s =%s%s\n", items[i].key, items[i].fallback && items[i].fallback[0] ? " " : "",
                    items[i].fallback ? items[i].fallback : "");
    }
}

/* scdoc takes some marks for typography. */
static void add_escaped(struct buf *out, const char *z) {
    for (; *z; z++) {
        if (strchr("\\*_", *z)) buf_add_char(out, '\\');
        buf_add_char(out, *z);
    }
}

void conf_manual(const struct conf_item *items, size_t n, struct buf *out) {
    struct buf expected;
    buf_init(&expected, 0);
    for (size_t i = 0; i < n; i++) {
        const char *fallback = items[i].fallback;
        buf_reset(&expected);
        conf_value_expected(&items[i], &expected);
        buf_add_str(out, "*");
        add_escaped(out, items[i].key);
        buf_add_str(out, "* = ");
        add_escaped(out, buf_failed(&expected) ? "" : buf_str(&expected));
        if (!fallback) buf_add_str(out, "; required");
        buf_add_str(out, "++\n\t");
        add_escaped(out, items[i].help);
        buf_add_str(out, ".");
        if (fallback && fallback[0]) {
            buf_add_str(out, " Default: *");
            add_escaped(out, fallback);
            buf_add_str(out, "*.");
        }
        buf_add_str(out, "\n\n");
    }
    buf_done(&expected);
}

enum err conf_print(const struct conf_item *items, size_t n, const char *form, FILE *to) {
    struct buf b;
    if (form && strcmp(form, "scdoc") != 0) return ERR_NOTFOUND;
    buf_init(&b, 0);
    if (form) conf_manual(items, n, &b);
    else conf_example(items, n, &b);
    enum err e = buf_failed(&b);
    if (!e && (fwrite(b.p ? b.p : "", 1, b.n, to) != b.n || fflush(to) != 0)) e = ERR_SYS;
    buf_done(&b);
    return e;
}
