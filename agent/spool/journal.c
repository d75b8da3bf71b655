#include "agent/spool/journal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>

#include "common/sys/fds.h"

enum { NAME_BYTES = 2 * CAMPAIGN_ID_BYTES + 8, FILE_BYTES = 256 + LIMIT_ORDER_BYTES, PATH_BYTES = 320 };

struct journal {
    int dir_fd;
    struct journal_entry *first;
};

static void name_of(const struct campaign_id *id, char out[NAME_BYTES]) {
    char hex[2 * CAMPAIGN_ID_BYTES + 1];
    part_campaign_hex(id, hex);
    snprintf(out, NAME_BYTES, "%s.order", hex);
}

static void entry_free(struct journal_entry *e) {
    buf_done(&e->order);
    free(e);
}
AUTO_TYPE(struct journal_entry, entry_free)

static enum err entry_write(struct journal *j, const struct journal_entry *e) {
    char name[NAME_BYTES];
    struct buf text;
    name_of(&e->campaign, name);
    buf_init(&text, FILE_BYTES);
    buf_add_fmt(&text, "%s %s %llu %u %llu\n", e->done ? "done" : "taken", e->tool, (unsigned long long)e->expires_wall_ms, e->round,
                (unsigned long long)e->base_wall_ms);
    buf_add(&text, buf_span(&e->order));
    enum err failed = buf_failed(&text);
    if (!failed) failed = fds_write_file(j->dir_fd, name, buf_span(&text), 0600);
    int error = errno;
    buf_done(&text);
    errno = error;
    return failed;
}

static bool line_parse(struct span line, struct journal_entry *e) {
    struct span state, tool, expires, round, base, rest = span_trim(line);
    uint64_t rounds;
    if (!span_word(&rest, &state) || !span_word(&rest, &tool) || !span_word(&rest, &expires) || !span_word(&rest, &round) ||
        !span_word(&rest, &base))
        return false;
    if (tool.n > LIMIT_NAME_BYTES || !span_u64(expires, &e->expires_wall_ms) || !span_u64(base, &e->base_wall_ms)) return false;
    if (!span_u64(round, &rounds) || rounds > LIMIT_ROUNDS) return false;
    e->round = (uint32_t)rounds;
    memcpy(e->tool, tool.p, tool.n);
    e->tool[tool.n] = '\0';
    e->done = span_eq_str(state, "done");
    return e->done || span_eq_str(state, "taken");
}

static enum err entry_parse(struct span text, struct journal_entry *e) {
    struct span line, order;
    if (!span_cut(text, '\n', &line, &order) || !line_parse(line, e)) return ERR_SYNTAX;
    buf_add(&e->order, order);
    return buf_failed(&e->order);
}

static struct journal_entry *entry_new(void) {
    struct journal_entry *e = calloc(1, sizeof *e);
    if (e) buf_init(&e->order, LIMIT_ORDER_BYTES);
    return e;
}

static enum err entry_read(struct journal *j, const char *name, size_t *damaged) {
    struct span stem = span_str(name);
    stem.n -= 6; /* ".order" */
    AUTO(entry_free) struct journal_entry *e = entry_new();
    if (!e) return ERR_NOMEM;
    if (!part_campaign_from_hex(stem, &e->campaign)) return ERR_OK;
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "/proc/self/fd/%d/%s", j->dir_fd, name);
    struct buf text;
    buf_init(&text, FILE_BYTES);
    enum err failed = fds_read_file(path, &text);
    if (!failed) failed = entry_parse(buf_span(&text), e);
    buf_done(&text);
    if (failed == ERR_NOMEM) return failed;
    if (failed) {
        e->done = true;
        e->expires_wall_ms = UINT64_MAX;
        ++*damaged;
    }
    e->next = j->first;
    j->first = TAKE(e);
    return ERR_OK;
}

enum err journal_open(const char *dir, size_t *out_damaged, struct journal **out) {
    AUTO(journal_close) struct journal *j = calloc(1, sizeof *j);
    if (!j) return ERR_NOMEM;
    j->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (j->dir_fd < 0) return ERR_SYS;
    DIR *d = opendir(dir);
    if (!d) return ERR_SYS;
    enum err e = ERR_OK;
    size_t damaged = 0;
    for (struct dirent *f; !e && (f = readdir(d));)
        if (span_ends(span_str(f->d_name), SPAN_LIT(".order")) && f->d_name[0] != '.') e = entry_read(j, f->d_name, &damaged);
    closedir(d);
    if (e) return e;
    *out_damaged = damaged;
    *out = TAKE(j);
    return ERR_OK;
}

void journal_close(struct journal *j) {
    while (j->first) {
        struct journal_entry *e = j->first;
        j->first = e->next;
        entry_free(e);
    }
    if (j->dir_fd >= 0) close(j->dir_fd);
    free(j);
}

static struct journal_entry *find(const struct journal *j, const struct campaign_id *id) {
    for (struct journal_entry *e = j->first; e; e = e->next)
        if (memcmp(e->campaign.b, id->b, CAMPAIGN_ID_BYTES) == 0) return e;
    return NULL;
}

const struct journal_entry *journal_find(const struct journal *j, const struct campaign_id *id) { return find(j, id); }

enum err journal_take(struct journal *j, const struct campaign_id *id, const struct journal_order *o) {
    if (find(j, id)) return ERR_EXISTS;
    if (o->tool.n > LIMIT_NAME_BYTES) return ERR_LIMIT;
    AUTO(entry_free) struct journal_entry *e = entry_new();
    if (!e) return ERR_NOMEM;
    e->campaign = *id;
    memcpy(e->tool, o->tool.p, o->tool.n);
    e->expires_wall_ms = o->expires_wall_ms;
    e->base_wall_ms = o->base_wall_ms;
    buf_add(&e->order, o->order);
    enum err failed = buf_failed(&e->order);
    if (!failed) failed = entry_write(j, e);
    if (failed) {
        int error = errno;
        char name[NAME_BYTES];
        name_of(id, name);
        unlinkat(j->dir_fd, name, 0); /* it may stand there although it failed */
        errno = error;
        return failed;
    }
    e->next = j->first;
    j->first = TAKE(e);
    return ERR_OK;
}

enum err journal_round(struct journal *j, const struct campaign_id *id, uint32_t rounds) {
    struct journal_entry *e = find(j, id);
    if (!e) return ERR_NOTFOUND;
    e->round = rounds;
    return entry_write(j, e);
}

enum err journal_done(struct journal *j, const struct campaign_id *id) {
    struct journal_entry *e = find(j, id);
    if (!e) return ERR_NOTFOUND;
    e->done = true;
    buf_done(&e->order);
    return entry_write(j, e);
}

void journal_expire(struct journal *j, uint64_t now_wall_ms) {
    struct journal_entry **at = &j->first;
    while (*at) {
        struct journal_entry *e = *at;
        if (!e->done || e->expires_wall_ms >= now_wall_ms) {
            at = &e->next;
            continue;
        }
        char name[NAME_BYTES];
        name_of(&e->campaign, name);
        unlinkat(j->dir_fd, name, 0); /* if it stays, it is read and forgotten again after the next start */
        *at = e->next;
        entry_free(e);
    }
}

const struct journal_entry *journal_first(const struct journal *j) { return j->first; }
