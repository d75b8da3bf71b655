#include "console/cli/course_args.h"

#include <time.h>

#include "common/base/clock.h"
#include "common/crypto/digest.h"
#include "common/order/course.h"
#include "console/cli/args.h"

enum { JOIN_S = 30, PACED_S = 3600, DAY_S = 24 * 3600, JUST_NOW_S = 3600, WHOLE = 1000 };

/* ---- values ---- */
static bool permille_of(struct span s, uint32_t most, uint32_t *out) {
    int64_t mantissa;
    unsigned decimals;
    if (!span_ends(s, SPAN_LIT("%")) || !span_decimal(span_head(s, s.n - 1), &mantissa, &decimals) || decimals > 1) return false;
    if (decimals == 0) mantissa *= 10;
    if (mantissa < 1 || mantissa > most) return false;
    *out = (uint32_t)mantissa;
    return true;
}

static bool count_of(struct span s, uint32_t *out) {
    uint64_t n;
    if (!span_u64(s, &n) || n < 1 || n > UINT32_MAX) return false;
    *out = (uint32_t)n;
    return true;
}

static bool share_from(struct span s, struct share *out) {
    struct share r = {0};
    if (!permille_of(s, WHOLE, &r.permille) && !count_of(s, &r.count)) return false;
    *out = r;
    return true;
}

static bool take_waves(struct span s, struct course_args *a) {
    a->n_waves = 0;
    for (bool more = true; more; a->n_waves++) {
        struct span one;
        more = span_cut(s, ',', &one, &s);
        if (a->n_waves == LIMIT_WAVES || !share_from(span_trim(one), &a->waves[a->n_waves])) return false;
    }
    return true;
}

static bool take_domain(struct span s, struct course_args *a) {
    struct span n;
    return span_cut(s, '=', &a->domain, &n) && a->domain.n > 0 && a->domain.n <= LIMIT_NAME_BYTES && count_of(n, &a->domain_hosts);
}

static bool take_rate(struct span s, struct course_args *a) {
    if (span_ends(s, SPAN_LIT("/s"))) s.n -= 2;
    return count_of(s, &a->rate_per_s) && a->rate_per_s <= LIMIT_RATE_PER_S;
}

static bool two_digits(struct span s, int most, int *out) {
    uint64_t v;
    if (s.n != 2 || !span_u64(s, &v) || v > (uint64_t)most) return false;
    *out = (int)v;
    return true;
}

/* "12:00" or "12:00:00" */
static bool time_of_day(struct span s, struct tm *out) {
    struct span hours, minutes, seconds = SPAN_LIT("00");
    return span_cut(s, ':', &hours, &minutes) && (span_cut(minutes, ':', &minutes, &seconds) || (seconds = SPAN_LIT("00")).n) &&
           two_digits(hours, 23, &out->tm_hour) && two_digits(minutes, 59, &out->tm_min) && two_digits(seconds, 59, &out->tm_sec);
}

static bool take_at(const char *value, struct course_args *a) {
    struct tm t = {0};
    a->at_time = NULL;
    a->at_ahead_ns = 0;
    if (value[0] == '+') return span_duration_ns(span_str(value + 1), &a->at_ahead_ns) && a->at_ahead_ns > 0;
    a->at_time = value;
    return time_of_day(span_str(value), &t);
}

