#include "agent/spool/journal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>

#include "common/base/buf.h"
#include "common/sys/fds.h"

enum { NAME_BYTES = 2 * CAMPAIGN_ID_BYTES + 8, LINE_BYTES = 256, PATH_BYTES = 320 };

struct journal {
    int dir_fd;
    struct journal_entry *first;
};

static void name_of(const struct campaign_id *id, char out[NAME_BYTES]) {
    char hex[2 * CAMPAIGN_ID_BYTES + 1];
    part_campaign_hex(id, hex);
    snprintf(out, NAME_BYTES, "%s.order", hex);
}

static enum err entry_write(struct journal *j, const struct journal_entry *e) {
    char name[NAME_BYTES], line[LINE_BYTES];
    name_of(&e->campaign, name);
    int n = snprintf(line, sizeof line, "%s %s %llu %u\n", e->done ? "done" : "taken", e->tool, (unsigned long long)e->expires_wall_ms,
                     e->round);
    return fds_write_file(j->dir_fd, name, span_of(line, (size_t)n), 0600);
}

static bool line_parse(struct span line, struct journal_entry *e) {
    struct span state, tool, expires, round, rest = span_trim(line);
    uint64_t rounds = 0;
    if (!span_word(&rest, &state) || !span_word(&rest, &tool) || !span_word(&rest, &expires)) return false;
    if (tool.n > LIMIT_NAME_BYTES || !span_u64(expires, &e->expires_wall_ms)) return false;
    if (span_word(&rest, &round) && (!span_u64(round, &rounds) || rounds > LIMIT_ROUNDS)) return false;
    e->round = (uint32_t)rounds;
    memcpy(e->tool, tool.p, tool.n);
    e->tool[tool.n] = '\0';
    e->done = span_eq_str(state, "done");
    return e->done || span_eq_str(state, "taken");
}

static enum err entry_read(struct journal *j, const char *name, size_t *damaged) {
    struct span stem = span_str(name);
    stem.n -= 6; /* ".order" */
    struct journal_entry *e = calloc(1, sizeof *e);
    if (!e) return ERR_NOMEM;
    if (!part_campaign_from_hex(stem, &e->campaign)) {
        free(e);
        return ERR_OK;
    }
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "/proc/self/fd/%d/%s", j->dir_fd, name);
    struct buf text;
    buf_init(&text, LINE_BYTES);
    enum err failed = fds_read_file(path, &text);
    if (failed == ERR_NOMEM) {
        buf_done(&text);
        free(e);
        return failed;
    }
    if (failed || !line_parse(buf_span(&text), e)) {
        e->done = true;
        e->expires_wall_ms = UINT64_MAX;
        ++*damaged;
    }
    buf_done(&text);
    e->next = j->first;
    j->first = e;
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
        free(e);
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

enum err journal_take(struct journal *j, const struct campaign_id *id, struct span tool, uint64_t expires_wall_ms) {
    if (find(j, id)) return ERR_EXISTS;
    if (tool.n > LIMIT_NAME_BYTES) return ERR_LIMIT;
    struct journal_entry *e = calloc(1, sizeof *e);
    if (!e) return ERR_NOMEM;
    e->campaign = *id;
    memcpy(e->tool, tool.p, tool.n);
    e->expires_wall_ms = expires_wall_ms;
    enum err failed = entry_write(j, e);
    if (failed) {
        int error = errno;
        char name[NAME_BYTES];
        name_of(id, name);
        unlinkat(j->dir_fd, name, 0); /* it may stand there although it failed */
        free(e);
        errno = error;
        return failed;
    }
    e->next = j->first;
    j->first = e;
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
        free(e);
    }
}

const struct journal_entry *journal_first(const struct journal *j) { return j->first; }
