#include "common/model/events.h"

#include <strings.h>

#include "common/model/events_room.h"

enum { FIRST_ROWS = 16 };

enum err events_init(struct events *e, const struct column *columns, size_t n_columns, struct arena *mem) {
    struct events new = {.n_columns = n_columns};
    enum err err = strings_init(&new.strings, mem);
    if (err) return err;
    new.columns = arena_array(mem, n_columns ? n_columns : 1, sizeof *new.columns);
    if (!new.columns) return ERR_NOMEM;
    for (size_t i = 0; i < n_columns; i++) {
        struct column *c = &new.columns[i];
        *c = (struct column){
            arena_copy(mem, columns[i].name), arena_copy(mem, columns[i].unit), columns[i].type, columns[i].decimals, NULL, NULL};
        if (!c->name.p || !c->unit.p) return ERR_NOMEM;
    }
    *e = new;
    return ERR_OK;
}

enum err events_row(struct events *e, struct arena *mem, size_t *out_row) {
    if (e->n_rows == e->cap_rows) {
        enum err err = events_room_grow(e, mem, e->cap_rows ? e->cap_rows * 2 : FIRST_ROWS);
        if (err) return err;
    }
    size_t row = e->n_rows++;
    for (size_t i = 0; i < e->n_columns; i++) {
        struct column *c = &e->columns[i];
        if (column_is_number(c->type))
            c->number[row] = 0;
        else
            c->text[row] = 0;
    }
    if (e->stack_of) e->stack_of[row] = 0;
    *out_row = row;
    return ERR_OK;
}

enum err events_stacks(struct events *e, struct span unit, struct arena *mem) {
    if (e->stack_of) return ERR_OK;
    uint32_t *stack_of = arena_array(mem, e->cap_rows ? e->cap_rows : 1, sizeof *stack_of);
    if (!stack_of) return ERR_NOMEM;
    enum err err = stacks_init(&e->stacks, unit, mem);
    if (err) return err;
    e->stack_of = stack_of;
    return ERR_OK;
}

static bool same_letters(struct span a, struct span b) { return a.n == b.n && strncasecmp(a.p, b.p, a.n) == 0; }

static struct span without_unit(struct span name) {
    size_t open = span_find(name, '(');
    return open > 0 && open < name.n && name.p[name.n - 1] == ')' ? span_trim_end(span_head(name, open)) : name;
}

size_t events_column(const struct events *e, struct span name) {
    for (size_t i = 0; i < e->n_columns; i++)
        if (span_eq(e->columns[i].name, name)) return i;
    if (name.n == 0) return e->n_columns;
    for (size_t i = 0; i < e->n_columns; i++)
        if (same_letters(e->columns[i].name, name)) return i;
    for (size_t i = 0; i < e->n_columns; i++)
        if (same_letters(without_unit(e->columns[i].name), name)) return i;
    return e->n_columns;
}

static void add_decimal(struct buf *out, int64_t mantissa, unsigned decimals) {
    static const uint64_t power[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000};
    if (decimals >= sizeof power / sizeof power[0]) decimals = sizeof power / sizeof power[0] - 1;
    uint64_t size = mantissa < 0 ? 0 - (uint64_t)mantissa : (uint64_t)mantissa;
    if (mantissa < 0) buf_add_char(out, '-');
    buf_add_u64(out, size / power[decimals]);
    if (decimals) buf_add_fmt(out, ".%0*llu", (int)decimals, (unsigned long long)(size % power[decimals]));
}

void events_cell(const struct events *e, size_t row, size_t column, struct buf *out) {
    const struct column *c = &e->columns[column];
    if (!column_is_number(c->type))
        buf_add(out, e->strings.text[c->text[row]]);
    else if (c->number[row] != EVENTS_NULL)
        add_decimal(out, c->number[row], c->type == COLUMN_DECIMAL ? c->decimals : 0);
}
