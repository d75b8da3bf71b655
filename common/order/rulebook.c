#include "common/order/rulebook.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "common/sys/fds.h"

#define BUF __attribute__((cleanup(buf_done))) struct buf

enum {
    NAME_BYTES = 2 * CAMPAIGN_ID_BYTES + 16,
    ENTRY_ARENA_BYTES = 256 * 1024,
    RECORD_BYTES = LIMIT_ORDER_BYTES + 4096 + RULEBOOK_TOLD_MAX * (LIMIT_REASON_BYTES + 128)
};
static const char suffix[] = ".trigger";

struct rulebook {
    int dir_fd;
    struct rulebook_entry *first;
};

static void name_of(const struct campaign_id *id, char out[NAME_BYTES]) {
    char hex[2 * CAMPAIGN_ID_BYTES + 1];
    part_campaign_hex(id, hex);
    snprintf(out, NAME_BYTES, "%s%s", hex, suffix);
}

static void entry_free(struct rulebook_entry *e) {
    arena_free(e->mem);
    free(e);
}

/* ---- a file: "trigger STATE ADDED FIRED SPENT SUPPRESSED OPERATOR\n", "at MS…\n", "firing NUMBER MS WHY\n"…, "\n", the SignedOrder ----
 */

enum err rulebook_save(struct rulebook *b, struct rulebook_entry *e) {
    BUF text, order;
    char name[NAME_BYTES];
    const struct allowance *a = &e->allowance;
    buf_init(&text, RECORD_BYTES);
    buf_init(&order, LIMIT_ORDER_BYTES);
    e->dirty = true;
    buf_add_fmt(&text, "trigger %s %llu %llu %llu %llu %s\nat", e->removed ? "removed" : "armed", (unsigned long long)e->added_wall_ms,
                (unsigned long long)a->fired, (unsigned long long)a->spent_s, (unsigned long long)a->suppressed, e->rule.signer.name);
    for (size_t i = 0; i < COUNT_OF(a->at_wall_ms) && a->at_wall_ms[i]; i++)
        buf_add_fmt(&text, " %llu", (unsigned long long)a->at_wall_ms[i]);
    buf_add_char(&text, '\n');
    for (size_t i = 0; i < e->n_untold; i++)
        buf_add_fmt(&text, "firing %llu %llu %s\n", (unsigned long long)e->untold[i].number, (unsigned long long)e->untold[i].at_wall_ms,
                    e->untold[i].why);
    buf_add_char(&text, '\n');
    enum err err = spec_encode_signed(&e->signed_order, &order);
    buf_add(&text, buf_span(&order));
    if (!err) err = buf_failed(&text);
    name_of(&e->rule.trigger.id, name);
    if (!err) err = fds_write_file(b->dir_fd, name, buf_span(&text), 0600);
    e->dirty = err != ERR_OK;
    return err;
}

static bool numbers(struct span *line, uint64_t *const *out, size_t n) {
    for (size_t i = 0; i < n; i++) {
        struct span word;
        if (!span_word(line, &word) || !span_u64(word, out[i])) return false;
    }
    return true;
}

static bool read_head(struct span line, struct rulebook_entry *e) {
    struct allowance *a = &e->allowance;
    struct span word, state;
    if (!span_word(&line, &word) || !span_eq_str(word, "trigger") || !span_word(&line, &state)) return false;
    e->removed = span_eq_str(state, "removed");
    if (!e->removed && !span_eq_str(state, "armed")) return false;
    if (!numbers(&line, (uint64_t *const[]){&e->added_wall_ms, &a->fired, &a->spent_s, &a->suppressed}, 4)) return false;
    if (!span_word(&line, &word) || word.n >= sizeof e->rule.signer.name) return false;
    snprintf(e->rule.signer.name, sizeof e->rule.signer.name, "%.*s", (int)word.n, word.p);
    return true;
}

static bool read_times(struct span line, struct rulebook_entry *e) {
    struct span word;
    if (!span_word(&line, &word) || !span_eq_str(word, "at")) return false;
    for (size_t i = 0; span_word(&line, &word); i++)
        if (i == COUNT_OF(e->allowance.at_wall_ms) || !span_u64(word, &e->allowance.at_wall_ms[i])) return false;
    return true;
}

static bool read_firing(struct span line, struct rulebook_entry *e) {
    struct span word;
    struct rulebook_firing f;
    if (e->n_untold == RULEBOOK_TOLD_MAX || !span_word(&line, &word) || !span_eq_str(word, "firing")) return false;
    if (!numbers(&line, (uint64_t *const[]){&f.number, &f.at_wall_ms}, 2)) return false;
    line = span_trim(line);
    if (line.n >= sizeof f.why) return false;
    snprintf(f.why, sizeof f.why, "%.*s", (int)line.n, line.p);
    e->untold[e->n_untold++] = f;
    return true;
}

