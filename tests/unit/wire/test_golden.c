/* Messages as version 1 packed them, kept in tests/golden/wire/1: every later version must read them and understand the same.
 * BLESS=1 packs them anew: only for kinds that no release has sent yet. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/wire/dump.h"
#include "tests/unit/wire/random.h"

enum { ARENA_BYTES = 16 * 1024 * 1024, FILE_BYTES = 1024 * 1024, PATH_BYTES = 512 };

/* What a file's name begins with says what is in it. */
enum what { PART, SPEC, FROM_AGENT, TO_AGENT, DETAIL, QUERY, ANSWER };
static const struct {
    const char *name;
    enum what what;
    unsigned kind;
} files[] = {
    {"part-outcome", PART, RESULT_NONE},
    {"part-histogram", PART, RESULT_HISTOGRAM},
    {"part-events", PART, RESULT_EVENTS},
    {"part-stacks", PART, RESULT_STACKS},
    {"spec", SPEC, 0},
    {"from-facts", FROM_AGENT, FROM_AGENT_FACTS},
    {"from-state", FROM_AGENT, FROM_AGENT_STATE},
    {"from-part", FROM_AGENT, FROM_AGENT_PART},
    {"to-order", TO_AGENT, TO_AGENT_ORDER},
    {"to-stop", TO_AGENT, TO_AGENT_STOP},
    {"to-ack", TO_AGENT, TO_AGENT_ACK},
    {"detail", DETAIL, 0},
    {"query-ref", QUERY, QUERY_REF},
    {"query-hosts", QUERY, QUERY_HOSTS},
    {"query-campaigns", QUERY, QUERY_CAMPAIGNS},
    {"query-hist", QUERY, QUERY_HIST},
    {"query-top", QUERY, QUERY_TOP},
    {"query-stacks", QUERY, QUERY_STACKS},
    {"query-events", QUERY, QUERY_EVENTS},
    {"answer-hist", ANSWER, QUERY_HIST},
    {"answer-top", ANSWER, QUERY_TOP},
    {"answer-stacks", ANSWER, QUERY_STACKS},
    {"answer-events", ANSWER, QUERY_EVENTS},
};

#define PACK(type, make, encode, ready)                                                                                                    \
    do {                                                                                                                                   \
        type m;                                                                                                                            \
        do make;                                                                                                                           \
        while (!(ready));                                                                                                                  \
        assert_int_equal(encode, ERR_OK);                                                                                                  \
    } while (0)

static bool is_rich_part(const struct part_body *b, unsigned kind) {
    size_t rows = b->hists.n + (b->events.stack_of ? b->events.n_rows : 0) + b->stacks.n_rows;
    return b->kind == kind && b->outcome && b->outcome->n_notes && (rows > 5 || kind == RESULT_NONE);
}

static bool is_rich_answer(const struct answer *a) {
    size_t events = a->n_host_events > 1 ? a->host_events[0].events.n_rows : 0;
    return a->n_targets > 1 && a->n_top + a->n_host_hists + a->stacks.n_rows + events > 2;
}

static void pack(struct random *r, enum what what, unsigned kind, struct buf *out) {
    switch (what) {
    case PART:
        PACK(struct part_body, random_body(r, &m), part_encode(&m, out), is_rich_part(&m, kind));
        break;
    case SPEC:
        PACK(struct spec, random_spec(r, &m), spec_encode(&m, out), m.n_params > 1);
        break;
    case FROM_AGENT:
        PACK(struct from_agent, random_from_agent(r, &m), session_encode_from(&m, out), m.kind == kind);
        break;
    case TO_AGENT:
        PACK(struct to_agent, random_to_agent(r, &m), session_encode_to(&m, out), m.kind == kind);
        break;
    case DETAIL:
        PACK(struct campaign_detail, (random_info(r, &m.info), random_targets(r, &m.targets, &m.n_targets)), query_encode_detail(&m, out),
             m.n_targets > 1);
        break;
    case QUERY:
        PACK(struct query, random_query(r, (enum query_kind)kind, &m), query_encode((enum query_kind)kind, &m, out), true);
        break;
    case ANSWER:
        PACK(struct answer, random_answer(r, (enum query_kind)kind, &m), query_encode_answer((enum query_kind)kind, &m, out),
             is_rich_answer(&m));
        break;
    }
}

