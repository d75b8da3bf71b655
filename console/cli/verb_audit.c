#include "console/cli/verb_audit.h"

#include <errno.h>

#include "common/audit/audit_check.h"
#include "common/base/clock.h"
#include "common/json/json_audit.h"
#include "common/sys/fds.h"
#include "console/cli/ask.h"
#include "console/render/table.h"

#define BUF __attribute__((cleanup(buf_done))) struct buf

enum { WHY_BYTES = 512, PATH_BYTES = 4096, OLD_FILES = 9, ROWS = 50, LINE_ARENA_BYTES = 64 * 1024, ID_SHOWN = 12 };
static const size_t LOG_BYTES = (size_t)1 << 30;

/* ---- where the lines come from ---- */

/* The whole log of the collector and its newest checkpoint. */
static bool fetch(struct ask *k, struct buf *lines, struct buf *checkpoint) {
    uint64_t offset = 0;
    for (;;) {
        struct query_audit ask = {.offset = offset}, piece;
        buf_reset(&k->request);
        enum err e = query_audit_encode(&ask, &k->request);
        if (e) return ask_failed(k, e), false;
        if (!ask_call(k, RPC_CONSOLE_AUDIT)) return false;
        arena_reset(k->mem);
        e = query_audit_decode(buf_span(&k->reply), k->mem, &piece);
        if (!e) buf_add(lines, piece.lines);
        if (!e) e = buf_failed(lines);
        if (e) return ask_failed(k, e), false;
        if (piece.offset == offset) {
            buf_add(checkpoint, piece.checkpoint);
            return true;
        }
        offset = piece.offset;
    }
}

/* FILE.9 … FILE.1, FILE: a host's log with what was rotated away from it. */
static bool read_files(const char *file, struct buf *lines, struct buf *checkpoint) {
    char path[PATH_BYTES];
    for (unsigned i = OLD_FILES; i > 0; i--) {
        snprintf(path, sizeof path, "%s.%u", file, i);
        if (access(path, F_OK) == 0 && fds_read_file(path, lines) != ERR_OK) {
            args_complain("audit", "%s cannot be read", path);
            return false;
        }
    }
    snprintf(path, sizeof path, "%s.checkpoint", file);
    bool read = fds_read_file(file, lines) == ERR_OK;
    if (!read) args_complain("audit", "%s cannot be read: %s", file, strerror(errno));
    if (read && access(path, F_OK) == 0 && fds_read_file(path, checkpoint) != ERR_OK) {
        args_complain("audit", "%s cannot be read", path);
        return false;
    }
    return read;
}

/* ---- verify ---- */

static enum err check(const char *ca, bool whole, struct span lines, struct span text, char *signer, char *why, struct audit_check *c) {
    struct audit_checkpoint point = {.n = 0};
    AUTO(sign_trust_free) struct trust *fleet = NULL;
    *c = (struct audit_check){.whole = whole};
    if (text.n) {
        if (audit_check_read(text, &point) != ERR_OK) {
            snprintf(why, WHY_BYTES, "the checkpoint cannot be read");
            return ERR_DAMAGED;
        }
        c->checkpoint = &point;
    }
    enum err e = audit_check_lines(c, lines, why, WHY_BYTES);
    if (!e) e = sign_trust_load(ca, NULL, why, WHY_BYTES, &fleet);
    if (!e) e = audit_check_end(c, fleet, signer, why, WHY_BYTES);
    c->checkpoint = NULL;
    if (!e && c->last > point.n)
        snprintf(why, WHY_BYTES, "; the %llu after line %llu wait for the next checkpoint", (unsigned long long)(c->last - point.n),
                 (unsigned long long)point.n);
    return e;
}

static int print_verdict(const char *ca, bool whole, struct span lines, struct span checkpoint) {
    char signer[SIGN_URI_BYTES] = "", why[WHY_BYTES] = "";
    struct audit_check c;
    enum err e = check(ca, whole, lines, checkpoint, signer, why, &c);
    if (e) {
        args_complain("audit", "the log is not what was written: %s", why[0] ? why : err_text(e));
        return EXIT_FAILED;
    }
    if (c.tampered) {
        args_complain("audit", "line %llu says that the log was altered before it while nobody wrote it; from there on it is what was written, "
                               "signed by %s%s",
                      (unsigned long long)c.tampered, signer, why);
        return EXIT_FAILED;
    }
    printf("lines %llu to %llu are what was written, signed by %s%s\n", (unsigned long long)c.first, (unsigned long long)c.last, signer,
           why);
    if (c.first > 1) printf("earlier lines were rotated away\n");
    return EXIT_OK;
}

static int verify(const char *file) {
    BUF lines, checkpoint;
    struct ask k;
    buf_init(&lines, LOG_BYTES);
    buf_init(&checkpoint, AUDIT_CHECKPOINT_BYTES);
    if (!file) {
        bool ok = ask_open(&k, "audit") && fetch(&k, &lines, &checkpoint);
        int code = ok ? print_verdict(k.settings.tls_ca, true, buf_span(&lines), buf_span(&checkpoint)) : EXIT_FAILED;
        ask_close(&k);
        return code;
    }
    char why[WHY_BYTES] = "";
    struct settings set;
    enum err e = settings_load(why, sizeof why, &set);
    if (e) args_complain("audit", "%s", why[0] ? why : err_text(e));
    int code = !e && read_files(file, &lines, &checkpoint) ? print_verdict(set.tls_ca, false, buf_span(&lines), buf_span(&checkpoint))
                                                           : EXIT_FAILED;
    if (!e) settings_done(&set);
    return code;
}

/* ---- show ---- */

struct wanted {
    char id[2 * CAMPAIGN_ID_BYTES + 1]; /* of a campaign, or its beginning; "": all lines */
    char since[32];
};

