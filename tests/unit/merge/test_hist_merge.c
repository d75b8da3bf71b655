#include "tests/unit/merge/made.h"

#include "common/base/buf.h"
#include "common/base/num.h"
#include "common/merge/hist_merge.h"

static struct hist of(struct hist_slot *slots, size_t n) {
    return (struct hist){.unit = SPAN_LIT("usecs"), .interval = SPAN_LIT(""), .slots = slots, .n_slots = n};
}

/* One line per histogram, labels and slots in their order. */
static void dump(const struct hist_merge *m, bool drop_sections, struct buf *out) {
    AUTO(arena_free) struct arena *mem = arena_new(8 << 20);
    struct hist_set set;
    assert_int_equal(hist_merge_get(m, drop_sections, mem, &set), ERR_OK);
    for (size_t i = 0; i < set.n; i++) {
        const struct hist *h = &set.hists[i];
        for (size_t l = 0; l < h->n_section; l++)
            buf_add_fmt(out, "%s=%s,", h->section[l].key.p, h->section[l].value.p);
        buf_add_fmt(out, "%s%s", h->unit.p, h->scale == HIST_LINEAR ? " linear" : "");
        for (size_t s = 0; s < h->n_slots; s++) {
            buf_add_fmt(out, " [%llu,", (unsigned long long)h->slots[s].low);
            if (h->slots[s].high == HIST_OPEN) buf_add_str(out, "...");
            else buf_add_u64(out, h->slots[s].high);
            buf_add_fmt(out, "]%llu", (unsigned long long)h->slots[s].count);
        }
        buf_add_char(out, '\n');
    }
    assert_int_equal(buf_failed(out), ERR_OK);
}

static void assert_dump(const struct hist_merge *m, bool drop_sections, const char *want) {
    struct buf got;
    buf_init(&got, 0);
    dump(m, drop_sections, &got);
    assert_string_equal(buf_str(&got), want);
    buf_done(&got);
}

static void counts_of_equal_slots_add_up_and_new_slots_join_in_order(void **state) {
    (void)state;
    AUTO(hist_merge_free) struct hist_merge *m = hist_merge_new();
    struct hist_slot a[] = {{2, 3, 5}, {8, 15, 1}}, b[] = {{0, 1, 7}, {2, 3, 1}, {4, 7, 2}, {16, 31, 3}};
    struct hist ha = of(a, 2), hb = of(b, 4);
    assert_dump(m, false, "");
    size_t empty = hist_merge_bytes(m);
    assert_int_equal(hist_merge_add(m, &ha), ERR_OK);
    assert_int_equal(hist_merge_add(m, &hb), ERR_OK);
    assert_dump(m, false, "usecs [0,1]7 [2,3]6 [4,7]2 [8,15]1 [16,31]3\n");
    assert_true(hist_merge_bytes(m) > empty);
}

static void counts_saturate(void **state) {
    (void)state;
    AUTO(hist_merge_free) struct hist_merge *m = hist_merge_new();
    struct hist_slot a[] = {{0, 1, UINT64_MAX - 1}};
    struct hist h = of(a, 1);
    assert_int_equal(hist_merge_add(m, &h), ERR_OK);
    assert_int_equal(hist_merge_add(m, &h), ERR_OK);
    assert_dump(m, false, "usecs [0,1]18446744073709551615\n");
}

static void slots_that_overlap_without_being_equal_change_nothing(void **state) {
    (void)state;
    AUTO(hist_merge_free) struct hist_merge *m = hist_merge_new();
    struct hist_slot a[] = {{0, 1, 1}, {4, 7, 1}};
    struct hist_slot bad[][2] = {
        {{0, 1, 1}, {6, 9, 1}},          /* overlaps an end */
        {{0, 1, 1}, {3, 4, 1}},          /* overlaps a beginning */
        {{0, 1, 1}, {5, 6, 1}},          /* inside */
        {{0, 1, 1}, {2, 9, 1}},          /* around */
        {{0, 9, 1}, {10, 11, 1}},        /* around both */
        {{0, 1, 1}, {4, HIST_OPEN, 1}},  /* the open slot is another one */
        {{2, 3, 1}, {0, 1, 1}},          /* not ascending */
        {{0, 1, 1}, {1, 2, 1}},          /* overlaps itself */
        {{9, 8, 1}, {20, 21, 1}},        /* ends before it begins */
    };
    struct hist h = of(a, 2);
    assert_int_equal(hist_merge_add(m, &h), ERR_OK);
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct hist hb = of(bad[i], 2);
        assert_int_equal(hist_merge_add(m, &hb), ERR_REFUSED);
        assert_dump(m, false, "usecs [0,1]1 [4,7]1\n");
    }
}

