#include "common/base/log.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"

enum { LINE_BYTES = 4096, EVENTS_KEPT = 64, EVENTS_PER_S = 20 };

static enum log_level most_verbose = LOG_INFO;

/* How often each event was said in its current second; the table is direct-mapped, a collision merely forgets. */
static struct rate {
    const char *event;
    uint64_t second;
    unsigned said, held;
} rates[EVENTS_KEPT];
static pthread_mutex_t rates_lock = PTHREAD_MUTEX_INITIALIZER;

void log_set_level(enum log_level level) { most_verbose = level; }

static bool plain(unsigned char c) { return c >= 0x20 && c != 0x7f && c != '"' && c != '\\'; }

/* Length of the well-formed UTF-8 sequence at p, 0 when it is not one or is a C1 control. */
static size_t sequence(const unsigned char *p, size_t n) {
    if (p[0] < 0xc2 || p[0] > 0xf4) return 0;
    size_t len = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    if (n < len) return 0;
    for (size_t i = 1; i < len; i++)
        if ((p[i] & 0xc0) != 0x80) return 0;
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
        return 0;
    return p[0] == 0xc2 && p[1] < 0xa0 ? 0 : len;
}

void log_escape(struct span s, char *out, size_t out_size) {
    static const char hex[] = "0123456789abcdef";
    const unsigned char *p = (const unsigned char *)s.p;
    size_t o = 0;
    for (size_t i = 0; i < s.n;) {
        size_t len = p[i] < 0x80 ? (size_t)plain(p[i]) : sequence(p + i, s.n - i);
        if (o + (len ? len : 4) + 1 > out_size) break;
        if (len) {
            memcpy(out + o, p + i, len);
            o += len;
            i += len;
        } else {
            out[o++] = '\\';
            out[o++] = 'x';
            out[o++] = hex[p[i] >> 4];
            out[o++] = hex[p[i] & 15];
            i++;
        }
    }
    if (out_size) out[o] = '\0';
}

static void say(enum log_level level, const char *event, const struct log_kv *kv, size_t n) {
    char line[LINE_BYTES], value[LINE_BYTES];
    size_t used = (size_t)snprintf(line, sizeof line, "<%d>%s", (int)level, event);
    for (size_t i = 0; i < n && used < sizeof line; i++) {
        int w = 0;
        char *to = line + used;
        size_t room = sizeof line - used;
        switch (kv[i].kind) {
        case LOG_KV_TEXT:
            log_escape(kv[i].text, value, sizeof value);
            w = snprintf(to, room, " %s=\"%s\"", kv[i].key, value);
            break;
        case LOG_KV_SIGNED: w = snprintf(to, room, " %s=%lld", kv[i].key, (long long)kv[i].i); break;
        case LOG_KV_UNSIGNED: w = snprintf(to, room, " %s=%llu", kv[i].key, (unsigned long long)kv[i].u); break;
        }
        used += w > 0 ? (size_t)w : 0;
    }
    if (used >= sizeof line) used = sizeof line - 1;
    line[used++] = '\n';
    if (write(STDERR_FILENO, line, used) < 0) return; /* nowhere left to say it */
}

/* True when this one may be said; *held is how many were not said before. */
static bool allowed(const char *event, unsigned *held) {
    uint64_t second = clock_mono_ns() / NS_PER_S;
    pthread_mutex_lock(&rates_lock);
    struct rate *r = &rates[((uintptr_t)event >> 3) % EVENTS_KEPT];
    *held = 0;
    if (r->event != event || r->second != second) {
        if (r->event == event) *held = r->held;
        *r = (struct rate){.event = event, .second = second};
    }
    bool yes = r->said < EVENTS_PER_S;
    if (yes)
        r->said++;
    else
        r->held++;
    pthread_mutex_unlock(&rates_lock);
    return yes;
}

void log_write(enum log_level level, const char *event, const struct log_kv *kv, size_t n) {
    unsigned held;
    if (level > most_verbose || !allowed(event, &held)) return;
    if (held) say(LOG_WARNING, "log.repeated", (struct log_kv[]){KV("event", event), KV("count", held)}, 2);
    say(level, event, kv, n);
}
