/* encode∘decode is the identity, for everything that goes over the wire: seeded random models, thousands of small ones. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/wire/dump.h"
#include "tests/unit/wire/random.h"

enum { BODIES = 10000, OTHERS = 1000, ARENA_BYTES = 64 * 1024 * 1024 };

struct fixture {
    struct random r;
    struct arena *decoded;
    struct buf bytes, again, want, got;
    uint64_t seed;
};

static int setup(void **state) {
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    gen_init(&f->r.gen);
    gen_print(&f->r.gen);
    f->seed = f->r.gen.seed;
    f->r.mem = arena_new(ARENA_BYTES);
    f->r.max_rows = 8;
    f->decoded = arena_new(ARENA_BYTES);
    assert_non_null(f->r.mem);
    assert_non_null(f->decoded);
    buf_init(&f->bytes, 0);
    buf_init(&f->again, 0);
    buf_init(&f->want, 0);
    buf_init(&f->got, 0);
    *state = f;
    return 0;
}

static int teardown(void **state) {
    struct fixture *f = *state;
    arena_free(f->r.mem);
    arena_free(f->decoded);
    buf_done(&f->bytes);
    buf_done(&f->again);
    buf_done(&f->want);
    buf_done(&f->got);
    free(f);
    return 0;
}

static void begin(struct fixture *f, uint64_t i) {
    arena_reset(f->r.mem);
    arena_reset(f->decoded);
    buf_reset(&f->bytes);
    buf_reset(&f->again);
    buf_reset(&f->want);
    buf_reset(&f->got);
    gen_seed(&f->r.gen, f->seed + i);
}

static void check(struct fixture *f, uint64_t i, enum err encoded, enum err decoded, enum err encoded_again) {
    if (encoded || decoded || encoded_again || !span_eq(buf_span(&f->want), buf_span(&f->got)) ||
        !span_eq(buf_span(&f->bytes), buf_span(&f->again)))
        fail_msg("TRAWL_SEED=%" PRIu64 ": %s, %s, %s\nwant:\n%s\ngot:\n%s", f->seed + i, err_name(encoded), err_name(decoded),
                 err_name(encoded_again), buf_str(&f->want), buf_str(&f->got));
}

/* Uninitialised `back` is on purpose: a sanitizer run shows a field that a decoder forgets. */
#define ROUND_TRIP(n, type, make, dump, encode, decode)                                                                                    \
    for (uint64_t i_ = 0; i_ < (n); i_++) {                                                                                                \
        type there, back;                                                                                                                  \
        begin(f, i_);                                                                                                                      \
        make;                                                                                                                              \
        enum err e_ = (encode), d_ = e_ ? e_ : (decode);                                                                                   \
        dump(&there, &f->want);                                                                                                            \
        if (!d_) dump(&back, &f->got);                                                                                                     \
        check(f, i_, e_, d_, d_ ? d_ : AGAIN);                                                                                             \
    }
#define SPAN buf_span(&f->bytes)

static void a_part_comes_back_as_it_went(void **state) {
    struct fixture *f = *state;
#define AGAIN part_encode(&back, &f->again)
    ROUND_TRIP(BODIES, struct part_body, random_body(&f->r, &there), dump_body, part_encode(&there, &f->bytes),
               part_decode(SPAN, f->decoded, &back))
#undef AGAIN
}

static void a_spec_comes_back_as_it_went(void **state) {
    struct fixture *f = *state;
#define AGAIN spec_encode(&back, &f->again)
    ROUND_TRIP(OTHERS, struct spec, random_spec(&f->r, &there), dump_spec, spec_encode(&there, &f->bytes),
               spec_decode(SPAN, f->decoded, &back))
#undef AGAIN
}

static void what_an_agent_says_comes_back_as_it_went(void **state) {
    struct fixture *f = *state;
#define AGAIN session_encode_from(&back, &f->again)
    ROUND_TRIP(OTHERS, struct from_agent, random_from_agent(&f->r, &there), dump_from_agent, session_encode_from(&there, &f->bytes),
               session_decode_from(SPAN, f->decoded, &back))
#undef AGAIN
}

static void what_an_agent_is_told_comes_back_as_it_went(void **state) {
    struct fixture *f = *state;
#define AGAIN session_encode_to(&back, &f->again)
    ROUND_TRIP(OTHERS, struct to_agent, random_to_agent(&f->r, &there), dump_to_agent, session_encode_to(&there, &f->bytes),
               session_decode_to(SPAN, f->decoded, &back))
#undef AGAIN
}

static void every_question_comes_back_as_it_went(void **state) {
    struct fixture *f = *state;
    for (enum query_kind kind = QUERY_REF; kind <= QUERY_OUTLIERS; kind++) {
#define AGAIN query_encode(kind, &back, &f->again)
        ROUND_TRIP(OTHERS, struct query, random_query(&f->r, kind, &there), dump_query, query_encode(kind, &there, &f->bytes),
                   query_decode(kind, SPAN, f->decoded, &back))
#undef AGAIN
    }
}

