#include "common/order/pattern.h"

#include "common/base/num.h"
#include "common/order/selector.h"
#include "common/wire/limits.h"

enum { NUMBER_DIGITS_MAX = 9 };

/* Numbers low … high, written with at least width digits and otherwise without leading zeros. */
struct range {
    uint64_t low, high;
    size_t width;
};

struct pattern_token {
    enum { TOKEN_TEXT, TOKEN_ONE, TOKEN_MANY, TOKEN_RANGES } kind;
    struct span text;
    struct range *ranges;
    size_t n_ranges, cap_ranges;
};

/* ---- parsing ---- */

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static bool is_special(char c) { return c == '*' || c == '?' || c == '['; }

static bool allowed(char c, const char *extra) {
    if (!extra) return (unsigned char)c >= 0x20 && c != 0x7f;
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || is_digit(c) || (c && strchr("._-", c)) || (c && strchr(extra, c));
}

/* NULL, or why it is none. */
static const char *parse_range(struct span text, struct range *out) {
    struct span first, last;
    if (!span_cut(text, '-', &first, &last)) last = first;
    struct range r = {0};
    if (!span_u64(first, &r.low) || !span_u64(last, &r.high)) return "a range is made of numbers, as in [1-3,7]";
    if (first.n > NUMBER_DIGITS_MAX || last.n > NUMBER_DIGITS_MAX) return "a number in a range has at most nine digits";
    if (r.low > r.high) return "the range runs backwards";
    if (last.n > 1 && last.p[0] == '0' && last.n != first.n)
        return "both ends of a range have the same number of digits when they begin with 0";
    r.width = first.p[0] == '0' ? first.n : 1;
    *out = r;
    return NULL;
}

static enum err parse_ranges(struct span inside, struct arena *mem, struct pattern_token *t, uint64_t *out_count, const char **why) {
    uint64_t count = 0;
    bool more = true;
    while (more) {
        struct span one;
        more = span_cut(inside, ',', &one, &inside);
        struct range r;
        *why = parse_range(one, &r);
        if (*why) return ERR_SYNTAX;
        enum err e = arena_grow(mem, &t->ranges, &t->cap_ranges, t->n_ranges + 1, sizeof r);
        if (e) return e;
        t->ranges[t->n_ranges++] = r;
        count = num_sat_add(count, r.high - r.low + 1);
    }
    *out_count = count;
    return ERR_OK;
}

/* The next token off the front of *rest; *hosts is multiplied by what it stands for. */
static enum err next_token(struct span *rest, const char *extra, struct arena *mem, uint64_t *hosts, const char **why,
                           struct pattern_token *t) {
    char c = rest->p[0];
    if (c == '*' || c == '?') {
        t->kind = c == '*' ? TOKEN_MANY : TOKEN_ONE;
        *rest = span_drop(*rest, 1);
        return ERR_OK;
    }
    if (c == '[') {
        size_t end = span_find(*rest, ']');
        *why = "the bracket [ is never closed";
        if (end == rest->n) return ERR_SYNTAX;
        uint64_t count = 0;
        t->kind = TOKEN_RANGES;
        enum err e = parse_ranges(span_of(rest->p + 1, end - 1), mem, t, &count, why);
        if (e) return e;
        *hosts = num_sat_mul(*hosts, count);
        *rest = span_drop(*rest, end + 1);
        *why = "the ranges stand for more than 100000 hosts";
        return *hosts > SELECTOR_HOSTS_MAX ? ERR_SYNTAX : ERR_OK;
    }
    size_t n = 0;
    for (; n < rest->n && !is_special(rest->p[n]); n++) {
        *why = rest->p[n] == ']' ? "the bracket ] was never opened" : "a character has no place here";
        if (rest->p[n] == ']' || !allowed(rest->p[n], extra)) return ERR_SYNTAX;
    }
    t->kind = TOKEN_TEXT;
    t->text = span_head(*rest, n);
    *rest = span_drop(*rest, n);
    return ERR_OK;
}

enum err pattern_parse(struct span text, const char *extra, struct arena *mem, const char **out_why, struct pattern *out) {
    struct pattern p = {0};
    uint64_t hosts = 1;
    while (text.n) {
        struct pattern_token t = {0};
        enum err e = next_token(&text, extra, mem, &hosts, out_why, &t);
        if (e) return e;
        e = arena_grow(mem, &p.tokens, &p.cap, p.n + 1, sizeof t);
        if (e) return e;
        p.tokens[p.n++] = t;
    }
    *out = p;
    return ERR_OK;
}

/* ---- matching ---- */

enum { TEXT_MAX = LIMIT_LABEL_BYTES };

/* Where in the text a match may have come so far: at[i], i bytes were matched. */
struct front {
    bool at[TEXT_MAX + 1];
};

static bool in_ranges(const struct pattern_token *t, struct span digits) {
    uint64_t v;
    if (!span_u64(digits, &v)) return false;
    for (size_t i = 0; i < t->n_ranges; i++) {
        const struct range *r = &t->ranges[i];
        bool as_written = digits.n == r->width || (digits.n > r->width && digits.p[0] != '0');
        if (as_written && v >= r->low && v <= r->high) return true;
    }
    return false;
}

/* Where one token leads from the place i. */
static void advance(const struct pattern_token *t, struct span s, size_t i, struct front *next) {
    switch (t->kind) {
    case TOKEN_TEXT:
        if (span_starts(span_drop(s, i), t->text)) next->at[i + t->text.n] = true;
        break;
    case TOKEN_ONE:
        if (i < s.n) next->at[i + 1] = true;
        break;
    case TOKEN_MANY:
        memset(next->at + i, true, s.n + 1 - i);
        break;
    case TOKEN_RANGES:
        for (size_t n = 1; n <= NUMBER_DIGITS_MAX && i + n <= s.n && is_digit(s.p[i + n - 1]); n++)
            if (in_ranges(t, span_of(s.p + i, n))) next->at[i + n] = true;
        break;
    }
}

/* All ways at once, token by token: no backtracking, so no pattern can make it slow. */
bool pattern_matches(const struct pattern *p, struct span s) {
    if (s.n > TEXT_MAX) return false;
    struct front now = {{true}};
    for (size_t k = 0; k < p->n; k++) {
        struct front next = {{false}};
        for (size_t i = 0; i <= s.n; i++)
            if (now.at[i]) {
                advance(&p->tokens[k], s, i, &next);
                if (p->tokens[k].kind == TOKEN_MANY) break; /* the first place covers the others */
            }
        now = next;
    }
    return now.at[s.n];
}

bool pattern_is_text(const struct pattern *p, struct span *out) {
    if (p->n != 1 || p->tokens[0].kind != TOKEN_TEXT) return false;
    *out = p->tokens[0].text;
    return true;
}
