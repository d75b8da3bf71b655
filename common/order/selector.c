#include "common/order/selector.h"

#include "common/order/pattern.h"
#include "common/wire/limits.h"

enum term_kind { TERM_NAME, TERM_NOT_NAME, TERM_LABEL, TERM_NOT_LABEL };

struct term {
    enum term_kind kind;
    struct span key;
    struct pattern pattern;
};

struct selector {
    struct term *terms;
    size_t n, cap;
    bool by_name; /* there is a TERM_NAME */
};

/* ---- parsing ---- */

/* Cut at the first comma outside brackets. */
static bool cut_term(struct span text, struct span *head, struct span *rest) {
    bool inside = false;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '[') inside = true;
        if (text.p[i] == ']') inside = false;
        if (text.p[i] != ',' || inside) continue;
        *head = span_head(text, i);
        *rest = span_drop(text, i + 1);
        return true;
    }
    *head = text;
    *rest = span_drop(text, text.n);
    return false;
}

static bool is_key(struct span s) {
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool good = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c && strchr("._-/", c));
        if (!good) return false;
    }
    return s.n > 0 && s.n <= LIMIT_NAME_BYTES;
}

static enum err parse_label(struct span key, struct span value, struct arena *mem, const char **why, struct term *out) {
    out->kind = TERM_LABEL;
    if (span_ends(key, SPAN_LIT("!"))) {
        out->kind = TERM_NOT_LABEL;
        key = span_head(key, key.n - 1);
    }
    *why = span_starts(key, SPAN_LIT("!")) ? "write key!=value to exclude a label" : "a label's key has 1 to 63 of A-Z a-z 0-9 . _ - /";
    if (!is_key(key)) return ERR_SYNTAX;
    *why = "the label has no value";
    if (!value.n) return ERR_SYNTAX;
    out->key = key;
    return pattern_parse(value, NULL, mem, why, &out->pattern);
}

static enum err parse_name(struct span text, struct arena *mem, const char **why, struct term *out) {
    out->kind = TERM_NAME;
    if (span_starts(text, SPAN_LIT("!"))) {
        out->kind = TERM_NOT_NAME;
        text = span_drop(text, 1);
    }
    *why = "a name is missing after !";
    if (!text.n) return ERR_SYNTAX;
    if (span_eq_str(text, "all")) text = SPAN_LIT("*");
    return pattern_parse(text, "", mem, why, &out->pattern);
}

static enum err parse_term(struct span text, struct arena *mem, const char **why, struct term *out) {
    *why = "it is empty";
    if (!text.n) return ERR_SYNTAX;
    struct span key, value;
    return span_cut(text, '=', &key, &value) ? parse_label(key, value, mem, why, out) : parse_name(text, mem, why, out);
}

/* term 2: "web[5-1]": the range runs backwards */
static void tell(struct buf *out, size_t number, struct span term, const char *why) {
    buf_add_str(out, "term ");
    buf_add_u64(out, number);
    buf_add_str(out, ": \"");
    for (size_t i = 0; i < term.n; i++) buf_add_char(out, term.p[i] < 0x20 || term.p[i] > 0x7e ? '?' : term.p[i]);
    buf_add_str(out, "\": ");
    buf_add_str(out, why);
}

static enum err parse_terms(struct span text, struct arena *mem, struct buf *out_why, struct selector *into) {
    bool more = true;
    while (more) {
        struct span one;
        more = cut_term(text, &one, &text);
        struct term t = {0};
        const char *why = "";
        enum err e = parse_term(span_trim(one), mem, &why, &t);
        if (e == ERR_SYNTAX) tell(out_why, into->n + 1, span_trim(one), why);
        if (!e) e = arena_grow(mem, &into->terms, &into->cap, into->n + 1, sizeof t);
        if (e) return e;
        into->terms[into->n++] = t;
        if (t.kind == TERM_NAME) into->by_name = true;
    }
    return ERR_OK;
}

enum err selector_parse(struct span text, struct arena *mem, struct buf *out_why, const struct selector **out) {
    if (text.n > LIMIT_SELECTOR_BYTES) {
        buf_add_fmt(out_why, "the selector is longer than %d bytes", LIMIT_SELECTOR_BYTES);
        return ERR_LIMIT;
    }
    struct selector *s = arena_array(mem, 1, sizeof *s);
    struct span copy = arena_copy(mem, text);
    if (!s || !copy.p) return ERR_NOMEM;
    enum err e = span_trim(copy).n ? parse_terms(copy, mem, out_why, s) : ERR_OK;
    if (e) return e;
    *out = s;
    return ERR_OK;
}

size_t selector_names(const struct selector *s, struct span *out, size_t max) {
    if (s->n > max) return 0;
    for (size_t i = 0; i < s->n; i++)
        if (s->terms[i].kind != TERM_NAME || !pattern_is_text(&s->terms[i].pattern, &out[i])) return 0;
    return s->n;
}

/* ---- matching ---- */

static bool has_label(const struct term *t, const struct label *labels, size_t n_labels) {
    for (size_t i = 0; i < n_labels; i++)
        if (span_eq(labels[i].key, t->key) && pattern_matches(&t->pattern, labels[i].value)) return true;
    return false;
}

bool selector_matches(const struct selector *s, struct span host, const struct label *labels, size_t n_labels) {
    bool named = !s->by_name;
    for (size_t i = 0; i < s->n; i++) {
        const struct term *t = &s->terms[i];
        switch (t->kind) {
        case TERM_NAME:
            named = named || pattern_matches(&t->pattern, host);
            break;
        case TERM_NOT_NAME:
            if (pattern_matches(&t->pattern, host)) return false;
            break;
        case TERM_LABEL:
            if (!has_label(t, labels, n_labels)) return false;
            break;
        case TERM_NOT_LABEL:
            if (has_label(t, labels, n_labels)) return false;
            break;
        }
    }
    return named;
}