static void every_answer_comes_back_as_it_went(void **state) {
    struct fixture *f = *state;
    for (enum query_kind kind = QUERY_HIST; kind <= QUERY_OUTLIERS; kind++) {
#define AGAIN query_encode_answer(kind, &back, &f->again)
        ROUND_TRIP(OTHERS, struct answer, random_answer(&f->r, kind, &there), dump_answer, query_encode_answer(kind, &there, &f->bytes),
                   query_decode_answer(kind, SPAN, f->decoded, &back))
#undef AGAIN
    }
}

static void dump_detail(const struct campaign_detail *d, struct buf *out) {
    dump_info(&d->info, out);
    dump_targets(d->targets, d->n_targets, out);
}

static void random_detail(struct random *r, struct campaign_detail *out) {
    random_info(r, &out->info);
    random_targets(r, &out->targets, &out->n_targets);
}

static void a_campaign_comes_back_as_it_went(void **state) {
    struct fixture *f = *state;
#define AGAIN query_encode_detail(&back, &f->again)
    ROUND_TRIP(OTHERS, struct campaign_detail, random_detail(&f->r, &there), dump_detail, query_encode_detail(&there, &f->bytes),
               query_decode_detail(SPAN, f->decoded, &back))
#undef AGAIN
#define AGAIN query_encode_info(&back, &f->again)
    ROUND_TRIP(OTHERS, struct campaign_info, random_info(&f->r, &there), dump_info, query_encode_info(&there, &f->bytes),
               query_decode_info(SPAN, f->decoded, &back))
#undef AGAIN
}

static void dump_campaigns(const struct campaign_list *l, struct buf *out) {
    for (size_t i = 0; i < l->n; i++) dump_info(&l->campaigns[i], out);
}

static void random_campaigns(struct random *r, struct campaign_list *out) {
    static struct campaign_info infos[3];
    *out = (struct campaign_list){infos, random_below(r, COUNT_OF(infos) + 1)};
    for (size_t i = 0; i < out->n; i++) random_info(r, &infos[i]);
}

static void dump_hosts(const struct host_list *l, struct buf *out) {
    for (size_t i = 0; i < l->n; i++) {
        const struct host_info *h = &l->hosts[i];
        dump_facts(&h->facts, out);
        buf_add_fmt(out, "%d %" PRIu64 " %" PRIu64 " ", h->online, h->seen_wall_ns, h->cert_expires_wall_ns);
        buf_add(out, h->address);
        buf_add(out, h->note);
    }
}

static void random_hosts(struct random *r, struct host_list *out) {
    static struct host_info hosts[3];
    *out = (struct host_list){hosts, random_below(r, COUNT_OF(hosts) + 1)};
    for (size_t i = 0; i < out->n; i++) {
        hosts[i] = (struct host_info){.online = i == 1, .seen_wall_ns = 7, .cert_expires_wall_ns = 9, .address = SPAN_LIT("10.0.0.1:4711"),
                                      .note = SPAN_LIT("twice")};
        random_facts(r, &hosts[i].facts);
    }
}

static void lists_come_back_as_they_went(void **state) {
    struct fixture *f = *state;
#define AGAIN query_encode_campaigns(&back, &f->again)
    ROUND_TRIP(OTHERS, struct campaign_list, random_campaigns(&f->r, &there), dump_campaigns, query_encode_campaigns(&there, &f->bytes),
               query_decode_campaigns(SPAN, f->decoded, &back))
#undef AGAIN
#define AGAIN query_encode_hosts(&back, &f->again)
    ROUND_TRIP(OTHERS, struct host_list, random_hosts(&f->r, &there), dump_hosts, query_encode_hosts(&there, &f->bytes),
               query_decode_hosts(SPAN, f->decoded, &back))
#undef AGAIN
#define AGAIN query_plan_encode(&back, &f->again)
    ROUND_TRIP(OTHERS, struct plan, random_plan(&f->r, &there), dump_plan, query_plan_encode(&there, &f->bytes),
               query_plan_decode(SPAN, f->decoded, &back))
#undef AGAIN
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_part_comes_back_as_it_went, setup, teardown),
        cmocka_unit_test_setup_teardown(a_spec_comes_back_as_it_went, setup, teardown),
        cmocka_unit_test_setup_teardown(what_an_agent_says_comes_back_as_it_went, setup, teardown),
        cmocka_unit_test_setup_teardown(what_an_agent_is_told_comes_back_as_it_went, setup, teardown),
        cmocka_unit_test_setup_teardown(every_question_comes_back_as_it_went, setup, teardown),
        cmocka_unit_test_setup_teardown(every_answer_comes_back_as_it_went, setup, teardown),
        cmocka_unit_test_setup_teardown(a_campaign_comes_back_as_it_went, setup, teardown),
        cmocka_unit_test_setup_teardown(lists_come_back_as_they_went, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
