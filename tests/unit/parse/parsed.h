/* Parse a literal print-out in a test.  The arena is the test's; state is made by setup and freed by teardown. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/catalog/catalog.h"
#include "tests/support/capture_check.h"

static inline int setup(void **state) {
    *state = arena_new(64u << 20);
    return *state ? 0 : -1;
}
static inline int teardown(void **state) {
    arena_free(*state);
    return 0;
}

static inline struct capture parsed(const struct parse_spec *spec, const char *out, const char *err, void **state) {
    struct parse_input in = {.out = span_str(out), .err = span_str(err)};
    struct capture c;
    assert_int_equal(capture_check(spec, &in, *state, &c), ERR_OK);
    return c;
}

static inline const struct parse_spec *spec_of(enum tool_id tool, enum flavour_id flavour) {
    return &catalog_flavour(catalog_tool(tool), flavour)->parse;
}

#define assert_text(text_, z)                                           \
    do {                                                                \
        struct span span_ = (text_);                                    \
        assert_int_equal(span_.n, strlen(z));                           \
        assert_memory_equal(span_.p, (z), span_.n ? span_.n : 1);       \
    } while (0)
#define parse_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