static bool is_wanted(const struct wanted *w, const struct json_audit *r) {
    if (w->since[0] && span_cmp(r->time, span_str(w->since)) < 0) return false;
    return span_starts(r->campaign, span_str(w->id));
}

static void add_row(struct table *t, const struct json_audit *r) {
    struct buf text;
    buf_init(&text, 0);
    table_row(t);
    table_cell(t, r->time);
    table_cell(t, r->event);
    buf_add(&text, r->who);
    if (r->role.n) buf_add_fmt(&text, " (%.*s)", (int)r->role.n, r->role.p);
    table_cell(t, buf_span(&text));
    table_cell(t, span_head(r->campaign, ID_SHOWN));
    buf_reset(&text);
    if (r->host.n)
        buf_add(&text, r->host);
    else if (r->hosts)
        buf_add_fmt(&text, "%llu hosts", (unsigned long long)r->hosts);
    table_cell(t, buf_span(&text));
    buf_reset(&text);
    const struct span rest[] = {r->what, r->where, r->result, r->why};
    for (size_t i = 0; i < COUNT_OF(rest); i++) {
        if (rest[i].n && text.n) buf_add_str(&text, " · ");
        buf_add(&text, rest[i]);
    }
    table_cell(t, buf_span(&text));
    buf_done(&text);
}

/* The last n lines that are wanted, oldest first: where the first of them begins. */
static struct span tail_of(struct span lines, const struct wanted *w, size_t n, struct arena *mem) {
    size_t at = lines.n;
    while (n && at) {
        struct json_audit r;
        size_t start = span_rfind(span_head(lines, at - 1), '\n');
        start = start < at - 1 ? start + 1 : 0;
        arena_reset(mem);
        if (json_audit_read(span_of(lines.p + start, at - 1 - start), mem, &r) == ERR_OK && is_wanted(w, &r)) n--;
        at = start;
    }
    return span_drop(lines, at);
}

/* *out_n: how many. */
static enum err print_lines(struct span lines, const struct wanted *w, const struct args *a, struct arena *mem, size_t *out_n) {
    static const struct table_column columns[] = {{"TIME", TABLE_LEFT},     {"EVENT", TABLE_LEFT}, {"WHO", TABLE_LEFT},
                                                  {"CAMPAIGN", TABLE_LEFT}, {"HOST", TABLE_LEFT},  {"WHAT", TABLE_WRAP}};
    AUTO(table_free) struct table *t = table_new(columns, COUNT_OF(columns));
    struct span line;
    size_t n = 0;
    if (!t) return ERR_NOMEM;
    if (a->output == OUTPUT_JSON) fputs("{\"records\": [", stdout);
    while (span_line(&lines, &line)) {
        struct json_audit r;
        arena_reset(mem);
        if (json_audit_read(line, mem, &r) != ERR_OK) return ERR_DAMAGED;
        if (!is_wanted(w, &r)) continue;
        if (a->output == OUTPUT_JSON)
            printf("%s\n%.*s", n ? "," : "", (int)line.n, line.p);
        else
            add_row(t, &r);
        n++;
    }
    *out_n = n;
    struct screen s = screen_on(stdout);
    if (a->output == OUTPUT_JSON) return fputs("\n]}\n", stdout) < 0 ? ERR_SYS : ERR_OK;
    return a->output == OUTPUT_CSV ? table_print_csv(t, stdout) : table_print(t, &s);
}

/* False: said why. */
static bool want_campaign(struct ask *k, const char *word, struct wanted *w) {
    struct ask_campaign c;
    if (strcmp(word, "last") == 0) {
        if (!ask_campaign(k, word, &c)) return false;
        snprintf(w->id, sizeof w->id, "%s", c.id);
        return true;
    }
    snprintf(w->id, sizeof w->id, "%s", word);
    for (char *p = w->id; *p; p++) *p = *p >= 'A' && *p <= 'F' ? (char)(*p - 'A' + 'a') : *p;
    return true;
}

static int show(const struct args *a) {
    BUF lines, checkpoint;
    struct ask k;
    struct wanted w = {.id = ""};
    AUTO(arena_free) struct arena *mem = arena_new(LINE_ARENA_BYTES);
    buf_init(&lines, LOG_BYTES);
    buf_init(&checkpoint, AUDIT_CHECKPOINT_BYTES);
    if (a->since_ns) clock_wall_text(clock_wall_ns() - a->since_ns, w.since);
    size_t n = a->n == UINT32_MAX || (!a->n && (a->n_words || a->since_ns)) ? SIZE_MAX : a->n ? a->n : ROWS;
    bool ok = ask_open(&k, "audit") && (!a->n_words || want_campaign(&k, a->words[0], &w)) && fetch(&k, &lines, &checkpoint);
    size_t found = 0;
    enum err e = !ok ? ERR_OK : mem ? print_lines(tail_of(buf_span(&lines), &w, n, mem), &w, a, mem, &found) : ERR_NOMEM;
    int code = !ok ? EXIT_FAILED : e ? ask_failed(&k, e) : EXIT_OK;
    if (ok && !e && a->n_words && !found) {
        fprintf(stderr, "trawl audit: no line is about a campaign %s; `trawl campaigns` lists them\n", a->words[0]);
        code = EXIT_FAILED;
    }
    ask_close(&k);
    return code;
}

int verb_audit(const struct args *a) {
    if (a->n_words && strcmp(a->words[0], "verify") == 0) return verify(a->n_words > 1 ? a->words[1] : NULL);
    if (a->n_words < 2) return show(a);
    args_complain("audit", "one campaign at a time; try: trawl audit --help");
    return EXIT_USAGE;
}