static void an_open_slot_equals_only_itself(void **state) {
    (void)state;
    AUTO(hist_merge_free) struct hist_merge *m = hist_merge_new();
    struct hist_slot open[] = {{8, HIST_OPEN, 1}}, closed[] = {{8, 15, 1}}, above[] = {{16, 31, 1}}, below[] = {{4, 7, 1}};
    struct hist ho = of(open, 1), hc = of(closed, 1), ha = of(above, 1), hb = of(below, 1);
    assert_int_equal(hist_merge_add(m, &ho), ERR_OK);
    assert_int_equal(hist_merge_add(m, &ho), ERR_OK);
    assert_int_equal(hist_merge_add(m, &hc), ERR_REFUSED);
    assert_int_equal(hist_merge_add(m, &ha), ERR_REFUSED);
    assert_int_equal(hist_merge_add(m, &hb), ERR_OK);
    assert_dump(m, false, "usecs [4,7]1 [8,...]2\n");
}

static void a_refused_first_histogram_leaves_no_trace(void **state) {
    (void)state;
    AUTO(hist_merge_free) struct hist_merge *m = hist_merge_new();
    struct hist_slot a[] = {{2, 3, 1}, {0, 1, 1}};
    struct hist h = of(a, 2);
    assert_int_equal(hist_merge_add(m, &h), ERR_REFUSED);
    assert_dump(m, false, "");
}

static struct hist in_section(struct hist h, const char *k1, const char *v1, const char *k2, const char *v2) {
    h.section[0] = (struct label){span_str(k1), span_str(v1)};
    h.n_section = 1;
    if (k2) h.section[h.n_section++] = (struct label){span_str(k2), span_str(v2)};
    return h;
}

static void sections_are_kept_apart_sorted_and_merged_on_demand(void **state) {
    (void)state;
    AUTO(hist_merge_free) struct hist_merge *m = hist_merge_new();
    struct hist_slot slots[] = {{0, 1, 1}};
    struct hist plain = of(slots, 1);
    struct hist all[] = {
        in_section(plain, "disk", "vdb", NULL, NULL),
        in_section(plain, "flags", "Read", "disk", "vda"), /* the other order of labels */
        in_section(plain, "disk", "vda", "flags", "Read"),
        in_section(plain, "disk", "vda", NULL, NULL),
        plain,
    };
    for (size_t i = 0; i < COUNT_OF(all); i++) assert_int_equal(hist_merge_add(m, &all[i]), ERR_OK);
    struct hist ms = plain, linear = plain;
    ms.unit = SPAN_LIT("msecs");
    ms.interval = SPAN_LIT("#2"); /* intervals are added up */
    linear.scale = HIST_LINEAR;
    assert_int_equal(hist_merge_add(m, &linear), ERR_OK);
    assert_int_equal(hist_merge_add(m, &ms), ERR_OK);
    ms.interval = SPAN_LIT("#3");
    assert_int_equal(hist_merge_add(m, &ms), ERR_OK);
    assert_dump(m, false,
                "msecs [0,1]2\n"
                "usecs [0,1]1\n"
                "usecs linear [0,1]1\n"
                "disk=vda,usecs [0,1]1\n"
                "disk=vda,flags=Read,usecs [0,1]2\n"
                "disk=vdb,usecs [0,1]1\n");
    assert_dump(m, true, "msecs [0,1]2\nusecs [0,1]5\nusecs linear [0,1]1\n");
}

static void labels_that_only_look_alike_when_joined_are_apart(void **state) {
    (void)state;
    AUTO(hist_merge_free) struct hist_merge *m = hist_merge_new();
    struct hist_slot slots[] = {{0, 1, 1}};
    struct hist plain = of(slots, 1);
    struct hist a = in_section(plain, "ab", "c", NULL, NULL), b = in_section(plain, "a", "bc", NULL, NULL);
    assert_int_equal(hist_merge_add(m, &a), ERR_OK);
    assert_int_equal(hist_merge_add(m, &b), ERR_OK);
    assert_dump(m, false, "a=bc,usecs [0,1]1\nab=c,usecs [0,1]1\n");
}

