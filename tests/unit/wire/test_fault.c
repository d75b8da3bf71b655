/* Every allocation fails in turn: every encoder, decoder and the split say ERR_NOMEM, leave what they were given untouched, and
 * lose nothing (the sanitizer sees to that). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/fault.h"
#include "tests/unit/wire/random.h"

enum { ARENA_BYTES = 16 * 1024 * 1024, SEEDS = 6 };

struct fixture {
    struct random r;
    struct buf bytes; /* a good encoding */
};

static int setup(void **state) {
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->r.mem = arena_new(ARENA_BYTES);
    f->r.max_rows = 6;
    assert_non_null(f->r.mem);
    buf_init(&f->bytes, 0);
    *state = f;
    return 0;
}

static int teardown(void **state) {
    struct fixture *f = *state;
    arena_free(f->r.mem);
    buf_done(&f->bytes);
    free(f);
    return 0;
}

static void begin(struct fixture *f, uint64_t seed) {
    arena_reset(f->r.mem);
    buf_reset(&f->bytes);
    gen_seed(&f->r.gen, seed);
}

#define ALL_FAULTS(encode_into, decode_out, type)                                                                                          \
    do {                                                                                                                                   \
        FOR_EACH_FAULT(n) {                                                                                                                \
            struct buf out;                                                                                                                \
            buf_init(&out, 0);                                                                                                             \
            buf_add_str(&out, "head");                                                                                                     \
            enum err e = encode_into;                                                                                                      \
            fault_off();                                                                                                                   \
            if (fault_hit() && out.n) assert_int_equal(e, ERR_NOMEM);                                                                      \
            if (e) assert_true(out.n == 4 || out.n == 0);                                                                                  \
            if (!e && out.n > 4) {                                                                                                         \
                buf_reset(&f->bytes);                                                                                                      \
                buf_add(&f->bytes, span_drop(buf_span(&out), 4));                                                                          \
            }                                                                                                                              \
            buf_done(&out);                                                                                                                \
        }                                                                                                                                  \
        assert_true(f->bytes.n > 0);                                                                                                       \
        FOR_EACH_FAULT(n) {                                                                                                                \
            type value, untouched;                                                                                                         \
            memset(&value, 0x5a, sizeof value);                                                                                            \
            memset(&untouched, 0x5a, sizeof untouched);                                                                                    \
            struct arena *mem = arena_new(ARENA_BYTES);                                                                                    \
            enum err e = mem ? decode_out : ERR_NOMEM;                                                                                     \
            fault_off();                                                                                                                   \
            assert_int_equal(e, fault_hit() ? ERR_NOMEM : ERR_OK);                                                                         \
            if (e) assert_memory_equal(&value, &untouched, sizeof value);                                                                  \
            arena_free(mem);                                                                                                               \
        }                                                                                                                                  \
    } while (0)
#define BYTES buf_span(&f->bytes)

static void parts_live_with_any_failed_allocation(void **state) {
    struct fixture *f = *state;
    for (uint64_t seed = 0; seed < 4 * SEEDS; seed++) {
        struct part_body b;
        begin(f, seed);
        random_body(&f->r, &b);
        ALL_FAULTS(part_encode(&b, &out), part_decode(BYTES, mem, &value), struct part_body);
    }
}

static void sessions_live_with_any_failed_allocation(void **state) {
    struct fixture *f = *state;
    for (uint64_t seed = 0; seed < 2 * SEEDS; seed++) {
        struct from_agent from;
        struct to_agent to;
        struct spec spec;
        begin(f, seed);
        random_from_agent(&f->r, &from);
        random_to_agent(&f->r, &to);
        random_spec(&f->r, &spec);
        ALL_FAULTS(session_encode_from(&from, &out), session_decode_from(BYTES, mem, &value), struct from_agent);
        ALL_FAULTS(session_encode_to(&to, &out), session_decode_to(BYTES, mem, &value), struct to_agent);
        ALL_FAULTS(spec_encode(&spec, &out), spec_decode(BYTES, mem, &value), struct spec);
        ALL_FAULTS(spec_encode_signed(&(struct signed_order){BYTES, BYTES, BYTES, SPAN_NONE}, &out), spec_decode_signed(BYTES, mem, &value),
                   struct signed_order);
    }
}

static void answers_live_with_any_failed_allocation(void **state) {
    struct fixture *f = *state;
    for (uint64_t seed = 0; seed < SEEDS; seed++)
        for (enum query_kind kind = QUERY_HIST; kind <= QUERY_OUTLIERS; kind++) {
            struct query q;
            struct answer a;
            begin(f, seed);
            random_query(&f->r, kind, &q);
            random_answer(&f->r, kind, &a);
            ALL_FAULTS(query_encode(kind, &q, &out), query_decode(kind, BYTES, mem, &value), struct query);
            ALL_FAULTS(query_encode_answer(kind, &a, &out), query_decode_answer(kind, BYTES, mem, &value), struct answer);
        }
}

static void lists_live_with_any_failed_allocation(void **state) {
    struct fixture *f = *state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct host_info host = {.address = SPAN_LIT("10.0.0.1:7")};
        struct campaign_detail d;
        begin(f, seed);
        random_facts(&f->r, &host.facts);
        random_info(&f->r, &d.info);
        random_targets(&f->r, &d.targets, &d.n_targets);
        const struct host_list hosts = {&host, 1};
        const struct campaign_list campaigns = {&d.info, 1};
        ALL_FAULTS(query_encode_hosts(&hosts, &out), query_decode_hosts(BYTES, mem, &value), struct host_list);
        ALL_FAULTS(query_encode_campaigns(&campaigns, &out), query_decode_campaigns(BYTES, mem, &value), struct campaign_list);
        ALL_FAULTS(query_encode_info(&d.info, &out), query_decode_info(BYTES, mem, &value), struct campaign_info);
        ALL_FAULTS(query_encode_detail(&d, &out), query_decode_detail(BYTES, mem, &value), struct campaign_detail);
    }
}

static enum err count_parts(void *arg, uint32_t part, struct span body) {
    uint32_t *parts = arg;
    assert_int_equal(part, *parts);
    assert_true(body.n > 0);
    ++*parts;
    return ERR_OK;
}

static void a_split_lives_with_any_failed_allocation(void **state) {
    struct fixture *f = *state;
    for (uint64_t seed = 0; seed < 3; seed++) {
        struct capture c = {.kind = (enum result_kind)(RESULT_HISTOGRAM + seed)};
        begin(f, seed);
        f->r.max_rows = 40;
        random_hists(&f->r, &c.hists);
        do random_events(&f->r, &c.events);
        while (c.events.n_rows < 20);
        random_stacks(&f->r, &c.stacks);
        FOR_EACH_FAULT(n) {
            uint32_t parts = 0;
            enum err e = part_split(&c, &(struct outcome){.coverage = COVERAGE_OK}, 400, count_parts, &parts);
            fault_off();
            /* A histogram's table that cannot grow makes the estimate worse, nothing else. */
            if (c.kind != RESULT_HISTOGRAM || !fault_hit()) assert_int_equal(e, fault_hit() ? ERR_NOMEM : ERR_OK);
            if (c.kind == RESULT_HISTOGRAM) assert_true(e == ERR_OK || e == ERR_NOMEM);
        }
    }
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(parts_live_with_any_failed_allocation),    TEST(sessions_live_with_any_failed_allocation),
        TEST(answers_live_with_any_failed_allocation),  TEST(lists_live_with_any_failed_allocation),
        TEST(a_split_lives_with_any_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
