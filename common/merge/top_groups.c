#include "common/merge/top_groups.h"

#include <stdlib.h>

#include "common/base/num.h"
#include "common/model/hash.h"

enum { NUMBERS = 1 << 16, FIRST_TUPLES = 64, FIRST_SLOTS = 128 };

struct top_groups_number {
    int64_t number;
    uint32_t decimals, value; /* value: 1 + the number of its text; 0: empty */
};

enum err top_groups_init(struct top_groups *g, const struct top_options *opt, size_t budget_bytes, struct arena *mem) {
    struct top_groups new = {.opt = opt, .mem = mem, .budget_bytes = budget_bytes};
    enum err e = strings_init(&new.values, mem);
    if (e) return e;
    new.n = new.values.n;
    if (opt->n_fields > 1) {
        new.n = 0;
        new.cap_tuples = FIRST_TUPLES;
        new.hash_size = FIRST_SLOTS;
        new.tuples = arena_array(mem, FIRST_TUPLES, sizeof *new.tuples);
        new.hash = arena_array(mem, FIRST_SLOTS, sizeof *new.hash);
        if (!new.tuples || !new.hash) return ERR_NOMEM;
    }
    *g = new;
    return ERR_OK;
}

void top_groups_done(struct top_groups *g) {
    free(g->numbers);
    free(g->of_text);
}

/* Could one more be over what is left of the budget?  All arrays may have to be doubled.  Otherwise it is malloc that failed.  What is
 * left only gets less, so what found no room never finds any. */
static bool is_full(const struct top_groups *g, size_t text_bytes) {
    size_t need = 2 * (g->values.cap + 1) * sizeof(struct span) + 2 * (g->values.hash_size + g->hash_size) * sizeof(struct hash_slot) +
                  2 * (g->cap_tuples + TOP_FIELDS_MAX) * sizeof *g->tuples + text_bytes + 64;
    return g->budget_bytes - arena_used(g->mem) < need;
}

/* ---- values ---- */
static enum err value_of_text(struct top_groups *g, struct span text, uint32_t *out) {
    uint32_t index = 0;
    enum err e = strings_add(&g->values, text, &index);
    *out = e ? TOP_GROUPS_NO_ROOM : index;
    if (!e || !is_full(g, text.n)) return e;
    g->full = true;
    return ERR_OK;
}

/* The known numbers of the texts of e: kept while e's table is the same and only grows. */
static enum err known_texts(struct top_groups *g, const struct events *e, const struct where_source *from) {
    size_t known = from->dictionary && from->dictionary == g->dictionary ? g->n_of_text : 0;
    if (e->strings.n > g->n_of_text) {
        uint32_t *p = reallocarray(g->of_text, e->strings.n, sizeof *p);
        if (!p) return ERR_NOMEM;
        g->of_text = p;
        g->n_of_text = e->strings.n;
    }
    if (known < g->n_of_text) memset(g->of_text + known, 0, (g->n_of_text - known) * sizeof *g->of_text);
    g->dictionary = from->dictionary;
    return ERR_OK;
}

static enum err texts(struct top_groups *g, const struct events *e, const uint32_t *text, const unsigned char *fulfils, uint32_t *out) {
    for (size_t row = 0; row < e->n_rows; row++) {
        uint32_t *known = &g->of_text[text[row]];
        if (*known == 0 && (!fulfils || fulfils[row])) {
            uint32_t value = 0;
            enum err err = value_of_text(g, e->strings.text[text[row]], &value);
            if (err) return err;
            *known = value + 1; /* of TOP_GROUPS_NO_ROOM: 0, so that it is asked for again */
        }
        out[row] = *known - 1;
    }
    return ERR_OK;
}

static enum err numbers(struct top_groups *g, const struct events *e, size_t column, const unsigned char *fulfils, uint32_t *out) {
    const struct column *c = &e->columns[column];
    uint32_t decimals = c->type == COLUMN_DECIMAL ? c->decimals : 0;
    struct buf cell;
    enum err err = ERR_OK;
    if (!g->numbers && !(g->numbers = calloc(NUMBERS, sizeof *g->numbers))) return ERR_NOMEM;
    buf_init(&cell, 0);
    for (size_t row = 0; row < e->n_rows && !err; row++) {
        struct top_groups_number *at = &g->numbers[hash_words(0, (uint64_t)c->number[row], decimals) % NUMBERS];
        if (fulfils && !fulfils[row]) continue;
        if (at->value == 0 || at->number != c->number[row] || at->decimals != decimals) {
            uint32_t value = 0;
            buf_reset(&cell);
            events_cell(e, row, column, &cell);
            err = buf_failed(&cell);
            if (!err) err = value_of_text(g, buf_span(&cell), &value);
            *at = (struct top_groups_number){c->number[row], decimals, value + 1};
        }
        out[row] = at->value - 1;
    }
    buf_done(&cell);
    return err;
}

static enum err values_of(struct top_groups *g, const struct events *e, struct span field, const struct where_source *from,
                          const unsigned char *fulfils, uint32_t *out, struct span *out_name) {
    size_t column = events_column(e, field);
    if (column < e->n_columns && column_is_number(e->columns[column].type)) return numbers(g, e, column, fulfils, out);
    if (column < e->n_columns) return texts(g, e, e->columns[column].text, fulfils, out);
    struct span text;
    uint32_t value = 0;
    if (!where_of_source(field, from, &text)) {
        *out_name = field;
        return ERR_NOTFOUND;
    }
    enum err err = value_of_text(g, text, &value);
    for (size_t row = 0; row < e->n_rows && !err; row++) out[row] = value;
    return err;
}

