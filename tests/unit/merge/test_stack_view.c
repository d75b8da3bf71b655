#include "tests/unit/merge/made.h"

#include "common/merge/stack_order.h"
#include "common/merge/stack_view.h"

enum { NAMES = 4, DEPTH = 5, ROWS = 12 };
static const char *const names[NAMES] = {"read", "re", "write", "main"};

/* Frames by number, root first; the tree is made of them. */
struct path {
    unsigned comm, depth, frames[DEPTH];
    uint64_t count;
};

static struct stacks made(struct gen *g, struct path *paths, size_t n, struct arena *mem) {
    struct stacks s;
    assert_int_equal(stacks_init(&s, SPAN_LIT("samples"), mem), ERR_OK);
    for (size_t i = 0; i < n; i++) {
        uint32_t at = STACKS_ROOT;
        paths[i] =
            (struct path){.comm = (unsigned)gen_below(g, NAMES), .depth = (unsigned)gen_below(g, DEPTH + 1), .count = gen_below(g, 50)};
        for (unsigned d = 0; d < paths[i].depth; d++) {
            paths[i].frames[d] = (unsigned)gen_below(g, NAMES);
            assert_int_equal(stacks_node(&s, at, span_str(names[paths[i].frames[d]]), FRAME_USER, &at), ERR_OK);
        }
        assert_int_equal(stacks_add(&s, at, span_str(names[paths[i].comm]), (int64_t)i, paths[i].count), ERR_OK); /* a row each */
    }
    return s;
}

static bool has(const struct path *p, const char *part) {
    for (unsigned d = 0; d < p->depth; d++)
        if (strstr(names[p->frames[d]], part)) return true;
    return false;
}

static bool has_frame(const struct path *p, unsigned frame) {
    for (unsigned d = 0; d < p->depth; d++)
        if (p->frames[d] == frame) return true;
    return false;
}

static void check_frames(const struct stacks *s, const struct path *paths, const unsigned char *stay, size_t n, struct arena *mem,
                         size_t c) {
    struct stack_part *parts = NULL;
    size_t n_parts = 0, all = 0;
    uint64_t last = UINT64_MAX;
    assert_int_equal(stack_view_frames(s, stay, STACK_BY_TOTAL, 0, mem, &parts, &n_parts, &all), ERR_OK);
    assert_int_equal(n_parts, all);
    for (unsigned f = 0; f < NAMES; f++) {
        uint64_t self = 0, total = 0;
        bool listed = false;
        for (size_t i = 0; i < n; i++) {
            const struct path *p = &paths[i];
            if (stay[i] && has_frame(p, f)) total += p->count;
            if (stay[i] && p->depth && p->frames[p->depth - 1] == f) self += p->count;
        }
        for (size_t i = 0; i < n_parts; i++) {
            if (!span_eq_str(parts[i].name, names[f])) continue;
            listed = true;
            if (parts[i].self != self || parts[i].total != total) fail_msg("case %zu: %s", c, names[f]);
        }
        assert_true(listed == (total > 0));
    }
    for (size_t i = 0; i < n_parts; last = parts[i++].total) assert_true(parts[i].total <= last);
}

static void check_processes(const struct stacks *s, const struct path *paths, const unsigned char *stay, size_t n, struct arena *mem) {
    struct stack_part *parts = NULL;
    size_t n_parts = 0, all = 0;
    uint64_t sum = 0, want = 0;
    assert_int_equal(stack_view_processes(s, stay, 2, mem, &parts, &n_parts, &all), ERR_OK);
    assert_true(n_parts <= 2 && n_parts <= all);
    for (size_t i = 0; i < all; i++) sum += parts[i].total;
    for (size_t i = 0; i < n; i++) want += stay[i] ? paths[i].count : 0;
    assert_int_equal(sum, want);
}

/* focus "re" is in "read", too; ignore "wri*" is a pattern of the whole name. */
static void rows_and_parts_are_those_of_a_walk_over_all_frames(void **state) {
    (void)state;
    struct gen g = made_gen();
    for (size_t c = 0; c < CASES; c++) {
        AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
        struct path paths[ROWS];
        unsigned char stay[ROWS];
        size_t n = gen_below(&g, ROWS + 1);
        struct stacks s = made(&g, paths, n, mem);
        bool focus = gen_below(&g, 2), ignore = gen_below(&g, 2);
        const struct stack_filter filter = {focus ? SPAN_LIT("re") : SPAN_LIT(""), ignore ? SPAN_LIT("wri*") : SPAN_LIT("")};
        assert_int_equal(s.n_rows, n);
        assert_int_equal(stack_view_rows(&s, &filter, stay), ERR_OK);
        for (size_t i = 0; i < n; i++)
            if (stay[i] != ((!focus || has(&paths[i], "re")) && !(ignore && has(&paths[i], "write")))) fail_msg("case %zu, row %zu", c, i);
        check_frames(&s, paths, stay, n, mem, c);
        check_processes(&s, paths, stay, n, mem);
    }
}

static int path_cmp(const struct path *a, const struct path *b) {
    for (unsigned d = 0; d < a->depth && d < b->depth; d++) {
        int by_name = strcmp(names[a->frames[d]], names[b->frames[d]]);
        if (by_name) return by_name < 0 ? -1 : 1;
    }
    return a->depth < b->depth ? -1 : a->depth > b->depth;
}

static void the_order_of_a_tree_is_that_of_its_paths(void **state) {
    (void)state;
    struct gen g = made_gen();
    for (size_t c = 0; c < CASES; c++) {
        AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
        struct path paths[ROWS];
        size_t n = gen_below(&g, ROWS + 1);
        struct stacks s = made(&g, paths, n, mem);
        uint32_t *nodes = made_array(mem, s.n_nodes, sizeof *nodes), *strings = made_array(mem, s.strings.n, sizeof *strings);
        assert_int_equal(stack_order(&s, nodes, strings), ERR_OK);
        for (size_t i = 0; i < n; i++)
            for (size_t k = 0; k < n; k++) {
                uint32_t x = nodes[s.rows[i].leaf], y = nodes[s.rows[k].leaf];
                if ((x < y ? -1 : x > y) != path_cmp(&paths[i], &paths[k])) fail_msg("case %zu: %zu and %zu", c, i, k);
            }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_and_parts_are_those_of_a_walk_over_all_frames),
        cmocka_unit_test(the_order_of_a_tree_is_that_of_its_paths),
    };
    return cmocka_run_group_tests_name("stack_view", tests, NULL, NULL);
}
