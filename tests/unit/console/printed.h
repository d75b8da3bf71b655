/* What a function prints, as a string: to a FILE of its own, or to stdout or stderr while that is swapped. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka wants these first */
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct printed {
    FILE *to;
    char *text;
    size_t n;
    FILE **swapped, *before; /* stdout or stderr */
};

static inline FILE *printed_open(struct printed *p) {
    *p = (struct printed){.text = NULL};
    p->to = open_memstream(&p->text, &p->n);
    assert_non_null(p->to);
    return p->to;
}

/* stream: &stdout or &stderr. */
static inline void printed_swap(struct printed *p, FILE **stream) {
    printed_open(p);
    p->swapped = stream;
    p->before = *stream;
    *stream = p->to;
}

/* The whole of it; valid until printed_done. */
static inline const char *printed_text(struct printed *p) {
    if (p->swapped) *p->swapped = p->before;
    p->swapped = NULL;
    fflush(p->to);
    return p->text;
}

static inline void printed_done(struct printed *p) {
    printed_text(p);
    fclose(p->to);
    free(p->text);
}

static inline void printed_is(struct printed *p, const char *want) {
    assert_string_equal(printed_text(p), want);
    printed_done(p);
}

static inline void printed_has(struct printed *p, const char *want) {
    const char *text = printed_text(p);
    if (!strstr(text, want)) fail_msg("\"%s\" does not say \"%s\"", text, want);
    printed_done(p);
}
