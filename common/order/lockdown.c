#include "common/order/lockdown.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "common/base/clock.h"
#include "common/sys/fds.h"

#define BUF __attribute__((cleanup(buf_done))) struct buf

enum { RECORD_BYTES = LIMIT_ORDER_BYTES + 2 * LIMIT_REASON_BYTES };

enum err lockdown_sign(const struct statement *s, const struct signer *by, struct buf *out) {
    BUF bytes;
    buf_init(&bytes, LIMIT_SPEC_BYTES);
    enum err e = statement_encode(s, &bytes);
    return e ? e : order_sign_bytes(LOCKDOWN_DOMAIN, buf_span(&bytes), by, out);
}

static void copy(struct span s, char *out, size_t size) { snprintf(out, size, "%.*s", (int)s.n, s.n ? s.p : ""); }

static enum err refuse(enum err e, char *why, size_t why_size, const char *text) {
    snprintf(why, why_size, "%s", text);
    return e;
}

enum err lockdown_verify(const struct signed_order *so, const struct order_check *check, struct arena *mem, char *why, size_t why_size,
                         struct lockdown *out_state) {
    struct identity who;
    struct statement s;
    enum err e = order_verify_signer(so, LOCKDOWN_DOMAIN, check, why, why_size, &who);
    if (e) return e;
    if (who.authority < AUTHORITY_ADMIN) {
        snprintf(why, why_size, "%s is a %s, and only admins lock a fleet down or lift it", who.name,
                 identity_authority_name(who.authority));
        return ERR_REFUSED;
    }
    e = statement_decode(so->spec, mem, &s);
    if (e) return refuse(e, why, why_size, "the statement cannot be read");
    if (s.version != LOCKDOWN_VERSION) return refuse(ERR_VERSION, why, why_size, "the statement is of a version that is not known here");
    if (!span_eq_str(s.fleet, check->fleet)) return refuse(ERR_REFUSED, why, why_size, "the statement is for another fleet");
    if (s.counter == 0 || s.counter == UINT64_MAX) return refuse(ERR_SYNTAX, why, why_size, "the statement's counter cannot be");
    struct lockdown l = {.locked = !s.lifted, .counter = s.counter, .since_wall_ms = s.issued_wall_ms};
    copy(span_str(who.name), l.operator_name, sizeof l.operator_name);
    copy(s.reason, l.reason, sizeof l.reason);
    *out_state = l;
    return ERR_OK;
}

enum err lockdown_is_newer(const struct lockdown *now, const struct lockdown *next, char *why, size_t why_size) {
    if (next->counter > now->counter) return ERR_OK;
    if (next->counter == now->counter) return ERR_EXISTS;
    snprintf(why, why_size, "a newer statement (%llu) is known here: this one (%llu) comes again or too late",
             (unsigned long long)now->counter, (unsigned long long)next->counter);
    return ERR_REFUSED;
}

/* "locked COUNTER SINCE_MS OPERATOR REASON_BYTES\n" REASON, then the statement. */
enum err lockdown_store(int dir_fd, const char *name, const struct lockdown *state, struct span statement) {
    BUF text;
    buf_init(&text, RECORD_BYTES);
    buf_add_fmt(&text, "%s %llu %llu %s %zu\n%s", state->locked ? "locked" : "lifted", (unsigned long long)state->counter,
                (unsigned long long)state->since_wall_ms, state->operator_name, strlen(state->reason), state->reason);
    buf_add(&text, statement);
    enum err e = buf_failed(&text);
    return e ? e : fds_write_file(dir_fd, name, buf_span(&text), 0600);
}

static bool parse(struct span text, struct lockdown *l, struct span *out_statement) {
    struct span line, state, counter, since, operator_name, n;
    uint64_t reason_bytes = 0;
    if (!span_cut(text, '\n', &line, &text)) return false;
    if (!span_word(&line, &state) || !span_word(&line, &counter) || !span_word(&line, &since) || !span_word(&line, &operator_name) ||
        !span_word(&line, &n))
        return false;
    l->locked = span_eq_str(state, "locked");
    if (!l->locked && !span_eq_str(state, "lifted")) return false;
    if (!span_u64(counter, &l->counter) || !span_u64(since, &l->since_wall_ms) || !span_u64(n, &reason_bytes)) return false;
    if (operator_name.n >= sizeof l->operator_name || reason_bytes > text.n || reason_bytes >= sizeof l->reason) return false;
    copy(operator_name, l->operator_name, sizeof l->operator_name);
    copy(span_head(text, reason_bytes), l->reason, sizeof l->reason);
    *out_statement = span_drop(text, reason_bytes);
    return true;
}

bool lockdown_load(const char *path, struct lockdown *out, struct buf *out_statement) {
    BUF text;
    struct stat st;
    struct lockdown l = {.locked = false};
    struct span statement = SPAN_NONE;
    buf_reset(out_statement);
    buf_init(&text, RECORD_BYTES);
    bool there = stat(path, &st) == 0 || errno != ENOENT;
    bool good = !there || (fds_read_file(path, &text) == ERR_OK && parse(buf_span(&text), &l, &statement));
    if (!good) {
        l = (struct lockdown){.locked = true, .operator_name = "nobody"};
        copy(SPAN_LIT("the record of the last statement is damaged; `trawl lockdown lift` of an admin ends this"), l.reason,
             sizeof l.reason);
    } else {
        buf_add(out_statement, statement);
    }
    *out = l;
    return good;
}

void lockdown_why(const struct lockdown *l, char *out, size_t size) {
    char when[32];
    snprintf(out, size, "the fleet was locked down by %s at %s%s%s", l->operator_name,
             clock_wall_text(l->since_wall_ms < UINT64_MAX / NS_PER_MS ? l->since_wall_ms * NS_PER_MS : 0, when), l->reason[0] ? ": " : "",
             l->reason);
}