#define UNDERSTAND(type, decode, dump)                                                                                                     \
    do {                                                                                                                                   \
        type m;                                                                                                                            \
        assert_int_equal(decode, ERR_OK);                                                                                                  \
        dump;                                                                                                                              \
    } while (0)

static void understand(enum what what, unsigned kind, struct span b, struct arena *mem, struct buf *out) {
    switch (what) {
    case PART:
        UNDERSTAND(struct part_body, part_decode(b, mem, &m), dump_body(&m, out));
        break;
    case SPEC:
        UNDERSTAND(struct spec, spec_decode(b, mem, &m), dump_spec(&m, out));
        break;
    case FROM_AGENT:
        UNDERSTAND(struct from_agent, session_decode_from(b, mem, &m), dump_from_agent(&m, out));
        break;
    case TO_AGENT:
        UNDERSTAND(struct to_agent, session_decode_to(b, mem, &m), dump_to_agent(&m, out));
        break;
    case DETAIL:
        UNDERSTAND(struct campaign_detail, query_decode_detail(b, mem, &m),
                   (dump_info(&m.info, out), dump_targets(m.targets, m.n_targets, out)));
        break;
    case QUERY:
        UNDERSTAND(struct query, query_decode((enum query_kind)kind, b, mem, &m), dump_query(&m, out));
        break;
    case ANSWER:
        UNDERSTAND(struct answer, query_decode_answer((enum query_kind)kind, b, mem, &m), dump_answer(&m, out));
        break;
    }
}

static FILE *open_file(const char *name, const char *end, const char *mode) {
    char path[PATH_BYTES];
    snprintf(path, sizeof path, TRAWL_SOURCE_DIR "/tests/golden/wire/1/%s.%s", name, end);
    FILE *f = fopen(path, mode);
    if (!f) fail_msg("%s cannot be opened", path);
    return f;
}

static void write_file(const char *name, const char *end, struct span s) {
    FILE *f = open_file(name, end, "wb");
    assert_int_equal(fwrite(s.p, 1, s.n, f), s.n);
    assert_int_equal(fclose(f), 0);
}

static void read_file(const char *name, const char *end, struct buf *out) {
    FILE *f = open_file(name, end, "rb");
    char *p = buf_reserve(out, FILE_BYTES);
    assert_non_null(p);
    buf_grew(out, fread(p, 1, FILE_BYTES, f));
    assert_int_equal(fclose(f), 0);
}

static void every_message_of_version_1_is_understood_as_it_was(void **state) {
    (void)state;
    struct arena *mem = arena_new(ARENA_BYTES);
    struct random r = {.mem = mem, .max_rows = 12};
    assert_non_null(mem);
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        struct buf bytes, want, got;
        buf_init(&bytes, 0);
        buf_init(&want, 0);
        buf_init(&got, 0);
        if (getenv("BLESS")) {
            gen_seed(&r.gen, i);
            pack(&r, files[i].what, files[i].kind, &bytes);
            write_file(files[i].name, "bin", buf_span(&bytes));
            understand(files[i].what, files[i].kind, buf_span(&bytes), mem, &want);
            write_file(files[i].name, "want", buf_span(&want));
        }
        buf_reset(&bytes);
        buf_reset(&want);
        read_file(files[i].name, "bin", &bytes);
        read_file(files[i].name, "want", &want);
        understand(files[i].what, files[i].kind, buf_span(&bytes), mem, &got);
        if (!span_eq(buf_span(&want), buf_span(&got))) fail_msg("%s\nwant:\n%s\ngot:\n%s", files[i].name, buf_str(&want), buf_str(&got));
        buf_done(&bytes);
        buf_done(&want);
        buf_done(&got);
    }
    arena_free(mem);
}

static void no_recorded_message_is_forgotten(void **state) {
    (void)state;
    size_t recorded = 0;
    DIR *d = opendir(TRAWL_SOURCE_DIR "/tests/golden/wire/1");
    assert_non_null(d);
    for (const struct dirent *e = readdir(d); e; e = readdir(d)) recorded += span_ends(span_str(e->d_name), SPAN_LIT(".bin"));
    closedir(d);
    assert_int_equal(recorded, COUNT_OF(files));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_message_of_version_1_is_understood_as_it_was),
        cmocka_unit_test(no_recorded_message_is_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
