#include "common/merge/connections.h"

#include <arpa/inet.h>
#include <stdlib.h>

/* Where an end is printed: in a column of addresses with or without one of ports, or both in one text. */
struct end_columns {
    size_t address, port; /* n_columns: none */
    bool joined;
};

static const struct {
    const char *address[2], *port[2];
} names[] = {
    {{"SADDR", "DADDR"}, {"SPORT", "DPORT"}},
    {{"LADDR", "RADDR"}, {"LPORT", "RPORT"}},
    {{"SADDR", "DADDR"}, {"LPORT", "DPORT"}},
};
static const char *const joined[][2] = {{"SADDR:SPORT", "DADDR:DPORT"}, {"LADDR:LPORT", "RADDR:RPORT"}};
static const char *const times[] = {"LAT(ms)", "MS", "LAT"};

static bool find_ends(const struct events *e, struct end_columns out[2]) {
    for (size_t i = 0; i < COUNT_OF(joined); i++) {
        for (size_t k = 0; k < 2; k++) out[k] = (struct end_columns){events_column(e, span_str(joined[i][k])), e->n_columns, true};
        if (out[0].address < e->n_columns && out[1].address < e->n_columns) return true;
    }
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        for (size_t k = 0; k < 2; k++)
            out[k] =
                (struct end_columns){events_column(e, span_str(names[i].address[k])), events_column(e, span_str(names[i].port[k])), false};
        bool ports = out[0].port < e->n_columns || i + 1 == COUNT_OF(names);
        if (out[0].address < e->n_columns && out[1].address < e->n_columns && (ports || i == 1)) return true;
    }
    return false;
}

static struct span strip(struct span s) { return s.n >= 2 && s.p[0] == '[' && s.p[s.n - 1] == ']' ? span_of(s.p + 1, s.n - 2) : s; }

static void add_address(struct span address, bool with_port, struct buf *out) {
    char text[INET6_ADDRSTRLEN + 1], shortest[INET6_ADDRSTRLEN];
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
    struct in6_addr six;
    address = strip(address);
    if (address.n < sizeof text && span_find(address, ':') < address.n) {
        memcpy(text, address.p, address.n);
        text[address.n] = '\0';
        if (inet_pton(AF_INET6, text, &six) == 1) {
            bool four = memcmp(six.s6_addr, mapped, sizeof mapped) == 0;
            const char *p = four ? inet_ntop(AF_INET, six.s6_addr + 12, shortest, sizeof shortest)
                                 : inet_ntop(AF_INET6, &six, shortest, sizeof shortest);
            buf_add_fmt(out, with_port && !four ? "[%s]" : "%s", p ? p : text);
            return;
        }
    }
    buf_add(out, address);
}

void connections_end(struct span address, int64_t port, struct buf *out) {
    add_address(address, port >= 0, out);
    if (port < 0) return;
    buf_add_char(out, ':');
    buf_add_i64(out, port);
}

struct end {
    struct span address;
    int64_t port; /* -1: none */
};

/* The text of a cell, in cell when it is a number's. */
static struct span cell_text(const struct events *e, size_t row, size_t column, struct buf *cell) {
    const struct column *c = &e->columns[column];
    if (!column_is_number(c->type)) return e->strings.text[c->text[row]];
    buf_reset(cell);
    events_cell(e, row, column, cell);
    return buf_span(cell);
}

static struct end end_of(const struct events *e, size_t row, const struct end_columns *at, struct buf *cell) {
    struct end end = {.address = e->strings.text[e->columns[at->address].text[row]], .port = -1};
    uint64_t port;
    if (at->joined) {
        size_t colon = span_rfind(end.address, ':');
        if (colon < end.address.n && span_u64(span_drop(end.address, colon + 1), &port) && port <= UINT16_MAX)
            end = (struct end){span_head(end.address, colon), (int64_t)port};
    } else if (at->port < e->n_columns && span_u64(cell_text(e, row, at->port, cell), &port) && port <= UINT16_MAX) {
        end.port = (int64_t)port;
    }
    return end;
}

static void fold(struct end *a, struct end *b) {
    if (a->port < 0 || b->port < 0 || a->port == b->port) return;
    bool high_a = a->port >= CONNECTIONS_EPHEMERAL, high_b = b->port >= CONNECTIONS_EPHEMERAL;
    bool drop_a = high_a != high_b ? high_a : a->port > b->port;
    if (drop_a)
        a->port = -1;
    else
        b->port = -1;
}

static size_t find_time(const struct events *e, struct span of) {
    size_t at = of.n ? events_column(e, of) : e->n_columns;
    for (size_t i = 0; !of.n && at == e->n_columns && i < COUNT_OF(times); i++) at = events_column(e, span_str(times[i]));
    return at;
}

static enum err add_row(const struct events *e, size_t row, const struct end_columns at[2], struct buf *text, struct buf *cell,
                        struct arena *mem, struct events *out) {
    struct end ends[2] = {end_of(e, row, &at[0], cell), end_of(e, row, &at[1], cell)};
    size_t to = 0;
    enum err err = events_row(out, mem, &to);
    fold(&ends[0], &ends[1]);
    for (size_t k = 0; k < 2 && !err; k++) {
        buf_reset(text);
        connections_end(ends[k].address, ends[k].port, text);
        err = buf_failed(text);
        if (!err) err = strings_add(&out->strings, buf_span(text), &out->columns[k].text[to]);
    }
    return err;
}

enum err connections_of(const struct events *e, struct span of, struct arena *mem, struct events *out) {
    struct end_columns at[2];
    struct events made;
    struct column columns[3] = {{.name = SPAN_LIT("SOURCE"), .unit = SPAN_LIT(""), .type = COLUMN_TEXT},
                                {.name = SPAN_LIT("DESTINATION"), .unit = SPAN_LIT(""), .type = COLUMN_TEXT}};
    size_t time = find_time(e, of);
    bool timed = time < e->n_columns && column_is_number(e->columns[time].type);
    if (!find_ends(e, at) || column_is_number(e->columns[at[0].address].type) || column_is_number(e->columns[at[1].address].type))
        return ERR_NOTFOUND;
    if (of.n && !timed) return ERR_NOTFOUND;
    if (timed) columns[2] = e->columns[time];
    enum err err = events_init(&made, columns, timed ? 3 : 2, mem);
    struct buf text, cell;
    buf_init(&text, 0);
    buf_init(&cell, 0);
    for (size_t row = 0; row < e->n_rows && !err; row++) {
        err = add_row(e, row, at, &text, &cell, mem, &made);
        if (!err && timed) made.columns[2].number[row] = e->columns[time].number[row];
    }
    buf_done(&text);
    buf_done(&cell);
    if (!err) *out = made;
    return err;
}
