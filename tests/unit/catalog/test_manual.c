/* docs/tools.md and the rows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "common/catalog/manual.h"

static void the_documented_table_is_that_of_the_rows(void **state) {
    (void)state;
    static const struct span begin = SPAN_LIT("<!-- trawl tools --markdown -->\n"), end = SPAN_LIT("<!-- end -->");
    struct buf docs, want;
    char block[4096];
    buf_init(&docs, 0);
    buf_init(&want, 0);
    FILE *f = fopen(TRAWL_SOURCE_DIR "/docs/tools.md", "r");
    assert_non_null(f);
    for (size_t n; (n = fread(block, 1, sizeof block, f)) > 0;) buf_add(&docs, span_of(block, n));
    fclose(f);
    assert_int_equal(manual_table(&want), ERR_OK);
    struct span text = buf_span(&docs), table = buf_span(&want);
    size_t at = span_find_span(text, begin);
    assert_true(at < text.n);
    text = span_drop(text, at + begin.n);
    text = span_head(text, span_find_span(text, end));
    struct span line, said;
    while (span_line(&table, &line)) {
        if (!span_line(&text, &said)) said = SPAN_LIT("nothing");
        if (!span_eq(line, said))
            fail_msg("docs/tools.md has\n%.*s\nwhere trawl tools --markdown has\n%.*s", (int)said.n, said.p, (int)line.n, line.p);
    }
    assert_int_equal(text.n, 0);
    buf_done(&docs);
    buf_done(&want);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_documented_table_is_that_of_the_rows)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
