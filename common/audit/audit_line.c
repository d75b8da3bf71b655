#include "common/audit/audit_line.h"

#include <stdio.h>

#include "common/base/clock.h"
#include "common/base/utf8.h"
#include "common/crypto/digest.h"

enum { FIELD_BYTES = 600 };

static const struct span before_hash = {",\"hash\":\"", 9}, before_prev = {",\"prev\":\"", 9}, before_n = {"{\"n\":", 5},
                         at_end = {"\"}", 2};

enum err audit_line_hash(struct span bytes, char out[AUDIT_HASH_HEX + 1]) {
    unsigned char digest[DIGEST_BYTES];
    enum err e = digest_bytes(bytes, digest);
    if (e) return e;
    for (size_t i = 0; i < DIGEST_BYTES; i++) snprintf(out + 2 * i, 3, "%02x", digest[i]);
    return ERR_OK;
}

static void add_text(struct buf *out, struct span s) {
    s = span_head(s, FIELD_BYTES);
    while (s.n) {
        bool ok = false;
        size_t n = utf8_step(s, &ok);
        unsigned char c = (unsigned char)s.p[0], next = n > 1 ? (unsigned char)s.p[1] : 0;
        if (!ok)
            buf_add_str(out, "\\ufffd");
        else if (c < 0x20 || c == 0x7f || (n == 1 && strchr("\"\\<>&'", c)))
            buf_add_fmt(out, "\\u%04x", c);
        else if (n == 2 && c == 0xc2 && next < 0xa0) /* C1: a terminal may obey them */
            buf_add_fmt(out, "\\u%04x", next);
        else
            buf_add(out, span_head(s, n));
        s = span_drop(s, n);
    }
}

static void add_member(struct buf *out, const char *key, struct span text) {
    if (!text.n) return;
    buf_add_fmt(out, ",\"%s\":\"", key);
    add_text(out, text);
    buf_add_char(out, '"');
}

enum err audit_line_write(const struct audit_record *r, uint64_t n, uint64_t wall_ns, const char prev[AUDIT_HASH_HEX + 1], struct buf *out,
                          char out_hash[AUDIT_HASH_HEX + 1]) {
    __attribute__((cleanup(buf_done))) struct buf line;
    char when[32];
    buf_init(&line, 0);
    buf_add_fmt(&line, "{\"n\":%llu", (unsigned long long)n);
    add_member(&line, "time", span_str(clock_wall_text(wall_ns, when)));
    add_member(&line, "event", span_str(r->event));
    add_member(&line, "who", r->who);
    add_member(&line, "role", r->authority);
    add_member(&line, "host", r->host);
    add_member(&line, "campaign", r->campaign);
    add_member(&line, "what", r->what);
    add_member(&line, "where", r->where);
    if (r->hosts) buf_add_fmt(&line, ",\"hosts\":%llu", (unsigned long long)r->hosts);
    add_member(&line, "result", r->result);
    add_member(&line, "why", r->why);
    add_member(&line, "prev", span_str(prev));
    enum err e = buf_failed(&line);
    if (!e) e = audit_line_hash(buf_span(&line), out_hash);
    add_member(&line, "hash", e ? SPAN_NONE : span_str(out_hash));
    buf_add_str(&line, "}\n");
    if (!e) e = buf_failed(&line);
    if (!e) buf_add(out, buf_span(&line));
    return e ? e : buf_failed(out);
}

static bool is_hash(struct span s) {
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'a' && s.p[i] <= 'f'))) return false;
    return s.n == AUDIT_HASH_HEX;
}

/* The hash behind mark at the end of *line, which is cut there. */
static bool cut_hash(struct span *line, struct span mark, struct span *out) {
    size_t tail = mark.n + AUDIT_HASH_HEX + 1;
    if (line->n < tail) return false;
    struct span at = span_drop(*line, line->n - tail);
    if (!span_starts(at, mark) || at.p[at.n - 1] != '"') return false;
    *out = span_of(at.p + mark.n, AUDIT_HASH_HEX);
    line->n -= tail;
    return is_hash(*out);
}

enum err audit_line_read(struct span line, struct audit_link *out) {
    struct audit_link l = {0};
    struct span number, rest;
    char hash[AUDIT_HASH_HEX + 1];
    if (line.n > AUDIT_LINE_BYTES || !span_starts(line, before_n) || !span_ends(line, at_end)) return ERR_SYNTAX;
    line.n -= 1; /* } */
    if (!cut_hash(&line, before_hash, &l.hash)) return ERR_SYNTAX;
    enum err e = audit_line_hash(line, hash);
    if (e) return e;
    l.hash_fits = span_eq_str(l.hash, hash);
    if (!cut_hash(&line, before_prev, &l.prev)) return ERR_SYNTAX;
    if (!span_cut(span_drop(line, before_n.n), ',', &number, &rest) || !span_u64(number, &l.n) || l.n == 0) return ERR_SYNTAX;
    *out = l;
    return ERR_OK;
}
