#include "common/parse/parse_section.h"

enum { KEY_BYTES = 32 };

static size_t key_length(struct span line) {
    size_t n = span_find_span(line, SPAN_LIT(" = "));
    if (n < line.n) return n;
    /* An empty name whose trailing blank was lost on the way. */
    return line.n > 2 && span_ends(line, SPAN_LIT(" =")) ? line.n - 2 : 0;
}

bool parse_section_is(struct span line) {
    size_t n = key_length(line);
    if (n == 0 || n > KEY_BYTES || line.p[0] == ' ') return false;
    for (size_t i = 0; i < n; i++) {
        char c = line.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == ' ' || c == '_')) return false;
    }
    return true;
}

bool parse_section_same_key(struct span a, struct span b) { return span_eq(span_head(a, key_length(a)), span_head(b, key_length(b))); }

static bool is_process(struct span key) { return span_eq_str(key, "pid") || span_eq_str(key, "tid") || span_eq_str(key, "pidns"); }

/* bcc under Python 3 printed some names as b'sda'. */
static struct span without_repr(struct span s) {
    bool quoted = s.n >= 3 && s.p[0] == 'b' && (s.p[1] == '\'' || s.p[1] == '"') && s.p[s.n - 1] == s.p[1];
    return quoted ? span_of(s.p + 2, s.n - 3) : s;
}

/* tcprtt -e adds the average to the name: not part of it, and not mergeable. */
static struct span without_average(struct span s) {
    size_t at = span_find_span(s, SPAN_LIT("[AVG "));
    return at < s.n && s.p[s.n - 1] == ']' ? span_trim_end(span_head(s, at)) : s;
}

static bool is_name_of_task(struct span key) { return span_eq_str(key, "Process Name"); }

bool parse_section_is_task(struct span line) {
    struct span key = span_head(line, key_length(line));
    return is_process(key) || is_name_of_task(key);
}

static void split(struct span section, struct label out[HIST_SECTION_MAX], size_t *n) {
    size_t length = key_length(section);
    struct span key = span_head(section, length), value = span_drop(section, length + 3), rest;
    if (is_process(key)) {
        bool named = span_cut(value, ' ', &value, &rest);
        out[(*n)++] = (struct label){key, value};
        if (named) out[(*n)++] = (struct label){SPAN_LIT("comm"), rest};
    } else if (is_name_of_task(key)) {
        out[(*n)++] = (struct label){key, value};
    } else if (span_eq_str(key, "disk") && span_cut(value, '\t', &value, &rest)) {
        out[(*n)++] = (struct label){key, without_repr(value)};
        if (parse_section_is(rest)) {
            length = key_length(rest);
            out[(*n)++] = (struct label){span_head(rest, length), span_trim_end(span_drop(rest, length + 3))};
        }
    } else {
        out[(*n)++] = (struct label){key, without_average(without_repr(span_trim_end(value)))};
    }
}

enum err parse_section_labels(struct span section, struct arena *mem, struct label out[HIST_SECTION_MAX], size_t *out_n) {
    struct label labels[HIST_SECTION_MAX];
    size_t n = 0;
    split(section, labels, &n);
    for (size_t i = 0; i < n; i++) {
        labels[i] = (struct label){arena_copy(mem, labels[i].key), arena_copy(mem, labels[i].value)};
        if (!labels[i].key.p || !labels[i].value.p) return ERR_NOMEM;
    }
    memcpy(out, labels, n * sizeof *out);
    *out_n = n;
    return ERR_OK;
}
