#include "common/conf/conf_value.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/clock.h"

enum { PPM_PER_PERCENT = 10000, PERCENT_DECIMALS = 4 };

static bool is_text(const struct conf_item *item) {
    return item->type == CONF_TEXT || item->type == CONF_PATH || item->type == CONF_LABELS || item->type == CONF_WORDS;
}

/* Fields are reached by offset, so by memcpy: the table knows the type, the compiler does not. */
static void field_write(const struct conf_item *item, void *target, const void *value, size_t n) {
    memcpy((char *)target + item->offset, value, n);
}

static char *field_text(const struct conf_item *item, const void *target) {
    char *z;
    memcpy(&z, (const char *)target + item->offset, sizeof z);
    return z;
}

void conf_value_clear(const struct conf_item *item, void *target) {
    static const char *const none = NULL;
    const uint64_t zero = 0;
    const bool no = false;
    if (is_text(item))
        field_write(item, target, &none, sizeof none);
    else if (item->type == CONF_BOOL)
        field_write(item, target, &no, sizeof no);
    else
        field_write(item, target, &zero, sizeof zero);
}

void conf_value_done(const struct conf_item *item, void *target) {
    if (is_text(item)) free(field_text(item, target));
    conf_value_clear(item, target);
}

/* "90s", "64MiB": the largest unit that leaves no rest. */
static void add_number(const struct conf_item *item, uint64_t v, struct buf *out) {
    static const struct unit {
        enum conf_type type;
        uint64_t factor;
        const char *name;
    } units[] = {
        {CONF_DURATION_NS, 86400 * NS_PER_S, "d"},
        {CONF_DURATION_NS, 3600 * NS_PER_S, "h"},
        {CONF_DURATION_NS, 60 * NS_PER_S, "m"},
        {CONF_DURATION_NS, NS_PER_S, "s"},
        {CONF_DURATION_NS, NS_PER_MS, "ms"},
        {CONF_DURATION_NS, 1000, "us"},
        {CONF_DURATION_NS, 1, "ns"},
        {CONF_SIZE_BYTES, 1 << 30, "GiB"},
        {CONF_SIZE_BYTES, 1 << 20, "MiB"},
        {CONF_SIZE_BYTES, 1 << 10, "KiB"},
        {CONF_PERCENT, PPM_PER_PERCENT, "%"},
    };
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (units[i].type != item->type || v == 0 || v % units[i].factor) continue;
        buf_add_u64(out, v / units[i].factor);
        buf_add_str(out, units[i].name);
        return;
    }
    buf_add_u64(out, v);
    assert(item->type != CONF_PERCENT || v == 0); /* no table has a range that ends within a percent */
    if (item->type == CONF_PERCENT) buf_add_char(out, '%');
}

void conf_value_expected(const struct conf_item *item, struct buf *out) {
    static const char *const words[] = {
        [CONF_TEXT] = "text",
        [CONF_PATH] = "an absolute path",
        [CONF_U64] = "a number",
        [CONF_DURATION_NS] = "a duration such as 250ms, 10s, 2m or 1h",
        [CONF_SIZE_BYTES] = "a size in bytes such as 64KiB, 50MiB or 1GiB",
        [CONF_PERCENT] = "a share such as 2% or 0.5%",
        [CONF_BOOL] = "yes or no",
        [CONF_LABELS] = "labels such as role=web,zone=a",
        [CONF_WORDS] = "words",
    };
    buf_add_str(out, words[item->type]);
    if (is_text(item) || item->type == CONF_BOOL) return;
    if (item->low || item->high) {
        buf_add_str(out, ", at least ");
        add_number(item, item->low, out);
    }
    if (item->high) {
        buf_add_str(out, " and at most ");
        add_number(item, item->high, out);
    }
}

static bool is_name(struct span s) {
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.' || c == '/'))
            return false;
    }
    return s.n > 0;
}

