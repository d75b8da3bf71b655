#include "common/model/events_room.h"

static size_t cell_bytes(const struct column *c) { return column_is_number(c->type) ? sizeof *c->number : sizeof *c->text; }

static size_t row_bytes(const struct events *e) {
    size_t bytes = e->stack_of ? sizeof *e->stack_of : 0;
    for (size_t i = 0; i < e->n_columns; i++) bytes += cell_bytes(&e->columns[i]);
    return bytes;
}

/* The next cells of the room; the old ones are in them. */
static void *cut(char **room, const void *old, size_t n_rows, size_t cap_rows, size_t size) {
    void *cells = *room;
    if (n_rows) memcpy(cells, old, n_rows * size);
    *room += cap_rows * size;
    return cells;
}

/* The wider cells first: so all are aligned. */
enum err events_room_grow(struct events *e, struct arena *mem, size_t cap_rows) {
    size_t bytes = row_bytes(e);
    char *room = arena_array(mem, cap_rows, bytes ? bytes : 1);
    if (!room) return ERR_NOMEM;
    for (size_t i = 0; i < e->n_columns; i++)
        if (column_is_number(e->columns[i].type))
            e->columns[i].number = cut(&room, e->columns[i].number, e->n_rows, cap_rows, sizeof(int64_t));
    for (size_t i = 0; i < e->n_columns; i++)
        if (!column_is_number(e->columns[i].type))
            e->columns[i].text = cut(&room, e->columns[i].text, e->n_rows, cap_rows, sizeof(uint32_t));
    if (e->stack_of) e->stack_of = cut(&room, e->stack_of, e->n_rows, cap_rows, sizeof(uint32_t));
    e->cap_rows = cap_rows;
    return ERR_OK;
}