/* ---- groups ---- */
static enum err new_tuple(struct top_groups *g, const uint32_t *tuple, uint32_t tag, uint32_t *out) {
    size_t width = g->opt->n_fields;
    enum err e = hash_room(g->mem, &g->hash, &g->hash_size, g->n);
    if (!e) e = arena_grow(g->mem, &g->tuples, &g->cap_tuples, ((size_t)g->n + 1) * width, sizeof *g->tuples);
    if (e && is_full(g, 0)) {
        g->full = true;
        *out = TOP_GROUPS_NO_ROOM;
        return ERR_OK;
    }
    if (e) return e;
    memcpy(g->tuples + (size_t)g->n * width, tuple, width * sizeof *tuple);
    hash_place(g->hash, g->hash_size, (struct hash_slot){g->n + 1, tag});
    *out = g->n++;
    return ERR_OK;
}

static enum err find_tuple(struct top_groups *g, const uint32_t *tuple, uint32_t *out) {
    size_t width = g->opt->n_fields, mask = g->hash_size - 1;
    uint64_t words[2] = {0};
    for (size_t i = 0; i < width; i++) {
        if (tuple[i] == TOP_GROUPS_NO_ROOM) {
            *out = TOP_GROUPS_NO_ROOM;
            return ERR_OK;
        }
        words[i / 2] |= (uint64_t)tuple[i] << (i % 2 * 32);
    }
    uint32_t tag = hash_words(hash_seed(g->mem), words[0], words[1]);
    for (size_t i = tag & mask; g->hash[i].index; i = (i + 1) & mask) {
        uint32_t group = g->hash[i].index - 1;
        if (g->hash[i].tag != tag || memcmp(g->tuples + group * width, tuple, width * sizeof *tuple) != 0) continue;
        *out = group;
        return ERR_OK;
    }
    return new_tuple(g, tuple, tag, out);
}

static enum err tuples_of(struct top_groups *g, size_t n_rows, const unsigned char *fulfils, const uint32_t *values, uint32_t *out) {
    uint32_t tuple[TOP_FIELDS_MAX] = {0};
    enum err e = ERR_OK;
    for (size_t row = 0; row < n_rows && !e; row++) {
        if (fulfils && !fulfils[row]) continue;
        for (size_t f = 0; f < g->opt->n_fields; f++) tuple[f] = values[f * n_rows + row];
        e = find_tuple(g, tuple, &out[row]);
    }
    return e;
}

enum err top_groups_of(struct top_groups *g, const struct events *e, const struct where_source *from, const unsigned char *fulfils,
                       uint32_t *out, struct span *out_name) {
    size_t width = g->opt->n_fields;
    enum err err = known_texts(g, e, from);
    if (err) return err;
    if (width == 1) {
        err = values_of(g, e, g->opt->fields[0], from, fulfils, out, out_name);
        g->n = g->values.n;
    } else {
        AUTO_FREE uint32_t *values = calloc(width * e->n_rows + 1, sizeof *values);
        if (!values) return ERR_NOMEM;
        for (size_t f = 0; f < width && !err; f++)
            err = values_of(g, e, g->opt->fields[f], from, fulfils, values + f * e->n_rows, out_name);
        if (!err) err = tuples_of(g, e->n_rows, fulfils, values, out);
    }
    for (size_t row = 0; row < e->n_rows && fulfils && !err; row++)
        if (!fulfils[row]) out[row] = TOP_GROUPS_NO_ROW;
    return err;
}

void top_groups_values(const struct top_groups *g, uint32_t group, struct span *out) {
    size_t width = g->opt->n_fields;
    for (size_t f = 0; f < width; f++) out[f] = g->values.text[width == 1 ? group : g->tuples[group * width + f]];
}

/* ---- keys ---- */
static void add_part(struct buf *out, struct span text) {
    uint32_t n = (uint32_t)text.n;
    buf_add(out, span_of((const char *)&n, sizeof n));
    buf_add(out, text);
}

enum err top_groups_key_of(const struct top_groups *g, const struct span *values, struct buf *out) {
    buf_reset(out);
    for (size_t f = 0; f < g->opt->n_fields; f++) add_part(out, values[f]);
    return buf_failed(out);
}

enum err top_groups_key(const struct top_groups *g, const struct events *e, const struct where_source *from, size_t row, struct buf *out) {
    struct buf cell;
    struct span text = SPAN_LIT("");
    buf_init(&cell, 0);
    buf_reset(out);
    for (size_t f = 0; f < g->opt->n_fields; f++) {
        size_t column = events_column(e, g->opt->fields[f]);
        buf_reset(&cell);
        if (column < e->n_columns)
            events_cell(e, row, column, &cell);
        else if (where_of_source(g->opt->fields[f], from, &text))
            buf_add(&cell, text);
        if (!buf_failed(&cell)) add_part(out, buf_span(&cell));
    }
    enum err err = buf_failed(&cell) ? buf_failed(&cell) : buf_failed(out);
    buf_done(&cell);
    return err;
}

void top_groups_from_key(const struct top_groups *g, struct span key, struct span *out) {
    for (size_t f = 0; f < g->opt->n_fields; f++) {
        uint32_t n;
        memcpy(&n, key.p, sizeof n);
        out[f] = span_of(key.p + sizeof n, n);
        key = span_drop(key, sizeof n + n);
    }
}
