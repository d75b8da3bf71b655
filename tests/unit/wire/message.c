#include "tests/unit/wire/message.h"

static void strings(Trawl__Strings *s, uint32_t len[2]) {
    static uint8_t text[] = "abcd";
    trawl__strings__init(s);
    len[0] = 1;
    len[1] = 3;
    s->text = (ProtobufCBinaryData){4, text};
    s->len = len;
    s->n_len = 2;
}

static void begin(struct message *m) {
    *m = (struct message){0};
    trawl__part_body__init(&m->body);
    trawl__outcome__init(&m->outcome);
    strings(&m->strings, m->len);
    strings(&m->stack_strings, m->len);
}

void message_outcome(struct message *m) {
    begin(m);
    m->outcome.coverage = 2;
    m->body.outcome = &m->outcome;
}

#define COLUMN(owner, field, array, count, ...)                                                                                            \
    do {                                                                                                                                   \
        const __typeof__((array)[0]) values_[] = {__VA_ARGS__};                                                                            \
        for (size_t k_ = 0; k_ < (count); k_++) (array)[k_] = values_[k_];                                                                 \
        (owner)->field = (array);                                                                                                          \
        (owner)->n_##field = (count);                                                                                                      \
    } while (0)

void message_hists(struct message *m) {
    Trawl__Histograms *h = &m->hists;
    begin(m);
    trawl__histograms__init(h);
    h->n = 2;
    h->strings = &m->strings;
    COLUMN(h, unit, m->u[0], 2, 1, 2);
    COLUMN(h, scale, m->u[1], 2, 0, 1);
    COLUMN(h, interval, m->u[2], 2, 0, 1);
    COLUMN(h, n_section, m->u[3], 2, 0, 1);
    COLUMN(h, n_slots, m->u[4], 2, 1, 2);
    COLUMN(h, section_key, m->u[5], 1, 1);
    COLUMN(h, section_value, m->u[6], 1, 2);
    COLUMN(h, low, m->v[0], 3, 0, 0, 8);
    COLUMN(h, width, m->v[1], 3, 2, 8, 0);
    COLUMN(h, count, m->v[2], 3, 7, 8, 9);
    m->body.histograms = h;
}

static void stacks(struct message *m) {
    Trawl__Stacks *s = &m->stacks;
    trawl__stacks__init(s);
    s->strings = &m->stack_strings;
    s->n_nodes = 3;
    COLUMN(s, node_parent, m->u[0], 3, 0, 1, 2);
    COLUMN(s, node_frame, m->u[1], 3, 1, 2, 1);
    COLUMN(s, node_kind, m->u[2], 3, 0, 1, 2);
    s->n_rows = 3;
    COLUMN(s, row_leaf, m->u[3], 3, 1, 2, 3);
    COLUMN(s, row_comm, m->u[4], 3, 0, 1, 2);
    COLUMN(s, row_pid, m->i[0], 3, 0, 1, 4712);
    COLUMN(s, row_count, m->v[0], 3, 1, 2, 3);
}

void message_stacks(struct message *m) {
    begin(m);
    stacks(m);
    m->body.stacks = &m->stacks;
}

void message_events(struct message *m) {
    static uint8_t comm[] = "COMM", lat[] = "LAT(ms)";
    Trawl__Events *e = &m->events;
    begin(m);
    stacks(m);
    trawl__events__init(e);
    for (size_t k = 0; k < 2; k++) {
        trawl__column__init(&m->columns[k]);
        m->column_list[k] = &m->columns[k];
    }
    m->columns[0].name = (ProtobufCBinaryData){4, comm};
    m->columns[0].type = 3; /* COLUMN_TEXT */
    COLUMN(&m->columns[0], text, m->u[5], 3, 1, 2, 0);
    m->columns[1].name = (ProtobufCBinaryData){7, lat};
    m->columns[1].type = 1; /* COLUMN_DECIMAL */
    m->columns[1].decimals = 3;
    COLUMN(&m->columns[1], number, m->i[1], 3, 5, 0, -7);
    COLUMN(&m->columns[1], null_row, m->u[6], 2, 0, 1);
    e->strings = &m->strings;
    e->columns = m->column_list;
    e->n_columns = 2;
    e->rows = 3;
    COLUMN(e, stack_of, m->u[7], 3, 0, 1, 3);
    e->stacks = &m->stacks;
    m->body.events = e;
}

void message_pack(const struct message *m, struct buf *out) {
    size_t n = trawl__part_body__get_packed_size(&m->body);
    char *p = buf_reserve(out, n);
    if (!p) abort();
    buf_grew(out, trawl__part_body__pack(&m->body, (uint8_t *)p));
}
