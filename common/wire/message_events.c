#include "common/wire/message.h"

static bool is_type(uint32_t type) { return type <= COLUMN_TIME; }

static void get_numbers(struct unpack *in, const Trawl__Column *m, uint32_t rows, struct column *c) {
    if (m->n_text) unpack_refuse(in, ERR_SYNTAX);
    c->number = unpack_i64(in, m->number, m->n_number, rows);
    for (size_t i = 0; i < m->n_null_row && in->failed == ERR_OK; i++) {
        if (m->null_row[i] >= rows || (i > 0 && m->null_row[i] <= m->null_row[i - 1])) return unpack_refuse(in, ERR_SYNTAX);
        c->number[m->null_row[i]] = EVENTS_NULL;
    }
}

static void get_texts(struct unpack *in, const Trawl__Column *m, uint32_t rows, uint32_t n_strings, struct column *c) {
    if (m->n_number || m->n_null_row) unpack_refuse(in, ERR_SYNTAX);
    c->text = unpack_u32(in, m->text, m->n_text, rows);
    for (uint32_t i = 0; i < rows && in->failed == ERR_OK; i++)
        if (c->text[i] >= n_strings) unpack_refuse(in, ERR_SYNTAX);
}

static void get_column(struct unpack *in, const Trawl__Column *m, const struct events *e, struct column *c) {
    uint32_t rows = (uint32_t)e->n_rows;
    if (!is_type(m->type) || m->decimals > LIMIT_DECIMALS) return unpack_refuse(in, ERR_SYNTAX);
    c->name = unpack_bytes(in, m->name, LIMIT_LABEL_BYTES);
    c->unit = unpack_bytes(in, m->unit, LIMIT_LABEL_BYTES);
    c->type = (enum column_type)m->type;
    c->decimals = m->decimals;
    if (column_is_number(c->type))
        get_numbers(in, m, rows, c);
    else
        get_texts(in, m, rows, e->strings.n, c);
}

static void get_stack_of(struct unpack *in, const Trawl__Events *m, struct events *e) {
    message_stacks_get(in, m->stacks, &e->stacks);
    if (m->n_stack_of == 0) return;
    e->stack_of = unpack_u32(in, m->stack_of, m->n_stack_of, m->rows);
    for (uint32_t i = 0; i < m->rows && in->failed == ERR_OK; i++)
        if (e->stack_of[i] > e->stacks.n_rows) unpack_refuse(in, ERR_SYNTAX);
}

void message_events_get(struct unpack *in, const Trawl__Events *m, struct events *out) {
    struct events e = {.n_columns = m->n_columns, .n_rows = m->rows, .cap_rows = m->rows};
    if (m->n_columns > LIMIT_COLUMNS || m->rows > in->max_rows) return unpack_refuse(in, ERR_LIMIT);
    if (m->n_columns == 0 && m->rows > 0) return unpack_refuse(in, ERR_SYNTAX);
    message_strings_get(in, m->strings, &e.strings);
    e.columns = unpack_array(in, e.n_columns, sizeof *e.columns);
    for (size_t i = 0; i < e.n_columns && in->failed == ERR_OK; i++) get_column(in, m->columns[i], &e, &e.columns[i]);
    get_stack_of(in, m, &e);
    if (in->failed == ERR_OK) *out = e;
}

static void put_numbers(struct pack *o, const struct column *c, size_t rows, Trawl__Column *m) {
    size_t nulls = 0;
    for (size_t i = 0; i < rows; i++) nulls += c->number[i] == EVENTS_NULL;
    m->number = c->number;
    if (nulls) {
        m->number = pack_array(o, rows, sizeof *m->number);
        m->null_row = pack_array(o, nulls, sizeof *m->null_row);
    }
    for (size_t i = 0; i < rows && nulls && o->failed == ERR_OK; i++) {
        if (c->number[i] == EVENTS_NULL)
            m->null_row[m->n_null_row++] = (uint32_t)i;
        else
            m->number[i] = c->number[i];
    }
    if (o->failed == ERR_OK) m->n_number = pack_count_i64(m->number, rows);
}

static void put_texts(struct pack *o, const struct column *c, size_t rows, uint32_t n_strings, Trawl__Column *m) {
    for (size_t i = 0; i < rows; i++)
        if (c->text[i] && c->text[i] >= n_strings) return pack_fail(o, ERR_SYNTAX);
    m->text = c->text;
    m->n_text = pack_count_u32(c->text, rows);
}

static void put_column(struct pack *o, const struct events *e, const struct column *c, Trawl__Column *m) {
    trawl__column__init(m);
    if (!is_type(c->type) || c->decimals > LIMIT_DECIMALS) return pack_fail(o, ERR_SYNTAX);
    m->name = pack_bytes(o, pack_cut(o, c->name, LIMIT_LABEL_BYTES), LIMIT_LABEL_BYTES);
    m->unit = pack_bytes(o, pack_cut(o, c->unit, LIMIT_LABEL_BYTES), LIMIT_LABEL_BYTES);
    m->type = c->type;
    m->decimals = c->decimals;
    if (column_is_number(c->type))
        put_numbers(o, c, e->n_rows, m);
    else
        put_texts(o, c, e->n_rows, e->strings.n, m);
}

static void put_stack_of(struct pack *o, const struct events *e, Trawl__Events *m) {
    for (size_t i = 0; e->stack_of && i < e->n_rows; i++)
        if (e->stack_of[i] > e->stacks.n_rows) return pack_fail(o, ERR_SYNTAX);
    m->stack_of = e->stack_of;
    m->n_stack_of = e->stack_of ? pack_count_u32(e->stack_of, e->n_rows) : 0;
    if (e->stacks.n_rows || e->stacks.n_nodes > 1 || e->stacks.unit.n) m->stacks = message_stacks_put(o, &e->stacks);
}

Trawl__Events *message_events_put(struct pack *o, const struct events *e) {
    if (e->n_columns > LIMIT_COLUMNS || e->n_rows > UINT32_MAX) pack_fail(o, ERR_LIMIT);
    if (e->n_columns == 0 && e->n_rows > 0) pack_fail(o, ERR_SYNTAX);
    Trawl__Events *m = pack_array(o, 1, sizeof *m);
    Trawl__Column *columns = pack_array(o, e->n_columns, sizeof *columns);
    Trawl__Column **list = pack_array(o, e->n_columns, sizeof *list);
    if (!list) return NULL;
    trawl__events__init(m);
    m->strings = message_strings_put(o, &e->strings);
    m->columns = list;
    m->n_columns = e->n_columns;
    m->rows = (uint32_t)e->n_rows;
    for (size_t i = 0; i < e->n_columns; i++) {
        list[i] = &columns[i];
        put_column(o, e, &e->columns[i], list[i]);
    }
    put_stack_of(o, e, m);
    return m;
}
