#include "common/model/events_copy.h"

enum { DEPTH = 512 }; /* of a stack; deeper ones lose what is behind */

static enum err copy_stack(struct events *into, size_t row, const struct events *from, uint32_t stack, struct arena *mem) {
    uint32_t nodes[DEPTH], at = STACKS_ROOT, made = 0;
    const struct stacks *s = &from->stacks;
    const struct stack_row *r = &s->rows[stack];
    enum err e = events_stacks(into, s->unit, mem);
    size_t depth = stacks_frames(s, r->leaf, nodes, DEPTH);
    if (depth > DEPTH) depth = DEPTH;
    for (size_t i = 0; e == ERR_OK && i < depth; i++)
        e = stacks_node(&into->stacks, at, s->strings.text[s->nodes[nodes[i]].frame], (enum frame_kind)s->nodes[nodes[i]].kind, &at);
    if (e == ERR_OK) e = stacks_row(&into->stacks, at, s->strings.text[r->comm], r->pid, &made);
    if (e == ERR_OK) into->stack_of[row] = made + 1;
    return e;
}

enum err events_copy_row(struct events *into, const struct events *from, size_t row, struct arena *mem) {
    size_t at = 0;
    enum err e = events_row(into, mem, &at);
    for (size_t c = 0; e == ERR_OK && c < from->n_columns; c++) {
        if (column_is_number(from->columns[c].type))
            into->columns[c].number[at] = from->columns[c].number[row];
        else
            e = strings_add(&into->strings, from->strings.text[from->columns[c].text[row]], &into->columns[c].text[at]);
    }
    if (e == ERR_OK && from->stack_of && from->stack_of[row]) e = copy_stack(into, at, from, from->stack_of[row] - 1, mem);
    return e;
}

bool events_copy_fits(const struct events *a, const struct events *b) {
    if (a->n_columns != b->n_columns) return false;
    for (size_t i = 0; i < a->n_columns; i++)
        if (!span_eq(a->columns[i].name, b->columns[i].name) || a->columns[i].type != b->columns[i].type ||
            a->columns[i].decimals != b->columns[i].decimals)
            return false;
    return true;
}
