#include "common/base/log.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>

#include "common/base/auto.h"
#include "common/base/clock.h"
#include "common/base/utf8.h"

/* A line of at most PIPE_BUF bytes is written whole or not at all, whoever else writes to the same pipe. */
enum { LINE_BYTES = 4096, TAIL_BYTES = 8, EVENTS = 128, LINES_PER_S = 20 };

struct rate {
    _Atomic(const char *) event; /* NULL: free; never given back */
    _Atomic uint64_t since_ns;
    _Atomic uint32_t written, held_back;
};

struct line {
    char text[LINE_BYTES];
    size_t n;
};

/* State of the process, as its stderr is. */
static struct rate rates[EVENTS];
static _Atomic int most_verbose_level = LOG_INFO;

void log_set_level(enum log_level most_verbose) { atomic_store(&most_verbose_level, (int)most_verbose); }

/* Not so: code points that no terminal shows as themselves (C0, C1, separators) and those that turn the reading direction. */
static bool shown_as_is(struct span c) {
    unsigned char first = (unsigned char)c.p[0];
    if (c.n == 1) return first >= 0x20 && first != 0x7f && first != '"' && first != '\\';
    unsigned char second = (unsigned char)c.p[1];
    if (c.n == 2) return first != 0xc2 || second >= 0xa0;
    if (c.n != 3 || first != 0xe2) return true;
    unsigned char third = (unsigned char)c.p[2];
    if (second == 0x80) return !(third >= 0x8e && third <= 0x8f) && !(third >= 0xa8 && third <= 0xae);
    return second != 0x81 || third < 0xa6 || third > 0xa9;
}

void log_escape(struct span s, char *out, size_t out_size) {
    size_t n = 0, step;
    if (out_size == 0) return;
    for (; s.n; s = span_drop(s, step)) {
        bool ok;
        step = utf8_step(s, &ok);
        bool plain = ok && shown_as_is(span_head(s, step));
        size_t length = plain ? step : 4 * step;
        if (length >= out_size - n) break;
        if (plain) memcpy(out + n, s.p, step);
        for (size_t i = 0; i < step && !plain; i++) snprintf(out + n + 4 * i, 5, "\\x%02x", (unsigned)(unsigned char)s.p[i]);
        n += length;
    }
    out[n] = '\0';
}

/* As much of it as leaves room for the end of the line. */
static void add(struct line *l, const char *z) {
    size_t room = LINE_BYTES - TAIL_BYTES - l->n, n = strlen(z);
    if (n > room) n = room;
    memcpy(l->text + l->n, z, n);
    l->n += n;
}

static void add_text(struct line *l, struct span text) {
    add(l, "\"");
    log_escape(text, l->text + l->n, LINE_BYTES - TAIL_BYTES - l->n);
    l->n += strlen(l->text + l->n);
    add(l, "\"");
}

static void add_kv(struct line *l, const struct log_kv *kv) {
    char number[24];
    if (l->n + strlen(kv->key) + sizeof number + TAIL_BYTES > LINE_BYTES) return;
    add(l, " ");
    add(l, kv->key);
    add(l, "=");
    switch (kv->kind) {
    case LOG_KV_TEXT: add_text(l, kv->text); return;
    case LOG_KV_SIGNED: snprintf(number, sizeof number, "%lld", (long long)kv->i); break;
    case LOG_KV_UNSIGNED: snprintf(number, sizeof number, "%llu", (unsigned long long)kv->u); break;
    }
    add(l, number);
}

static void write_line(enum log_level level, const char *event, const struct log_kv *kv, size_t n) {
    struct line l;
    l.n = 0;
    char head[16];
    snprintf(head, sizeof head, "<%d>", (int)level);
    add(&l, head);
    add(&l, event);
    for (size_t i = 0; i < n; i++) add_kv(&l, &kv[i]);
    l.text[l.n++] = '\n';
    ssize_t written;
    do written = write(STDERR_FILENO, l.text, l.n);
    while (written < 0 && errno == EINTR); /* any other failure: there is nobody left to tell */
}

/* What was held back in a second that is over is told once. */
static void summarise(struct rate *r, uint64_t now_ns) {
    uint64_t since = atomic_load(&r->since_ns);
    if (now_ns < since + NS_PER_S || !atomic_compare_exchange_strong(&r->since_ns, &since, now_ns)) return;
    atomic_store(&r->written, 0);
    uint32_t count = atomic_exchange(&r->held_back, 0);
    if (!count) return;
    const char *event = atomic_load(&r->event);
    const struct log_kv kv[] = {KV("event", event), KV("count", count)};
    write_line(LOG_WARNING, "log.repeated", kv, COUNT_OF(kv));
}

/* The event's row, every row before the first free one looked after on the way; NULL when the table is full: not limited then. */
static struct rate *rate_of(const char *event, uint64_t now_ns) {
    struct rate *mine = NULL;
    for (size_t i = 0; i < EVENTS; i++) {
        const char *taken = atomic_load(&rates[i].event);
        if (!taken && mine) break;
        if (!taken && atomic_compare_exchange_strong(&rates[i].event, &taken, event)) {
            atomic_store(&rates[i].since_ns, now_ns);
            return &rates[i];
        }
        summarise(&rates[i], now_ns);
        if (strcmp(taken, event) == 0) mine = &rates[i];
    }
    return mine;
}

void log_write(enum log_level level, const char *event, const struct log_kv *kv, size_t n) {
    if ((int)level > atomic_load(&most_verbose_level)) return;
    int saved_errno = errno;
    struct rate *r = rate_of(event, clock_mono_ns());
    if (r && atomic_fetch_add(&r->written, 1) >= LINES_PER_S) atomic_fetch_add(&r->held_back, 1);
    else write_line(level, event, kv, n);
    errno = saved_errno;
}