/* Is key the name of one of the labels? */
static bool has_label(struct span labels, struct span key) {
    struct span one, name, value;
    for (bool more = labels.n > 0; more;) {
        more = span_cut(labels, ',', &one, &labels);
        span_cut(one, '=', &name, &value);
        if (span_eq(span_trim(name), key)) return true;
    }
    return false;
}

static bool valid_labels(struct span s) {
    struct span one, rest = s, name, value;
    for (bool more = s.n > 0; more;) {
        struct span before = span_head(s, s.n - rest.n);
        more = span_cut(rest, ',', &one, &rest);
        if (!span_cut(one, '=', &name, &value)) return false;
        name = span_trim(name);
        if (!is_name(name) || !is_name(span_trim(value)) || has_label(before, name)) return false;
    }
    return true;
}

static bool valid_text(const struct conf_item *item, struct span s) {
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < 0x20 && s.p[i] != '\t') return false;
    if (s.n == 0) return item->fallback != NULL; /* a required one says something */
    if (item->type == CONF_PATH) return s.p[0] == '/';
    return item->type != CONF_LABELS || valid_labels(s);
}

static enum err set_text(const struct conf_item *item, struct span s, void *target) {
    char *old = field_text(item, target);
    size_t old_n = old ? strlen(old) : 0, gap = old_n > 0;
    char *z = realloc(old, old_n + gap + s.n + 1);
    if (!z) return ERR_NOMEM; /* the old one is still the field's */
    if (gap) z[old_n] = ' ';
    if (s.n) memcpy(z + old_n + gap, s.p, s.n);
    z[old_n + gap + s.n] = '\0';
    field_write(item, target, &z, sizeof z);
    return ERR_OK;
}

static bool parse_bool(struct span s, bool *out) {
    static const char *const yes[] = {"yes", "true", "on", "1"}, *const no[] = {"no", "false", "off", "0"};
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++) {
        bool is_yes = span_eq_str(s, yes[i]);
        if (!is_yes && !span_eq_str(s, no[i])) continue;
        *out = is_yes;
        return true;
    }
    return false;
}

/* "2%", "0.5%", "0.0001%". */
static bool parse_percent(struct span s, uint64_t *out) {
    struct span whole, part = SPAN_NONE;
    uint64_t percent = 0, decimals = 0;
    if (s.n < 2 || s.p[s.n - 1] != '%') return false;
    bool split = span_cut(span_head(s, s.n - 1), '.', &whole, &part);
    if (!span_u64(whole, &percent) || percent > 100) return false;
    if (split && (part.n == 0 || part.n > PERCENT_DECIMALS || !span_u64(part, &decimals))) return false;
    for (size_t i = part.n; split && i < PERCENT_DECIMALS; i++) decimals *= 10;
    *out = percent * PPM_PER_PERCENT + decimals;
    return true;
}

static bool parse_number(const struct conf_item *item, struct span s, uint64_t *out) {
    uint64_t v;
    bool ok = item->type == CONF_DURATION_NS  ? span_duration_ns(s, &v)
              : item->type == CONF_SIZE_BYTES ? span_size_bytes(s, &v)
              : item->type == CONF_PERCENT    ? parse_percent(s, &v)
                                              : span_u64(s, &v);
    if (!ok || v < item->low || (item->high && v > item->high)) return false;
    *out = v;
    return true;
}

enum err conf_value_set(const struct conf_item *item, struct span text, void *target, struct buf *expected) {
    uint64_t number;
    bool yes;
    text = span_trim(text);
    if (is_text(item)) {
        if (valid_text(item, text)) return set_text(item, text, target);
    } else if (item->type == CONF_BOOL) {
        if (parse_bool(text, &yes)) {
            field_write(item, target, &yes, sizeof yes);
            return ERR_OK;
        }
    } else if (parse_number(item, text, &number)) {
        field_write(item, target, &number, sizeof number);
        return ERR_OK;
    }
    conf_value_expected(item, expected);
    return ERR_SYNTAX;
}
