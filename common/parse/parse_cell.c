#include "common/parse/parse_cell.h"

#include "common/parse/parse_job.h"

struct span parse_cell_bare(const struct parse_column *c, struct span word) {
    if (!c->open && !c->close) return word;
    struct span open = span_str(c->open ? c->open : ""), close = span_str(c->close ? c->close : "");
    if (word.n < open.n + close.n || !span_starts(word, open) || !span_ends(word, close)) return SPAN_NONE;
    return span_of(word.p + open.n, word.n - open.n - close.n);
}

static bool is_digits(struct span s) {
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9') return false;
    return s.n > 0;
}

/* "11:07:42", "11:07:42.123456". */
static bool is_clock(struct span s) {
    if (s.n > 9 && (s.p[8] == '.' || s.p[8] == ',') && is_digits(span_drop(s, 9))) s.n = 8;
    return parse_job_is_clock(s);
}

static bool is_address(struct span s) {
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool ok = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == '.' || c == ':' || c == '%' ||
                  c == '?' || c == '-';
        if (!ok) return false;
    }
    return s.n > 0;
}

/* What tools print where they have no number. */
static bool is_no_number(struct span s) {
    static const char *const words[] = {"?", "-", "N/A", "LL_MAX", "nan", "-nan", "inf", "-inf"};
    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (span_eq_str(s, words[i])) return true;
    return is_digits(s); /* too large for one of ours */
}

/* Seconds and milliseconds are printed with decimals everywhere. */
static bool has_decimals(const struct parse_column *c) { return c->unit && (strcmp(c->unit, "s") == 0 || strcmp(c->unit, "ms") == 0); }

static bool is_seconds(const struct parse_column *c) { return c->unit && strcmp(c->unit, "s") == 0; }

/* Without a number, as tools print it. */
static bool no_number(struct parse_cell *cell) {
    cell->number = EVENTS_NULL;
    cell->decimals = 0;
    return is_no_number(cell->text);
}

bool parse_cell_read(const struct parse_column *c, struct parse_cell *cell) {
    struct span s = parse_cell_bare(c, cell->text);
    if (!s.p) return false;
    if (c->unit && c->unit[0] == '%' && s.n > 1 && s.p[s.n - 1] == '%') s.n--;
    cell->text = s;
    if (c->one_of) return s.n == 1 && strchr(c->one_of, s.p[0]) && s.p[0] != '\0';
    switch (c->type) {
    case COLUMN_INT:
    case COLUMN_PORT:
        return span_i64(s, &cell->number) || no_number(cell);
    case COLUMN_DECIMAL:
        if (span_decimal(s, &cell->number, &cell->decimals)) return cell->decimals > 0 || !has_decimals(c);
        return !is_seconds(c) && no_number(cell);
    case COLUMN_TIME:
        return is_clock(s);
    case COLUMN_ADDRESS:
        return is_address(s);
    case COLUMN_TEXT:
        break;
    }
    return s.n > 0 || c->close;
}
