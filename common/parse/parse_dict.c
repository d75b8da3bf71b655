#include "common/parse/parse_dict.h"

#define BEGIN "{'ts': '"

bool parse_dict_is(struct span line) { return span_starts(line, SPAN_LIT(BEGIN)); }

static bool token(struct span *s, char c) {
    if (s->n == 0 || s->p[0] != c) return false;
    *s = span_drop(*s, 1);
    while (s->n > 0 && s->p[0] == ' ') *s = span_drop(*s, 1);
    return true;
}

/* 'text', "text" or b'text': what is between the quotes, escapes and all. */
static bool text(struct span *s, struct span *out) {
    struct span rest = s->n > 1 && s->p[0] == 'b' ? span_drop(*s, 1) : *s;
    if (rest.n == 0 || (rest.p[0] != '\'' && rest.p[0] != '"')) return false;
    char quote = rest.p[0];
    rest = span_drop(rest, 1);
    for (size_t i = 0; i < rest.n; i++) {
        if (rest.p[i] == '\\') {
            i++;
        } else if (rest.p[i] == quote) {
            *out = span_head(rest, i);
            *s = span_drop(rest, i + 1);
            return true;
        }
    }
    return false;
}

static bool key(struct span *s, struct span *out) { return text(s, out) && token(s, ':'); }

static bool number(struct span *s, uint64_t *out) {
    size_t n = 0;
    while (n < s->n && s->p[n] >= '0' && s->p[n] <= '9') n++;
    bool ok = span_u64(span_head(*s, n), out);
    *s = span_drop(*s, n);
    return ok;
}

/* {'interval-start': 0, 'interval-end': 1, 'count': 3} */
static bool read_slot(struct span *s, struct hist_slot *out) {
    unsigned seen = 0;
    if (!token(s, '{')) return false;
    do {
        struct span name;
        uint64_t value;
        if (!key(s, &name) || !number(s, &value)) return false;
        if (span_eq_str(name, "interval-start"))
            out->low = value, seen |= 1;
        else if (span_eq_str(name, "interval-end"))
            out->high = value, seen |= 2;
        else if (span_eq_str(name, "count"))
            out->count = value, seen |= 4;
        else
            return false;
    } while (token(s, ','));
    return token(s, '}') && seen == 7 && out->low <= out->high;
}

static enum err read_slots(struct arena *mem, struct span *s, struct parse_dict_slots *slots) {
    slots->n = 0;
    if (!token(s, '[')) return ERR_SYNTAX;
    if (token(s, ']')) return ERR_OK;
    do {
        enum err e = arena_grow(mem, &slots->slot, &slots->cap, slots->n + 1, sizeof *slots->slot);
        if (e) return e;
        struct hist_slot *slot = &slots->slot[slots->n];
        if (!read_slot(s, slot) || (slots->n > 0 && slot->low <= slots->slot[slots->n - 1].high)) return ERR_SYNTAX;
        slots->n++;
    } while (token(s, ','));
    return token(s, ']') ? ERR_OK : ERR_SYNTAX;
}

static enum err read_member(struct arena *mem, struct span *s, struct parse_dict_slots *slots, struct hist *h) {
    struct span name, value;
    if (!key(s, &name)) return ERR_SYNTAX;
    if (span_eq_str(name, "data")) return read_slots(mem, s, slots);
    uint64_t n;
    struct span digits = *s;
    if (text(s, &value)) {
        /* a name in quotes */
    } else if (number(s, &n)) {
        value = span_head(digits, digits.n - s->n);
    } else {
        return ERR_SYNTAX;
    }
    if (span_eq_str(name, "ts"))
        h->interval = value;
    else if (span_eq_str(name, "val_type"))
        h->unit = value;
    else if (h->n_section < HIST_SECTION_MAX)
        h->section[h->n_section++] = (struct label){name, value};
    return ERR_OK;
}

enum err parse_dict_line(struct arena *mem, struct span line, struct parse_dict_slots *slots, struct hist *out) {
    struct span s = span_trim(line);
    struct hist h = {.scale = HIST_LOG2, .unit = SPAN_LIT(""), .interval = SPAN_LIT("")};
    slots->n = 0;
    if (!token(&s, '{')) return ERR_SYNTAX;
    do {
        enum err e = read_member(mem, &s, slots, &h);
        if (e) return e;
    } while (token(&s, ','));
    if (!token(&s, '}') || s.n > 0) return ERR_SYNTAX;
    h.slots = slots->slot;
    h.n_slots = slots->n;
    *out = h;
    return ERR_OK;
}
