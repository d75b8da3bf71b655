#include "console/render/table.h"

#include <libsmartcols/libsmartcols.h>
#include <stdarg.h>
#include <wchar.h>

enum { CELL_BYTES = 4096 };

struct cell {
    char *text;
    enum tone tone;
};

struct table {
    const struct table_column *columns;
    size_t n_columns, n_rows, cap_rows, next;
    struct cell *cells; /* n_rows × n_columns */
    bool failed;
};

struct table *table_new(const struct table_column *columns, size_t n) {
    struct table *t = calloc(1, sizeof *t);
    if (!t) return NULL;
    t->columns = columns;
    t->n_columns = n;
    return t;
}

void table_free(struct table *t) {
    for (size_t i = 0; i < t->n_rows * t->n_columns; i++) free(t->cells[i].text);
    free(t->cells);
    free(t);
}

void table_row(struct table *t) {
    if (t->failed) return;
    if (t->n_rows == t->cap_rows) {
        size_t cap = t->cap_rows ? 2 * t->cap_rows : 64;
        struct cell *grown = reallocarray(t->cells, cap * t->n_columns, sizeof *grown);
        if (!grown) {
            t->failed = true;
            return;
        }
        t->cells = grown;
        t->cap_rows = cap;
    }
    memset(&t->cells[t->n_rows * t->n_columns], 0, t->n_columns * sizeof *t->cells);
    t->n_rows++;
    t->next = 0;
}

static void put(struct table *t, struct span text, enum tone tone) {
    if (t->failed || t->next == t->n_columns) return;
    struct cell *c = &t->cells[(t->n_rows - 1) * t->n_columns + t->next++];
    text = span_head(text, CELL_BYTES);
    c->text = malloc(text.n + 1);
    if (!c->text) {
        t->failed = true;
        return;
    }
    if (text.n > 0) memcpy(c->text, text.p, text.n);
    c->text[text.n] = '\0';
    for (size_t i = 0; i < text.n; i++)
        if (c->text[i] == '\0') c->text[i] = ' ';
    c->tone = tone;
}

void table_cell(struct table *t, struct span text) { put(t, text, TONE_PLAIN); }
void table_cell_str(struct table *t, const char *z) { put(t, span_str(z ? z : ""), TONE_PLAIN); }
void table_cell_tone(struct table *t, const char *word) { put(t, span_str(word ? word : ""), screen_tone_of(word)); }
void table_cell_u64(struct table *t, uint64_t v) { table_cell_fmt(t, "%llu", (unsigned long long)v); }

void table_cell_fmt(struct table *t, const char *fmt, ...) {
    char text[CELL_BYTES];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    table_cell_str(t, text);
}

static int flags_of(enum table_align a) {
    switch (a) {
    case TABLE_LEFT:
        return 0;
    case TABLE_RIGHT:
        return SCOLS_FL_RIGHT;
    case TABLE_CUT:
        return SCOLS_FL_TRUNC;
    case TABLE_WRAP:
        return SCOLS_FL_WRAP;
    }
    return 0;
}

static const char *colour_of(const struct screen *s, enum tone t) {
    static const char *const names[] = {
        [TONE_GOOD] = "green", [TONE_WARNING] = "brown", [TONE_BAD] = "red", [TONE_BOLD] = "bold", [TONE_DIM] = "darkgray"};
    return s->colour && t != TONE_PLAIN ? names[t] : NULL;
}

/* Of UTF-8; what is none counts a column a byte. */
static size_t columns_of(struct span text, size_t *out_bytes, size_t most) {
    size_t columns = 0, at = 0;
    mbstate_t state = {0};
    while (at < text.n) {
        wchar_t c;
        size_t n = mbrtowc(&c, text.p + at, text.n - at, &state);
        bool good = n > 0 && n <= text.n - at;
        size_t wide = good && wcwidth(c) >= 0 ? (size_t)wcwidth(c) : 1;
        if (!good) state = (mbstate_t){0};
        if (columns + wide > most && at > 0) break;
        columns += wide;
        at += good ? n : 1;
    }
    *out_bytes = at;
    return columns;
}

/* Lines of whole words; a word that is wider than the column is cut. */
static void fold(struct span text, size_t width, struct buf *out) {
    size_t at = 0, bytes;
    for (struct span word; text.n > 0;) {
        size_t blank = span_find(text, ' ');
        word = span_head(text, blank);
        text = span_drop(text, blank + 1);
        size_t wide = columns_of(word, &bytes, SIZE_MAX);
        if (out->n > 0) buf_add_char(out, at + 1 + wide > width ? '\n' : ' ');
        at = out->n == 0 || at + 1 + wide > width ? 0 : at + 1;
        while (wide > width) {
            wide -= columns_of(word, &bytes, width);
            buf_add(out, span_head(word, bytes));
            buf_add_char(out, '\n');
            word = span_drop(word, bytes);
        }
        buf_add(out, word);
        at += wide;
    }
}

static bool fill_cell(struct libscols_line *line, size_t i, const struct cell *c, size_t fold_at) {
    char safe[4 * CELL_BYTES + 1];
    screen_escape(span_str(c->text ? c->text : ""), safe, sizeof safe);
    if (!fold_at) return scols_line_set_data(line, i, safe) == 0;
    struct buf lines;
    buf_init(&lines, 0);
    fold(span_str(safe), fold_at, &lines);
    bool ok = !buf_failed(&lines) && scols_line_set_data(line, i, lines.n ? buf_str(&lines) : "") == 0;
    buf_done(&lines);
    return ok;
}