/* What was once verified is read again, not verified again. */
static enum err read_order(struct span bytes, struct rulebook_entry *e) {
    char why[LIMIT_REASON_BYTES];
    struct span kept = arena_copy(e->mem, bytes);
    if (!kept.p) return ERR_NOMEM;
    enum err err = spec_decode_signed(kept, e->mem, &e->signed_order);
    if (!err) err = trigger_decode(e->signed_order.spec, e->mem, &e->rule.trigger);
    return err ? err : when_parse(e->rule.trigger.when, &e->rule.when, why, sizeof why);
}

static bool read_record(struct span text, struct rulebook_entry *e) {
    struct span line;
    if (!span_cut(text, '\n', &line, &text) || !read_head(line, e)) return false;
    if (!span_cut(text, '\n', &line, &text) || !read_times(line, e)) return false;
    while (span_cut(text, '\n', &line, &text) && line.n)
        if (!read_firing(line, e)) return false;
    return read_order(text, e) == ERR_OK;
}

static struct rulebook_entry *entry_new(void) {
    struct rulebook_entry *e = calloc(1, sizeof *e);
    if (e && !(e->mem = arena_new(ENTRY_ARENA_BYTES))) {
        free(e);
        return NULL;
    }
    return e;
}

static void load(struct rulebook *b, const char *name, size_t *damaged) {
    BUF text;
    char path[512];
    buf_init(&text, RECORD_BYTES);
    snprintf(path, sizeof path, "/proc/self/fd/%d/%s", b->dir_fd, name);
    struct rulebook_entry *e = entry_new();
    if (!e || fds_read_file(path, &text) != ERR_OK || !read_record(buf_span(&text), e)) {
        ++*damaged;
        if (e) entry_free(e);
        return;
    }
    e->next = b->first;
    b->first = e;
}

enum err rulebook_open(const char *dir, size_t *out_damaged, struct rulebook **out) {
    if (mkdir(dir, 0700) != 0 && errno != EEXIST) return ERR_SYS;
    AUTO(rulebook_close) struct rulebook *b = calloc(1, sizeof *b);
    if (!b) return ERR_NOMEM;
    b->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = b->dir_fd < 0 ? NULL : opendir(dir);
    if (!d) return ERR_SYS;
    size_t damaged = 0;
    for (const struct dirent *at; (at = readdir(d));) {
        struct span name = span_str(at->d_name);
        if (name.n < NAME_BYTES && name.p[0] != '.' && span_ends(name, span_str(suffix))) load(b, at->d_name, &damaged);
    }
    closedir(d);
    *out_damaged = damaged;
    *out = TAKE(b);
    return ERR_OK;
}

void rulebook_close(struct rulebook *b) {
    if (!b) return;
    for (struct rulebook_entry *next, *e = b->first; e; e = next) {
        next = e->next;
        if (e->dirty) IGNORED(rulebook_save(b, e)); /* counts of what was suppressed, nothing that limits depend on */
        entry_free(e);
    }
    if (b->dir_fd >= 0) close(b->dir_fd);
    free(b);
}

/* ---- in memory ---- */

struct rulebook_entry *rulebook_first(const struct rulebook *b) {
    return b->first;
}

struct rulebook_entry *rulebook_find(const struct rulebook *b, const struct campaign_id *id) {
    for (struct rulebook_entry *e = b->first; e; e = e->next)
        if (memcmp(e->rule.trigger.id.b, id->b, sizeof id->b) == 0) return e;
    return NULL;
}

size_t rulebook_n(const struct rulebook *b) {
    size_t n = 0;
    for (const struct rulebook_entry *e = b->first; e; e = e->next) n += !e->removed;
    return n;
}

enum err rulebook_add(struct rulebook *b, const struct signed_order *so, const struct rule *rule, uint64_t now_wall_ms,
                      struct rulebook_entry **out) {
    BUF order;
    buf_init(&order, LIMIT_ORDER_BYTES);
    if (rulebook_find(b, &rule->trigger.id)) return ERR_EXISTS;
    struct rulebook_entry *e = entry_new();
    if (!e) return ERR_NOMEM;
    e->added_wall_ms = now_wall_ms;
    enum err err = spec_encode_signed(so, &order);
    if (!err) err = read_order(buf_span(&order), e);
    e->rule.signer = rule->signer;
    if (!err) err = rulebook_save(b, e);
    if (err) {
        entry_free(e);
        return err;
    }
    e->next = b->first;
    b->first = e;
    *out = e;
    return ERR_OK;
}

bool rulebook_expire(struct rulebook *b, uint64_t now_wall_ms) {
    bool some = false;
    for (struct rulebook_entry **at = &b->first; *at;) {
        struct rulebook_entry *e = *at;
        if (now_wall_ms < e->rule.trigger.what.expires_wall_ms || e->n_untold) {
            at = &e->next;
            continue;
        }
        char name[NAME_BYTES];
        name_of(&e->rule.trigger.id, name);
        unlinkat(b->dir_fd, name, 0);
        *at = e->next;
        entry_free(e);
        some = true;
    }
    return some;
}
