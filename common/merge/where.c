#include "common/merge/where.h"

#include <stdlib.h>

enum node_kind { NODE_AND, NODE_OR, NODE_NOT, NODE_TEST };
enum op { OP_EQ, OP_NE, OP_LT, OP_LE, OP_GT, OP_GE, OP_LIKE, OP_UNLIKE };

struct node {
    enum node_kind kind;
    const struct node *left, *right;
    struct span name, value; /* NODE_TEST */
    enum op op;
    bool number; /* value is one */
    int64_t mantissa;
    unsigned decimals;
};

struct where {
    const struct node *root;
};

/* ---- reading ---- */
struct reader {
    struct span text;
    size_t at, nodes, depth;
    struct arena *mem;
    struct where_fault *fault;
};

static enum err refuse(struct reader *r, enum err e, const char *what) {
    *r->fault = (struct where_fault){r->at, what};
    return e;
}

static void skip_blanks(struct reader *r) {
    while (r->at < r->text.n && strchr(" \t\n", r->text.p[r->at])) r->at++;
}

static bool take(struct reader *r, const char *token) {
    skip_blanks(r);
    if (!span_starts(span_drop(r->text, r->at), span_str(token))) return false;
    r->at += strlen(token);
    return true;
}

static struct node *new_node(struct reader *r, enum node_kind kind) {
    struct node *n = r->nodes < WHERE_NODES ? arena_array(r->mem, 1, sizeof *n) : NULL;
    if (!n) return NULL;
    r->nodes++;
    n->kind = kind;
    return n;
}

static enum err no_node(struct reader *r) {
    return r->nodes < WHERE_NODES ? refuse(r, ERR_NOMEM, "out of memory") : refuse(r, ERR_LIMIT, "too many conditions");
}

static bool plain(char c) { return (unsigned char)c > ' ' && !strchr("&|()!=<>~\"'", c); }

static enum err quoted(struct reader *r, char mark, struct span *out) {
    struct span rest = span_drop(r->text, r->at + 1);
    size_t n = span_find(rest, mark);
    if (n == rest.n) return refuse(r, ERR_SYNTAX, "the quotation mark has no end");
    *out = span_head(rest, n);
    r->at += n + 2;
    return ERR_OK;
}

/* A name may end in its unit: LAT(ms). */
static void take_unit(struct reader *r) {
    struct span rest = span_drop(r->text, r->at);
    size_t close = span_find(rest, ')');
    if (rest.n < 3 || rest.p[0] != '(' || close == rest.n || close < 2) return;
    for (size_t i = 1; i < close; i++)
        if (!plain(rest.p[i])) return;
    r->at += close + 1;
}

static enum err word(struct reader *r, bool name, struct span *out) {
    skip_blanks(r);
    size_t start = r->at;
    if (start < r->text.n && (r->text.p[start] == '"' || r->text.p[start] == '\'')) return quoted(r, r->text.p[start], out);
    while (r->at < r->text.n && plain(r->text.p[r->at])) r->at++;
    if (r->at == start) return refuse(r, ERR_SYNTAX, name ? "a column's name is missing" : "a value is missing");
    if (name) take_unit(r);
    *out = span_of(r->text.p + start, r->at - start);
    return ERR_OK;
}

static bool take_op(struct reader *r, enum op *out) {
    static const struct {
        const char *text;
        enum op op;
    } ops[] = {{"==", OP_EQ}, {"!=", OP_NE}, {"!~", OP_UNLIKE}, {"<=", OP_LE}, {">=", OP_GE},
               {"=", OP_EQ},  {"<", OP_LT},  {">", OP_GT},      {"~", OP_LIKE}};
    for (size_t i = 0; i < COUNT_OF(ops); i++)
        if (take(r, ops[i].text)) {
            *out = ops[i].op;
            return true;
        }
    return false;
}

static enum err test(struct reader *r, const struct node **out) {
    struct node *n = new_node(r, NODE_TEST);
    if (!n) return no_node(r);
    enum err e = word(r, true, &n->name);
    if (e) return e;
    if (!take_op(r, &n->op)) return refuse(r, ERR_SYNTAX, "a comparison is missing: = != < <= > >= ~ !~");
    e = word(r, false, &n->value);
    n->number = !e && span_decimal(n->value, &n->mantissa, &n->decimals);
    *out = n;
    return e;
}

static enum err any_of(struct reader *r, const struct node **out);

static enum err one(struct reader *r, const struct node **out) {
    if (r->depth == WHERE_DEPTH) return refuse(r, ERR_LIMIT, "nested too deeply");
    enum err e = ERR_OK;
    r->depth++;
    if (take(r, "!")) {
        struct node *n = new_node(r, NODE_NOT);
        e = n ? one(r, &n->left) : no_node(r);
        *out = n;
    } else if (take(r, "(")) {
        e = any_of(r, out);
        if (!e && !take(r, ")")) e = refuse(r, ERR_SYNTAX, "a ) is missing");
    } else {
        e = test(r, out);
    }
    r->depth--;
    return e;
}

typedef enum err side_fn(struct reader *r, const struct node **out);

static enum err joined(struct reader *r, const char *token, enum node_kind kind, side_fn *side, const struct node **out) {
    enum err e = side(r, out);
    while (!e && take(r, token)) {
        struct node *n = new_node(r, kind);
        if (!n) return no_node(r);
        n->left = *out;
        e = side(r, &n->right);
        *out = n;
    }
    return e;
}

