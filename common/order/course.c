#include "common/order/course.h"

#include <stdio.h>

enum { START_AHEAD_MS = 24 * 3600 * 1000, MS_PER_S = 1000 };

uint64_t course_seconds(const struct spec *s) { return (uint64_t)(spec_rounds(s) - 1) * s->every_s + s->duration_s; }

static enum err check_rounds(const struct spec *s, char *why, size_t size) {
    uint32_t rounds = spec_rounds(s);
    if (rounds > LIMIT_ROUNDS) return err_because(why, size, ERR_LIMIT, "there are at most %d rounds, not %u", LIMIT_ROUNDS, rounds);
    if (rounds == 1 && s->every_s) return err_because(why, size, ERR_SYNTAX, "one capture has no interval between rounds");
    if (rounds > 1 && s->every_s < s->duration_s)
        return err_because(why, size, ERR_SYNTAX, "a round of %u seconds does not fit into %u seconds", s->duration_s, s->every_s);
    if (rounds > 1 && course_seconds(s) * MS_PER_S > s->expires_wall_ms - s->issued_wall_ms)
        return err_because(why, size, ERR_SYNTAX, "the order expires before its last round ends");
    return ERR_OK;
}

static enum err check_start(const struct spec *s, char *why, size_t size) {
    if (!s->start_wall_ms) return ERR_OK;
    if (spec_is_paced(s))
        return err_because(why, size, ERR_SYNTAX, "hosts that start at a time together cannot have waves, a rate or a concurrency as well");
    if (s->start_wall_ms < s->issued_wall_ms || s->start_wall_ms - s->issued_wall_ms > START_AHEAD_MS)
        return err_because(why, size, ERR_LIMIT, "the start is at most a day ahead, and not in the past");
    if (s->start_wall_ms + course_seconds(s) * MS_PER_S > s->expires_wall_ms)
        return err_because(why, size, ERR_SYNTAX, "the order expires before the captures that start at its time end");
    return ERR_OK;
}

static enum err check_hosts(const struct spec *s, char *why, size_t size) {
    if (s->domain_hosts && !s->domain.n) return err_because(why, size, ERR_SYNTAX, "a concurrency per label needs the label");
    for (size_t i = 1; i < s->n_waves; i++) {
        struct share a = s->waves[i - 1], b = s->waves[i];
        bool alike = (a.count > 0) == (b.count > 0);
        if (alike && (b.count ? b.count <= a.count : b.permille <= a.permille))
            return err_because(why, size, ERR_SYNTAX, "each wave reaches more hosts than the one before: wave %zu does not", i + 1);
    }
    return ERR_OK;
}

enum err course_check(const struct spec *s, char *why, size_t why_size) {
    enum err e = check_rounds(s, why, why_size);
    if (!e) e = check_start(s, why, why_size);
    return e ? e : check_hosts(s, why, why_size);
}