/* fold_at: by column, how wide its lines are; 0: not folded. */
static bool fill_line(const struct table *t, const struct screen *s, struct libscols_table *st, size_t row, const size_t *fold_at) {
    struct libscols_line *line = scols_table_new_line(st, NULL);
    if (!line) return false;
    for (size_t i = 0; i < t->n_columns; i++) {
        const struct cell *c = &t->cells[row * t->n_columns + i];
        if (!fill_cell(line, i, c, fold_at[i])) return false;
        const char *colour = colour_of(s, c->tone);
        if (colour) scols_cell_set_color(scols_line_get_cell(line, i), colour);
    }
    return true;
}

static bool add_column(const struct table_column *c, struct libscols_table *st, bool folded) {
    char safe[4 * CELL_BYTES + 1];
    bool may_shrink = c->align == TABLE_CUT || c->align == TABLE_WRAP;
    screen_escape(span_head(span_str(c->name), CELL_BYTES), safe, sizeof safe);
    struct libscols_column *column = scols_table_new_column(st, safe, may_shrink ? 0.4 : 1, flags_of(c->align));
    if (!column || !folded) return column != NULL;
    return scols_column_set_wrapfunc(column, scols_wrapnl_chunksize, scols_wrapnl_nextchunk, NULL) == 0 &&
           scols_column_set_safechars(column, "\n") == 0;
}

/* The table as text, which is the caller's to free; NULL: no memory. */
static char *lay_out(struct table *t, const struct screen *s, const size_t *fold_at, size_t *out_widths) {
    struct libscols_table *st = scols_new_table();
    if (!st) return NULL;
    bool ok = true;
    for (size_t i = 0; ok && i < t->n_columns; i++) ok = add_column(&t->columns[i], st, fold_at[i] > 0);
    for (size_t r = 0; ok && r < t->n_rows; r++) ok = fill_line(t, s, st, r, fold_at);
    /* The cells are safe already, and it would escape the escapes; but in a locale of single bytes it loops for ever over others. */
    scols_table_enable_noencoding(st, MB_CUR_MAX > 1);
    scols_table_enable_colors(st, s->colour);
    scols_table_set_termwidth(st, s->width);
    scols_table_set_termforce(st, SCOLS_TERMFORCE_ALWAYS);
    char *text = NULL;
    ok = ok && scols_print_table_to_string(st, &text) == 0;
    for (size_t i = 0; ok && i < t->n_columns; i++) out_widths[i] = scols_column_get_width(scols_table_get_column(st, i));
    scols_unref_table(st);
    if (ok) return text ? text : strdup("");
    free(text);
    return NULL;
}

static bool is_wider(const struct table *t, size_t column, size_t width) {
    size_t bytes;
    for (size_t r = 0; r < t->n_rows; r++) {
        const char *z = t->cells[r * t->n_columns + column].text;
        if (z && columns_of(span_str(z), &bytes, SIZE_MAX) > width) return true;
    }
    return false;
}

/* libsmartcols wraps in the middle of words, and knows how wide a column may be only when it has laid it out: where a column is too narrow
 * for its text, it does so again with lines that we have made. */
enum err table_print(struct table *t, const struct screen *s) {
    if (t->failed) return ERR_NOMEM;
    AUTO_FREE size_t *fold_at = calloc(t->n_columns, sizeof *fold_at);
    AUTO_FREE size_t *widths = calloc(t->n_columns, sizeof *widths);
    char *text = fold_at && widths ? lay_out(t, s, fold_at, widths) : NULL;
    bool again = false;
    for (size_t i = 0; text && i < t->n_columns; i++)
        if (t->columns[i].align == TABLE_WRAP && widths[i] && is_wider(t, i, widths[i])) {
            fold_at[i] = widths[i];
            again = true;
        }
    if (again) {
        free(text);
        text = lay_out(t, s, fold_at, widths);
    }
    if (!text) return ERR_NOMEM;
    if (text[0]) fprintf(s->to, "%s%s", text, text[strlen(text) - 1] == '\n' ? "" : "\n");
    free(text);
    return ERR_OK;
}

/* Machines get the bytes as they are; a terminal must not be driven by them. */
static void csv_field(FILE *to, const char *z) {
    char safe[4 * CELL_BYTES + 1];
    if (isatty(fileno(to)) == 1) {
        screen_escape(span_str(z), safe, sizeof safe);
        z = safe;
    }
    if (z[strcspn(z, ",\"\r\n")] == '\0') {
        fputs(z, to);
        return;
    }
    fputc('"', to);
    for (; *z; z++) {
        if (*z == '"') fputc('"', to);
        fputc(*z, to);
    }
    fputc('"', to);
}

/* Headers in small letters. */
static void csv_name(FILE *to, const char *z) {
    char name[CELL_BYTES];
    size_t n = 0;
    for (; z[n] && n + 1 < sizeof name; n++) name[n] = z[n] >= 'A' && z[n] <= 'Z' ? (char)(z[n] + 32) : z[n];
    name[n] = '\0';
    csv_field(to, name);
}

enum err table_print_csv(struct table *t, FILE *to) {
    if (t->failed) return ERR_NOMEM;
    for (size_t i = 0; i < t->n_columns; i++) {
        if (i) fputc(',', to);
        csv_name(to, t->columns[i].name);
    }
    fputc('\n', to);
    for (size_t r = 0; r < t->n_rows; r++) {
        for (size_t i = 0; i < t->n_columns; i++) {
            const char *z = t->cells[r * t->n_columns + i].text;
            if (i) fputc(',', to);
            csv_field(to, z ? z : "");
        }
        fputc('\n', to);
    }
    return ERR_OK;
}