static void sections_whose_slots_disagree_cannot_be_dropped(void **state) {
    (void)state;
    AUTO(hist_merge_free) struct hist_merge *m = hist_merge_new();
    AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
    struct hist_slot a[] = {{0, 1, 1}}, b[] = {{1, 2, 1}};
    struct hist ha = of(a, 1), hb = of(b, 1);
    ha = in_section(ha, "disk", "vda", NULL, NULL);
    hb = in_section(hb, "disk", "vdb", NULL, NULL);
    assert_int_equal(hist_merge_add(m, &ha), ERR_OK);
    assert_int_equal(hist_merge_add(m, &hb), ERR_OK);
    struct hist_set set = {.n = 77};
    assert_int_equal(hist_merge_get(m, true, mem, &set), ERR_REFUSED);
    assert_int_equal(set.n, 77);
}

static void an_answer_over_the_budget_is_said(void **state) {
    (void)state;
    AUTO(hist_merge_free) struct hist_merge *m = hist_merge_new();
    struct hist_slot a[] = {{0, 1, 1}, {2, 3, 1}};
    struct hist h = of(a, 2);
    h = in_section(h, "disk", "vda", NULL, NULL);
    assert_int_equal(hist_merge_add(m, &h), ERR_OK);
    size_t budget = 0;
    enum err e = ERR_NOMEM;
    for (; e == ERR_NOMEM; budget += 16) {
        AUTO(arena_free) struct arena *mem = arena_new(budget);
        struct hist_set set = {.n = 77};
        e = hist_merge_get(m, false, mem, &set);
        assert_int_equal(set.n, e ? 77 : 1);
    }
    assert_int_equal(e, ERR_OK);
    assert_true(budget > 64);
}

enum { SLOTS = 12 };

/* Agreeing histograms: any subset of one set of slots per scale; the last log2 slot is open. */
static struct hist random_hist(struct gen *g, struct arena *mem) {
    static const char *const keys[] = {"disk", "flags", "pid"}, *const values[] = {"a", "b", ""};
    struct hist h = {.unit = gen_below(g, 4) ? SPAN_LIT("usecs") : SPAN_LIT("msecs"), .interval = SPAN_LIT("")};
    h.scale = gen_below(g, 3) ? HIST_LOG2 : HIST_LINEAR;
    h.n_section = gen_below(g, 3);
    for (size_t i = 0; i < h.n_section; i++)
        h.section[i] = (struct label){span_str(keys[gen_below(g, 3)]), span_str(values[gen_below(g, 3)])};
    h.slots = made_array(mem, SLOTS, sizeof *h.slots);
    for (uint64_t i = 0; i < SLOTS; i++) {
        if (gen_below(g, 3) == 0) continue;
        struct hist_slot s = {i * 10, i * 10 + 9, gen_u64(g) >> (1 + gen_below(g, 60))};
        if (h.scale == HIST_LOG2) {
            s.low = i ? 1ULL << i : 0;
            s.high = i + 1 == SLOTS ? HIST_OPEN : (2ULL << i) - 1;
        }
        if (gen_below(g, 8) == 0) s.count = 0;
        h.slots[h.n_slots++] = s;
    }
    return h;
}

static void add_all(struct hist_merge *m, const struct hist *hists, const size_t *order, size_t from, size_t to) {
    for (size_t i = from; i < to; i++) assert_int_equal(hist_merge_add(m, &hists[order[i]]), ERR_OK);
}

static void add_merge(struct hist_merge *into, const struct hist_merge *from, struct arena *mem) {
    struct hist_set set;
    assert_int_equal(hist_merge_get(from, false, mem, &set), ERR_OK);
    for (size_t i = 0; i < set.n; i++) assert_int_equal(hist_merge_add(into, &set.hists[i]), ERR_OK);
}

static void assert_same(const struct hist_merge *a, const struct hist_merge *b, size_t c) {
    struct buf da, db;
    buf_init(&da, 0);
    buf_init(&db, 0);
    for (unsigned drop = 0; drop < 2; drop++) {
        dump(a, drop, &da);
        dump(b, drop, &db);
    }
    if (!span_eq(buf_span(&da), buf_span(&db))) fail_msg("case %zu:\n%s\n%s", c, buf_str(&da), buf_str(&db));
    buf_done(&da);
    buf_done(&db);
}

