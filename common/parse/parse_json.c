#include "common/parse/parse_json.h"

static void skip_blanks(struct parse_json *j) {
    while (j->rest.n > 0 && (j->rest.p[0] == ' ' || j->rest.p[0] == '\t')) j->rest = span_drop(j->rest, 1);
}

bool parse_json_next_is(struct parse_json *j, char c) {
    skip_blanks(j);
    return j->rest.n > 0 && j->rest.p[0] == c;
}

bool parse_json_take(struct parse_json *j, char c) {
    bool is = parse_json_next_is(j, c);
    if (is) j->rest = span_drop(j->rest, 1);
    return is;
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool hex(struct span s, size_t at, size_t digits, unsigned *out) {
    unsigned v = 0;
    if (s.n < at + digits) return false;
    for (size_t i = 0; i < digits; i++) {
        int d = hex_digit(s.p[at + i]);
        if (d < 0) return false;
        v = v * 16 + (unsigned)d;
    }
    *out = v;
    return true;
}

static size_t put_utf8(unsigned code, char *out) {
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xc0 | code >> 6);
        out[1] = (char)(0x80 | (code & 0x3f));
        return 2;
    }
    out[0] = (char)(0xe0 | code >> 12);
    out[1] = (char)(0x80 | (code >> 6 & 0x3f));
    out[2] = (char)(0x80 | (code & 0x3f));
    return 3;
}

/* What stands behind a backslash at s.p[0]; 0: nothing that can.  *made: the bytes written, at most 3. */
static size_t unescape(struct span s, char *out, size_t *made) {
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    unsigned code;
    *made = 1;
    if (s.n < 2) return 0;
    const char *known = s.p[1] ? strchr(from, s.p[1]) : NULL;
    if (known) {
        *out = to[known - from];
        return 2;
    }
    if (s.p[1] != 'u') return 0;
    if (hex(s, 2, 8, &code) && code >= 0xffffff80U) { /* a byte over 0x7f that bpftrace took for a negative number */
        *out = (char)(code & 0xff);
        return 10;
    }
    if (!hex(s, 2, 4, &code) || (code >= 0xd800 && code < 0xe000)) return 0;
    *made = put_utf8(code, out);
    return 6;
}

enum err parse_json_text(struct parse_json *j, struct span *out) {
    if (!parse_json_take(j, '"')) return ERR_SYNTAX;
    size_t end = 0;
    while (end < j->rest.n && j->rest.p[end] != '"') end += j->rest.p[end] == '\\' ? 2 : 1;
    if (end >= j->rest.n) return ERR_SYNTAX;
    struct span raw = span_head(j->rest, end);
    j->rest = span_drop(j->rest, end + 1);
    if (span_find(raw, '\\') == raw.n) {
        *out = raw;
        return ERR_OK;
    }
    enum err e = arena_grow(j->mem, &j->text, &j->text_cap, raw.n, 1); /* no escape is shorter than what it stands for */
    if (e) return e;
    size_t n = 0;
    while (raw.n > 0) {
        size_t used = 1, made = 1;
        if (raw.p[0] == '\\')
            used = unescape(raw, &j->text[n], &made);
        else
            j->text[n] = raw.p[0];
        if (used == 0) return ERR_SYNTAX;
        n += made;
        raw = span_drop(raw, used);
    }
    *out = span_of(j->text, n);
    return ERR_OK;
}

enum err parse_json_key(struct parse_json *j, struct span *out) {
    enum err e = parse_json_text(j, out);
    if (e) return e;
    return parse_json_take(j, ':') ? ERR_OK : ERR_SYNTAX;
}

bool parse_json_bare(struct parse_json *j, struct span *out) {
    size_t n = 0;
    skip_blanks(j);
    while (n < j->rest.n && ((j->rest.p[n] >= '0' && j->rest.p[n] <= '9') || strchr("-:.", j->rest.p[n])) && j->rest.p[n]) n++;
    *out = span_head(j->rest, n);
    j->rest = span_drop(j->rest, n);
    return n > 0;
}
