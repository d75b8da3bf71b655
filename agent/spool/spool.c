#include "agent/spool/spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "agent/spool/spool_file.h"
#include "common/sys/fds.h"

enum { NAME_BYTES = 256 };

struct spool {
    int dir_fd;
    uint64_t cap_bytes, bytes; /* of files */
    uint64_t kept_bytes;       /* of entries in memory only */
    struct spool_entry *first, *last;
};

/* CAMPAIGN.ROUND.PART.TOOL.part; numbers are padded, so that names sort as they are to be sent. */
static void name_of(const struct part_key *k, char out[NAME_BYTES]) {
    char hex[2 * CAMPAIGN_ID_BYTES + 1];
    part_campaign_hex(&k->campaign, hex);
    snprintf(out, NAME_BYTES, "%s.%010u.%010u.%.*s.part", hex, k->round, k->part, (int)k->tool.n, k->tool.p);
}

static bool number_u32(struct span s, uint32_t *out) {
    uint64_t v;
    if (!span_u64(s, &v) || v > UINT32_MAX) return false;
    *out = (uint32_t)v;
    return true;
}

static bool key_of(struct span name, struct part_key *out) {
    struct span hex, round, part, tool, rest;
    struct part_key k = {.host = SPAN_NONE};
    if (!span_ends(name, SPAN_LIT(".part"))) return false;
    name.n -= 5;
    if (!span_cut(name, '.', &hex, &rest) || !span_cut(rest, '.', &round, &rest) || !span_cut(rest, '.', &part, &tool)) return false;
    if (!part_campaign_from_hex(hex, &k.campaign) || !number_u32(round, &k.round) || !number_u32(part, &k.part)) return false;
    if (tool.n == 0 || tool.n > LIMIT_NAME_BYTES) return false;
    k.tool = tool;
    *out = k;
    return true;
}

bool spool_same_capture(const struct part_key *a, const struct part_key *b) {
    return memcmp(a->campaign.b, b->campaign.b, CAMPAIGN_ID_BYTES) == 0 && a->round == b->round && span_eq(a->tool, b->tool);
}

static bool same_key(const struct part_key *a, const struct part_key *b) { return a->part == b->part && spool_same_capture(a, b); }

/* bytes: of its file, or of kept, the body of an entry in memory only (takes it). */
static enum err entry_add(struct spool *s, const struct part_key *key, size_t bytes, char *kept) {
    struct spool_entry *e = calloc(1, sizeof *e + key->tool.n);
    if (!e) return ERR_NOMEM;
    char *tool = (char *)(e + 1);
    memcpy(tool, key->tool.p, key->tool.n);
    e->kept = kept;
    e->key = *key;
    e->key.host = SPAN_NONE;
    e->key.tool = span_of(tool, key->tool.n);
    e->bytes = bytes;
    if (s->last)
        s->last->next = e;
    else
        s->first = e;
    s->last = e;
    *(kept ? &s->kept_bytes : &s->bytes) += bytes;
    return ERR_OK;
}

static enum err scan_one(struct spool *s, const char *name, size_t *strangers) {
    struct part_key key;
    struct stat st;
    if (name[0] == '.') {
        if (span_ends(span_str(name), SPAN_LIT(".tmp"))) unlinkat(s->dir_fd, name, 0); /* what a crash left of a file under way */
        return ERR_OK;
    }
    if (span_ends(span_str(name), SPAN_LIT(".order")) || span_eq_str(span_str(name), "lockdown") ||
        span_starts(span_str(name), SPAN_LIT("audit.log")))
        return ERR_OK; /* others' */
    if (!key_of(span_str(name), &key) || fstatat(s->dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode)) {
        ++*strangers;
        return ERR_OK;
    }
    return entry_add(s, &key, (size_t)st.st_size, NULL);
}

static enum err scan(struct spool *s, size_t *strangers) {
    struct dirent **names = NULL;
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", s->dir_fd);
    int n = scandir(path, &names, NULL, alphasort);
    if (n < 0) return ERR_SYS;
    enum err e = ERR_OK;
    for (int i = 0; i < n; i++) {
        if (!e) e = scan_one(s, names[i]->d_name, strangers);
        free(names[i]);
    }
    free(names);
    return e;
}

enum err spool_open(const char *dir, uint64_t cap_bytes, size_t *out_strangers, struct spool **out) {
    AUTO(spool_close) struct spool *s = calloc(1, sizeof *s);
    if (!s) return ERR_NOMEM;
    s->cap_bytes = cap_bytes;
    s->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (s->dir_fd < 0) return ERR_SYS;
    size_t strangers = 0;
    enum err e = scan(s, &strangers);
    if (e) return e;
    *out_strangers = strangers;
    *out = TAKE(s);
    return ERR_OK;
}

void spool_close(struct spool *s) {
    while (s->first) {
        struct spool_entry *e = s->first;
        s->first = e->next;
        free(e->kept);
        free(e);
    }
    if (s->dir_fd >= 0) close(s->dir_fd);
    free(s);
}

/* What stands there afterwards when it failed is the caller's to know. */
static enum err write_part(struct spool *s, const struct part_key *key, struct span body) {
    char name[NAME_BYTES];
    struct buf file;
    name_of(key, name);
    buf_init(&file, 0);
    spool_file_encode(span_str(name), body, &file);
    enum err e = buf_failed(&file);
    if (!e) e = fds_write_file(s->dir_fd, name, buf_span(&file), 0600);
    int error = errno;
    buf_done(&file);
    errno = error;
    return e;
}

