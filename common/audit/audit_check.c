#include "common/audit/audit_check.h"

#include <stdio.h>

#include "common/base/clock.h"

#define BUF __attribute__((cleanup(buf_done))) struct buf

static void add_hex(struct buf *out, struct span s) {
    for (size_t i = 0; i < s.n; i++) buf_add_fmt(out, "%02x", (unsigned char)s.p[i]);
}

static int digit(char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; }

static bool from_hex(struct span hex, struct buf *out) {
    for (size_t i = 0; i + 1 < hex.n; i += 2) {
        int high = digit(hex.p[i]), low = digit(hex.p[i + 1]);
        if (high < 0 || low < 0) return false;
        buf_add_char(out, (char)(high << 4 | low));
    }
    return hex.n % 2 == 0 && buf_failed(out) == ERR_OK;
}

static int signed_text(char *out, size_t size, uint64_t n, const char *hash, uint64_t wall_ms) {
    return snprintf(out, size, "%llu %s %llu", (unsigned long long)n, hash, (unsigned long long)wall_ms);
}

enum err audit_check_write(uint64_t n, const char hash[AUDIT_HASH_HEX + 1], uint64_t wall_ms, const struct signer *by, struct buf *out) {
    char text[160];
    BUF signature, chain;
    buf_init(&signature, 0);
    buf_init(&chain, 0);
    int length = signed_text(text, sizeof text, n, hash, wall_ms);
    enum err e = sign_bytes(by, AUDIT_CHECK_DOMAIN, span_of(text, (size_t)length), &signature);
    if (!e) e = sign_chain(by, &chain);
    if (e) return e;
    buf_add_fmt(out, "{\"n\":%llu,\"hash\":\"%s\",\"time_ms\":%llu,\"signature\":\"", (unsigned long long)n, hash,
                (unsigned long long)wall_ms);
    add_hex(out, buf_span(&signature));
    buf_add_str(out, "\",\"certificates\":\"");
    add_hex(out, buf_span(&chain));
    buf_add_str(out, "\"}\n");
    return buf_failed(out);
}

/* What stands in *rest up to mark, which is dropped too. */
static bool up_to(struct span *rest, struct span mark, struct span *out) {
    size_t at = span_find_span(*rest, mark);
    if (at == rest->n) return false;
    *out = span_head(*rest, at);
    *rest = span_drop(*rest, at + mark.n);
    return true;
}

enum err audit_check_read(struct span text, struct audit_checkpoint *out) {
    struct audit_checkpoint c = {0};
    struct span rest = span_trim(text), n, hash, ms, none;
    bool good = text.n <= AUDIT_CHECKPOINT_BYTES && up_to(&rest, SPAN_LIT("{\"n\":"), &none) && none.n == 0 &&
                up_to(&rest, SPAN_LIT(",\"hash\":\""), &n) && up_to(&rest, SPAN_LIT("\",\"time_ms\":"), &hash) &&
                up_to(&rest, SPAN_LIT(",\"signature\":\""), &ms) && up_to(&rest, SPAN_LIT("\",\"certificates\":\""), &c.signature) &&
                up_to(&rest, SPAN_LIT("\"}"), &c.certificates) && rest.n == 0;
    if (!good || !span_u64(n, &c.n) || c.n == 0 || !span_u64(ms, &c.wall_ms) || hash.n != AUDIT_HASH_HEX) return ERR_SYNTAX;
    memcpy(c.hash, hash.p, AUDIT_HASH_HEX);
    *out = c;
    return ERR_OK;
}

static enum err check_line(struct audit_check *c, const struct audit_link *l, char *why, size_t why_size) {
    static const char zeroes[] = "0000000000000000000000000000000000000000000000000000000000000000";
    unsigned long long n = l->n;
    if (!l->hash_fits) return err_because(why, why_size, ERR_DAMAGED, "line %llu was altered: its hash does not fit", n);
    if (c->last ? l->n != c->last + 1 : c->whole && l->n != 1)
        return err_because(why, why_size, ERR_DAMAGED, "line %llu follows line %llu: lines between were taken out, or some were put in", n,
                           (unsigned long long)c->last);
    if (!span_eq_str(l->prev, c->last ? c->last_hash : l->n == 1 ? zeroes : "") && (c->last || l->n == 1))
        return err_because(why, why_size, ERR_DAMAGED, "line %llu does not follow what stands before it: that was altered", n);
    if (!c->first) c->first = l->n;
    c->last = l->n;
    memcpy(c->last_hash, l->hash.p, AUDIT_HASH_HEX);
    if (!c->checkpoint || c->checkpoint->n != l->n) return ERR_OK;
    c->checkpoint_met = true;
    if (strcmp(c->checkpoint->hash, c->last_hash) == 0) return ERR_OK;
    return err_because(why, why_size, ERR_DAMAGED, "line %llu is not the one that the checkpoint signs: the log was made anew", n);
}

enum err audit_check_lines(struct audit_check *c, struct span text, char *why, size_t why_size) {
    while (text.n) {
        struct span line;
        struct audit_link l;
        if (!span_cut(text, '\n', &line, &text))
            return err_because(why, why_size, ERR_DAMAGED, "the line after line %llu is cut short", (unsigned long long)c->last);
        enum err e = audit_line_read(line, &l);
        if (e == ERR_NOMEM) return err_because(why, why_size, e, "out of memory");
        if (e) return err_because(why, why_size, ERR_DAMAGED, "what follows line %llu is no record", (unsigned long long)c->last);
        e = check_line(c, &l, why, why_size);
        if (e) return e;
        if (!c->tampered && span_find_span(line, SPAN_LIT("\"event\":\"audit.tampered\"")) < line.n) c->tampered = l.n;
    }
    return ERR_OK;
}

enum err audit_check_end(const struct audit_check *c, const struct trust *t, char out_signer[SIGN_URI_BYTES], char *why, size_t why_size) {
    const struct audit_checkpoint *p = c->checkpoint;
    char text[160];
    BUF signature, chain;
    buf_init(&signature, 0);
    buf_init(&chain, 0);
    if (!p) return err_because(why, why_size, ERR_DAMAGED, "there is no checkpoint");
    if (!c->checkpoint_met)
        return err_because(why, why_size, ERR_DAMAGED, "the log ends at line %llu, but a checkpoint signs line %llu: its tail was cut off",
                           (unsigned long long)c->last, (unsigned long long)p->n);
    if (!from_hex(p->signature, &signature) || !from_hex(p->certificates, &chain))
        return err_because(why, why_size, ERR_DAMAGED, "the checkpoint cannot be read");
    int n = signed_text(text, sizeof text, p->n, p->hash, p->wall_ms);
    uint64_t wall_ns = p->wall_ms < UINT64_MAX / NS_PER_MS ? p->wall_ms * NS_PER_MS : 0;
    return sign_verify(t, wall_ns, AUDIT_CHECK_DOMAIN, span_of(text, (size_t)n), buf_span(&signature), buf_span(&chain), out_signer,
                       SIGN_URI_BYTES, why, why_size);
}
