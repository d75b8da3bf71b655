/* Tables with each allocation failing in turn. */
#include "tests/unit/console/printed.h"

#include "console/render/table.h"
#include "tests/support/fault.h"

static void without_memory_a_table_says_so(void **state) {
    (void)state;
    static const struct table_column columns[] = {{"A", TABLE_LEFT}, {"B", TABLE_RIGHT}};
    FOR_EACH_FAULT(n) {
        struct printed p;
        AUTO(table_free) struct table *t = table_new(columns, COUNT_OF(columns));
        enum err e = ERR_NOMEM;
        if (t) {
            for (unsigned i = 0; i < 100; i++) {
                table_row(t);
                table_cell_u64(t, i);
                table_cell_str(t, "text");
            }
            fault_off();
            e = table_print_csv(t, printed_open(&p));
            printed_done(&p);
        }
        fault_off();
        assert_int_equal(e, fault_hit() ? ERR_NOMEM : ERR_OK);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(without_memory_a_table_says_so)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