static enum err all_of(struct reader *r, const struct node **out) { return joined(r, "&&", NODE_AND, one, out); }
static enum err any_of(struct reader *r, const struct node **out) { return joined(r, "||", NODE_OR, all_of, out); }

enum err where_parse(struct span text, struct arena *mem, struct where_fault *out_fault, const struct where **out) {
    struct reader r = {.text = text, .mem = mem, .fault = out_fault};
    if (text.n > WHERE_BYTES) return refuse(&r, ERR_LIMIT, "the condition is too long");
    struct where *w = arena_array(mem, 1, sizeof *w);
    if (!w) return refuse(&r, ERR_NOMEM, "out of memory");
    enum err e = any_of(&r, &w->root);
    skip_blanks(&r);
    if (!e && r.at < text.n) e = refuse(&r, ERR_SYNTAX, "nothing more was expected here; conditions are joined with && and ||");
    if (!e) *out = w;
    return e;
}

/* ---- asking ---- */
struct asked {
    const struct events *e;
    const struct where_source *from;
    struct span *name;
};

bool where_of_source(struct span name, const struct where_source *from, struct span *out) {
    static const struct span label = SPAN_LIT("label:");
    if (span_eq_str(name, "host")) {
        *out = from->host;
        return true;
    }
    if (!span_starts(name, label)) return false;
    *out = SPAN_LIT("");
    for (size_t i = 0; i < from->n_labels; i++)
        if (span_eq(from->labels[i].key, span_drop(name, label.n))) *out = from->labels[i].value;
    return true;
}

static bool holds(enum op op, int c) {
    switch (op) {
    case OP_EQ:
        return c == 0;
    case OP_NE:
        return c != 0;
    case OP_LT:
        return c < 0;
    case OP_LE:
        return c <= 0;
    case OP_GT:
        return c > 0;
    case OP_GE:
        return c >= 0;
    case OP_LIKE:
    case OP_UNLIKE:
        break;
    }
    return false;
}

static bool text_holds(const struct node *n, struct span text) {
    if (n->op == OP_LIKE || n->op == OP_UNLIKE) return span_glob(n->value, text) == (n->op == OP_LIKE);
    return holds(n->op, span_cmp(text, n->value));
}

/* Each distinct text is looked at once, when there are fewer of them than rows. */
static enum err test_text(const struct node *n, const struct asked *a, const uint32_t *text, unsigned char *out) {
    size_t n_rows = a->e->n_rows, n_texts = a->e->strings.n;
    if (n_texts > n_rows) {
        for (size_t i = 0; i < n_rows; i++) out[i] = text_holds(n, a->e->strings.text[text[i]]);
        return ERR_OK;
    }
    AUTO_FREE unsigned char *yes = malloc(n_texts + 1);
    if (!yes) return ERR_NOMEM;
    for (size_t i = 0; i < n_texts; i++) yes[i] = text_holds(n, a->e->strings.text[i]);
    for (size_t i = 0; i < n_rows; i++) out[i] = yes[text[i]];
    return ERR_OK;
}

static __int128_t scaled(int64_t v, unsigned by_decimals) {
    __int128_t r = v;
    for (; by_decimals; by_decimals--) r *= 10; /* 19 digits and at most 18 more: fits */
    return r;
}

static enum err test_number(const struct node *n, const struct asked *a, const struct column *c, unsigned char *out) {
    if (!n->number || n->op == OP_LIKE || n->op == OP_UNLIKE) {
        *a->name = n->name;
        return ERR_SYNTAX;
    }
    unsigned decimals = c->type == COLUMN_DECIMAL ? c->decimals : 0;
    unsigned finer = n->decimals > decimals ? n->decimals - decimals : 0;
    __int128_t want = scaled(n->mantissa, decimals > n->decimals ? decimals - n->decimals : 0);
    for (size_t i = 0; i < a->e->n_rows; i++) {
        __int128_t v = scaled(c->number[i], finer);
        out[i] = c->number[i] == EVENTS_NULL ? n->op == OP_NE : holds(n->op, v < want ? -1 : v > want);
    }
    return ERR_OK;
}

static enum err test_rows(const struct node *n, const struct asked *a, unsigned char *out) {
    size_t column = events_column(a->e, n->name);
    if (column < a->e->n_columns) {
        const struct column *c = &a->e->columns[column];
        return column_is_number(c->type) ? test_number(n, a, c, out) : test_text(n, a, c->text, out);
    }
    struct span text;
    if (!where_of_source(n->name, a->from, &text)) {
        *a->name = n->name;
        return ERR_NOTFOUND;
    }
    memset(out, text_holds(n, text), a->e->n_rows);
    return ERR_OK;
}

static enum err rows(const struct node *n, const struct asked *a, unsigned char *out) {
    if (n->kind == NODE_TEST) return test_rows(n, a, out);
    enum err e = rows(n->left, a, out);
    if (e) return e;
    size_t n_rows = a->e->n_rows;
    if (n->kind == NODE_NOT) {
        for (size_t i = 0; i < n_rows; i++) out[i] = !out[i];
        return ERR_OK;
    }
    AUTO_FREE unsigned char *right = malloc(n_rows + 1);
    if (!right) return ERR_NOMEM;
    e = rows(n->right, a, right);
    for (size_t i = 0; i < n_rows && !e; i++) out[i] = n->kind == NODE_AND ? out[i] & right[i] : out[i] | right[i];
    return e;
}

enum err where_rows(const struct where *w, const struct events *e, const struct where_source *from, unsigned char *out_rows,
                    struct span *out_name) {
    const struct asked a = {e, from, out_name};
    return rows(w->root, &a, out_rows);
}