static void merging_is_commutative_associative_and_loses_no_count(void **state) {
    (void)state;
    struct gen g = made_gen();
    for (size_t c = 0; c < CASES; c++) {
        AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
        AUTO(hist_merge_free) struct hist_merge *one = hist_merge_new(), *left = hist_merge_new(), *right = hist_merge_new();
        struct hist hists[6];
        size_t order[6], n = gen_below(&g, 7);
        uint64_t total = 0, merged = 0;
        for (size_t i = 0; i < n; i++) {
            hists[i] = random_hist(&g, mem);
            total = num_sat_add(total, hist_total(&hists[i]));
        }
        made_shuffle(&g, order, n);
        add_all(one, hists, order, 0, n);
        made_shuffle(&g, order, n);
        size_t cut = gen_below(&g, n + 1);
        add_all(left, hists, order, 0, cut);
        add_all(right, hists, order, cut, n);
        add_merge(left, right, mem);
        assert_same(one, left, c);
        struct hist_set set;
        assert_int_equal(hist_merge_get(one, true, mem, &set), ERR_OK);
        for (size_t i = 0; i < set.n; i++) merged = num_sat_add(merged, hist_total(&set.hists[i]));
        if (merged != total) fail_msg("case %zu: total", c);
    }
}

static bool clash(const struct hist *a, const struct hist *b) {
    for (size_t i = 0; i < a->n_slots; i++)
        for (size_t j = 0; j < b->n_slots; j++) {
            const struct hist_slot *x = &a->slots[i], *y = &b->slots[j];
            if (x->low <= y->high && y->low <= x->high && (x->low != y->low || x->high != y->high)) return true;
        }
    return false;
}

static void exactly_the_histograms_that_clash_are_refused(void **state) {
    (void)state;
    struct gen g = made_gen();
    size_t n_refused = 0;
    for (size_t c = 0; c < CASES; c++) {
        AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
        AUTO(hist_merge_free) struct hist_merge *m = hist_merge_new();
        for (size_t i = 0; i < 4; i++) {
            struct hist_slot slots[3];
            struct hist h = of(slots, 0);
            uint64_t low = gen_below(&g, 6);
            for (size_t s = 0; s < 3; s++) {
                uint64_t high = low + gen_below(&g, 3);
                slots[h.n_slots++] = (struct hist_slot){low, high, 1 + gen_below(&g, 9)};
                low = high + 1 + gen_below(&g, 3);
            }
            struct hist_set have;
            struct buf before, after;
            buf_init(&before, 0);
            buf_init(&after, 0);
            dump(m, false, &before);
            assert_int_equal(hist_merge_get(m, false, mem, &have), ERR_OK);
            bool refuse = have.n && clash(&have.hists[0], &h);
            if (hist_merge_add(m, &h) != (refuse ? ERR_REFUSED : ERR_OK)) fail_msg("case %zu", c);
            dump(m, false, &after);
            assert_int_equal(span_eq(buf_span(&before), buf_span(&after)), refuse);
            buf_done(&before);
            buf_done(&after);
            n_refused += refuse;
        }
    }
    assert_true(n_refused > CASES / 10);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_of_equal_slots_add_up_and_new_slots_join_in_order),
        cmocka_unit_test(counts_saturate),
        cmocka_unit_test(slots_that_overlap_without_being_equal_change_nothing),
        cmocka_unit_test(an_open_slot_equals_only_itself),
        cmocka_unit_test(a_refused_first_histogram_leaves_no_trace),
        cmocka_unit_test(sections_are_kept_apart_sorted_and_merged_on_demand),
        cmocka_unit_test(labels_that_only_look_alike_when_joined_are_apart),
        cmocka_unit_test(sections_whose_slots_disagree_cannot_be_dropped),
        cmocka_unit_test(an_answer_over_the_budget_is_said),
        cmocka_unit_test(merging_is_commutative_associative_and_loses_no_count),
        cmocka_unit_test(exactly_the_histograms_that_clash_are_refused),
    };
    return cmocka_run_group_tests_name("hist_merge", tests, NULL, NULL);
}
