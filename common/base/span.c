#include "common/base/span.h"

int span_cmp(struct span a, struct span b) {
    size_t n = a.n < b.n ? a.n : b.n;
    int c = n ? memcmp(a.p, b.p, n) : 0;
    return c ? c : (a.n > b.n) - (a.n < b.n);
}

size_t span_rfind(struct span s, char c) {
    const char *at = s.n ? memrchr(s.p, c, s.n) : NULL;
    return at ? (size_t)(at - s.p) : s.n;
}

size_t span_find_span(struct span s, struct span needle) {
    if (needle.n == 0) return 0;
    const char *at = s.n ? memmem(s.p, s.n, needle.p, needle.n) : NULL;
    return at ? (size_t)(at - s.p) : s.n;
}

/* After a failure only the last * can take one more byte: earlier ones have found the first fit there is. */
bool span_glob(struct span pattern, struct span s) {
    size_t p = 0, i = 0, star = pattern.n, from = 0;
    while (i < s.n) {
        if (p < pattern.n && pattern.p[p] == '*') {
            star = p++;
            from = i;
        } else if (p < pattern.n && (pattern.p[p] == '?' || pattern.p[p] == s.p[i])) {
            p++;
            i++;
        } else if (star < pattern.n) {
            p = star + 1;
            i = ++from;
        } else {
            return false;
        }
    }
    while (p < pattern.n && pattern.p[p] == '*') p++;
    return p == pattern.n;
}

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

struct span span_trim_end(struct span s) {
    while (s.n > 0 && is_blank(s.p[s.n - 1])) s.n--;
    return s;
}

struct span span_trim(struct span s) {
    while (s.n > 0 && is_blank(s.p[0])) s = span_drop(s, 1);
    return span_trim_end(s);
}

bool span_word(struct span *rest, struct span *word) {
    size_t i = 0, j;
    while (i < rest->n && (rest->p[i] == ' ' || rest->p[i] == '\t')) i++;
    for (j = i; j < rest->n && rest->p[j] != ' ' && rest->p[j] != '\t';) j++;
    struct span found = span_head(span_drop(*rest, i), j - i);
    *rest = span_drop(*rest, j);
    if (found.n == 0) return false;
    *word = found;
    return true;
}

struct span span_nth_word(struct span line, size_t nth) {
    struct span word = SPAN_NONE;
    for (size_t i = 0; i <= nth; i++)
        if (!span_word(&line, &word)) return SPAN_NONE;
    return word;
}

bool span_i64(struct span s, int64_t *out) {
    bool minus = s.n > 0 && s.p[0] == '-';
    uint64_t v, most = minus ? (uint64_t)INT64_MAX + 1 : (uint64_t)INT64_MAX;
    if (!span_u64(span_drop(s, minus), &v) || v > most) return false;
    *out = minus ? (int64_t)(0 - v) : (int64_t)v;
    return true;
}

bool span_decimal(struct span s, int64_t *out_mantissa, unsigned *out_decimals) {
    size_t i = s.n > 0 && s.p[0] == '-', digits = 0, behind = 0;
    bool minus = i > 0, dot = false;
    int64_t m = 0;
    for (; i < s.n; i++) {
        unsigned digit = (unsigned)(unsigned char)s.p[i] - '0';
        if (digit <= 9) {
            if (++digits > 18) return false;
            m = m * 10 + digit;
            behind += dot;
        } else {
            if (s.p[i] != '.' || dot || digits == 0) return false;
            dot = true;
        }
    }
    if (digits == 0 || (dot && behind == 0)) return false;
    *out_mantissa = minus ? -m : m;
    *out_decimals = (unsigned)behind;
    return true;
}

/* A number and the unit behind it, scaled by the unit's factor. */
struct unit {
    const char *name;
    uint64_t factor;
};

static bool scaled(struct span s, const struct unit *units, size_t n, uint64_t *out) {
    size_t digits = 0;
    uint64_t v;
    while (digits < s.n && s.p[digits] >= '0' && s.p[digits] <= '9') digits++;
    if (!span_u64(span_head(s, digits), &v)) return false;
    size_t i = 0;
    while (i < n && !span_eq_str(span_drop(s, digits), units[i].name)) i++;
    if (i == n || __builtin_mul_overflow(v, units[i].factor, &v)) return false;
    *out = v;
    return true;
}

bool span_duration_ns(struct span s, uint64_t *out_ns) {
    static const struct unit units[] = {{"", 1000000000},  {"ns", 1},          {"us", 1000},         {"ms", 1000000},
                                        {"s", 1000000000}, {"m", 60000000000}, {"h", 3600000000000}, {"d", 86400000000000}};
    return scaled(s, units, sizeof units / sizeof units[0], out_ns);
}

bool span_size_bytes(struct span s, uint64_t *out_bytes) {
    static const struct unit units[] = {{"", 1},          {"K", 1 << 10}, {"KiB", 1 << 10}, {"M", 1 << 20},
                                        {"MiB", 1 << 20}, {"G", 1 << 30}, {"GiB", 1 << 30}};
    return scaled(s, units, sizeof units / sizeof units[0], out_bytes);
}