bool course_args_take(const char *verb, const char *name, const char *value, struct course_args *a) {
    struct span s = span_str(value);
    const char *form = "";
    bool ok = false;
    if (strcmp(name, "limit") == 0)
        ok = share_from(s, &a->limit), form = "a number of hosts or a percentage: 10%";
    else if (strcmp(name, "seed") == 0)
        ok = a->has_seed = span_u64(s, &a->seed), form = "a number";
    else if (strcmp(name, "waves") == 0)
        ok = take_waves(s, a), form = "numbers of hosts or percentages: 1,5%,30%,100%";
    else if (strcmp(name, "rate") == 0)
        ok = take_rate(s, a), form = "how many hosts start in a second: 50/s";
    else if (strcmp(name, "concurrency") == 0)
        ok = count_of(s, &a->concurrency), form = "a number of hosts";
    else if (strcmp(name, "concurrency-per") == 0)
        ok = take_domain(s, a), form = "a label and a number of hosts: zone=5";
    else if (strcmp(name, "at") == 0)
        ok = take_at(value, a), form = "a time of day here or how long from now: 12:00:00, +5s";
    else if (strcmp(name, "every") == 0)
        ok = span_duration_ns(s, &a->every_ns) && a->every_ns > 0 && a->every_ns % NS_PER_S == 0, form = "whole seconds: 1m";
    else if (strcmp(name, "rounds") == 0)
        ok = count_of(s, &a->rounds) && a->rounds <= LIMIT_ROUNDS, form = "a number, at most 240";
    else if (strcmp(name, "stop-failures") == 0)
        ok = share_from(s, &a->stop.failures), form = "a number of hosts or a percentage: 5%";
    else if (strcmp(name, "stop-refusals") == 0)
        ok = share_from(s, &a->stop.refusals), form = "a number of hosts or a percentage: 5%";
    else if (strcmp(name, "stop-cpu") == 0)
        ok = permille_of(s, 64 * WHOLE, &a->stop.cpu_permille), form = "a percentage of one CPU: 20%";
    else if (strcmp(name, "stop-deaths") == 0)
        ok = count_of(s, &a->stop.agent_deaths), form = "a number of agents";
    else if (strcmp(name, "stop-pressure") == 0)
        ok = permille_of(s, WHOLE, &a->stop.pressure_permille), form = "a percentage: 60%";
    if (!ok) args_complain(verb, "--%s takes %s, not \"%s\"", name, form, value);
    return ok;
}

/* ---- into the order ---- */
/* The next time that it is so late here. */
static uint64_t next_time_ms(const char *text, uint64_t now_ms) {
    time_t now = (time_t)(now_ms / 1000);
    struct tm t = {0};
    if (!localtime_r(&now, &t) || !time_of_day(span_str(text), &t)) return 0;
    t.tm_isdst = -1;
    time_t then = mktime(&t);
    if (then <= now) then += DAY_S;
    return (uint64_t)then * 1000;
}

static void set_times(const struct course_args *a, uint64_t wait_ns, struct spec *s) {
    if (a->at_ahead_ns) s->start_wall_ms = s->issued_wall_ms + a->at_ahead_ns / NS_PER_MS;
    if (a->at_time) s->start_wall_ms = next_time_ms(a->at_time, s->issued_wall_ms);
    bool paced = spec_is_paced(s) && !wait_ns;
    if (paced) s->join_s = JOIN_S; /* how long it takes nobody knows; whoever is away is not waited for so long */
    uint64_t wait_ms = wait_ns ? wait_ns / NS_PER_MS : paced ? PACED_S * 1000ULL : JOIN_S * 1000ULL;
    uint64_t from_ms = s->start_wall_ms ? s->start_wall_ms : s->issued_wall_ms;
    s->expires_wall_ms = from_ms + course_seconds(s) * 1000 + wait_ms;
}

bool course_args_fill(const char *verb, const struct course_args *a, uint64_t wait_ns, struct spec *s) {
    char why[256] = "";
    s->limit = a->limit;
    s->seed = a->seed;
    s->waves = (struct share *)(uintptr_t)a->waves;
    s->n_waves = a->n_waves;
    s->rate_per_s = a->rate_per_s;
    s->concurrency = a->concurrency;
    s->domain = a->domain;
    s->domain_hosts = a->domain_hosts;
    s->stop = a->stop;
    s->rounds = a->rounds;
    s->every_s = (uint32_t)(a->every_ns / NS_PER_S);
    enum err e = a->has_seed ? ERR_OK : digest_random(&s->seed, sizeof s->seed);
    if (e) snprintf(why, sizeof why, "%s", err_text(e));
    set_times(a, wait_ns, s);
    if (!e && s->every_s && s->rounds < 2)
        e = ERR_SYNTAX, snprintf(why, sizeof why, "--every needs --rounds N: how many times");
    else if (!e && a->at_time && s->start_wall_ms > s->issued_wall_ms + (DAY_S - JUST_NOW_S) * 1000ULL)
        e = ERR_SYNTAX, snprintf(why, sizeof why, "--at %s has just passed, and tomorrow is far: say a later time, or how long from now (+30s)", a->at_time);
    if (!e) e = course_check(s, why, sizeof why);
    if (e) args_complain(verb, "%s", why);
    return !e;
}