static enum err put(struct spool *s, const struct part_key *key, struct span body, uint64_t cap_bytes) {
    size_t bytes = SPOOL_FILE_HEADER_BYTES + body.n;
    if (body.n > LIMIT_PART_BYTES || s->bytes + bytes > cap_bytes) return ERR_LIMIT;
    for (const struct spool_entry *e = s->first; e; e = e->next)
        if (same_key(&e->key, key)) return ERR_EXISTS;
    enum err e = write_part(s, key, body);
    if (!e) e = entry_add(s, key, bytes, NULL);
    if (e) {
        int error = errno;
        char name[NAME_BYTES];
        name_of(key, name);
        unlinkat(s->dir_fd, name, 0); /* it may stand there although it failed */
        errno = error;
    }
    return e;
}

enum err spool_put(struct spool *s, const struct part_key *key, struct span body) { return put(s, key, body, s->cap_bytes); }

enum err spool_put_outcome(struct spool *s, const struct part_key *key, struct span body) {
    return put(s, key, body, s->cap_bytes + SPOOL_RESERVE_BYTES);
}

enum err spool_keep(struct spool *s, const struct part_key *key, struct span body) {
    if (s->kept_bytes + body.n > SPOOL_KEPT_BYTES) return ERR_LIMIT;
    for (const struct spool_entry *e = s->first; e; e = e->next)
        if (same_key(&e->key, key)) return ERR_EXISTS;
    char *kept = malloc(body.n + 1);
    if (!kept) return ERR_NOMEM;
    if (body.n > 0) memcpy(kept, body.p, body.n);
    enum err e = entry_add(s, key, body.n, kept);
    if (e) free(kept);
    return e;
}

enum err spool_read(struct spool *s, const struct spool_entry *entry, struct buf *out) {
    if (entry->kept) {
        buf_add(out, span_of(entry->kept, entry->bytes));
        return buf_failed(out);
    }
    char name[NAME_BYTES], path[NAME_BYTES + 32];
    struct span body;
    struct buf file;
    name_of(&entry->key, name);
    snprintf(path, sizeof path, "/proc/self/fd/%d/%s", s->dir_fd, name);
    buf_init(&file, SPOOL_FILE_HEADER_BYTES + LIMIT_PART_BYTES);
    enum err e = fds_read_file(path, &file);
    if (e == ERR_LIMIT || (e == ERR_SYS && (errno == EIO || errno == ENOENT))) e = ERR_DAMAGED; /* it will not get better */
    if (!e) e = spool_file_decode(span_str(name), buf_span(&file), &body);
    if (!e) buf_add(out, body);
    if (!e) e = buf_failed(out);
    buf_done(&file);
    return e;
}

enum err spool_replace(struct spool *s, struct spool_entry *e, struct span body) {
    if (body.n > LIMIT_PART_BYTES) return ERR_LIMIT;
    enum err failed = write_part(s, &e->key, body);
    char *kept = failed ? malloc(body.n + 1) : NULL; /* the disk does not take it: what is there is there again after a restart */
    if (failed && !kept) return ERR_NOMEM;
    if (kept && body.n) memcpy(kept, body.p, body.n);
    *(e->kept ? &s->kept_bytes : &s->bytes) -= e->bytes;
    free(e->kept);
    e->kept = kept;
    e->bytes = kept ? body.n : SPOOL_FILE_HEADER_BYTES + body.n;
    *(e->kept ? &s->kept_bytes : &s->bytes) += e->bytes;
    return ERR_OK;
}

static void forget(struct spool *s, struct spool_entry *before, struct spool_entry *e) {
    char name[NAME_BYTES];
    name_of(&e->key, name);
    unlinkat(s->dir_fd, name,
             0); /* if this fails the part is sent once more, and counted once; of one in memory a damaged file may stand */
    if (before)
        before->next = e->next;
    else
        s->first = e->next;
    if (s->last == e) s->last = before;
    *(e->kept ? &s->kept_bytes : &s->bytes) -= e->bytes;
    free(e->kept);
    free(e);
}

enum err spool_remove(struct spool *s, const struct part_key *key) {
    struct spool_entry *before = NULL;
    for (struct spool_entry *e = s->first; e; before = e, e = e->next)
        if (same_key(&e->key, key)) {
            forget(s, before, e);
            return ERR_OK;
        }
    return ERR_NOTFOUND;
}

void spool_remove_round(struct spool *s, const struct campaign_id *id, uint32_t round) {
    struct spool_entry *before = NULL, *e = s->first;
    while (e) {
        struct spool_entry *next = e->next;
        if (e->key.round == round && memcmp(e->key.campaign.b, id->b, CAMPAIGN_ID_BYTES) == 0)
            forget(s, before, e);
        else
            before = e;
        e = next;
    }
}

struct spool_entry *spool_first(struct spool *s) {
    return s->first;
}

void spool_unsend(struct spool *s) {
    for (struct spool_entry *e = s->first; e; e = e->next) e->sent = false;
}

uint64_t spool_bytes(const struct spool *s) { return s->bytes; }
