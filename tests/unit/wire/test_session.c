/* Orders, what agent and collector say, and questions: names, limits and kinds, on the way in and on the way out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agents.pb-c.h"
#include "common/wire/query.h"
#include "console.pb-c.h"

struct fixture {
    struct arena *mem;
    struct buf bytes;
};

static int setup(void **state) {
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->mem = arena_new(LIMIT_FRAME_ARENA_BYTES);
    assert_non_null(f->mem);
    buf_init(&f->bytes, 0);
    *state = f;
    return 0;
}

static int teardown(void **state) {
    struct fixture *f = *state;
    arena_free(f->mem);
    buf_done(&f->bytes);
    free(f);
    return 0;
}

static struct span packed(struct fixture *f, const ProtobufCMessage *m) {
    size_t n = protobuf_c_message_get_packed_size(m);
    arena_reset(f->mem);
    buf_reset(&f->bytes);
    char *p = buf_reserve(&f->bytes, n);
    assert_non_null(p);
    buf_grew(&f->bytes, protobuf_c_message_pack(m, (uint8_t *)p));
    return buf_span(&f->bytes);
}

static char long_text[70000];

static char *of_length(size_t n) {
    memset(long_text, 'a', sizeof long_text);
    long_text[n] = '\0';
    return long_text;
}

static char fleet_name[] = "prod", tool_name[] = "runqlat";

static void valid_spec(Trawl__Spec *m) {
    static uint8_t campaign[CAMPAIGN_ID_BYTES];
    trawl__spec__init(m);
    m->version = 1;
    m->fleet = fleet_name;
    m->tool = tool_name;
    m->campaign = (ProtobufCBinaryData){CAMPAIGN_ID_BYTES, campaign};
}

static void a_spec_s_names_are_names(void **state) {
    struct fixture *f = *state;
    Trawl__Spec m;
    struct spec s;
    static char bad[][12] = {"", "a b", "a/b", "\xc3\xa4", "a\nb", "\xff", "a=b"};
    valid_spec(&m);
    assert_int_equal(spec_decode(packed(f, &m.base), f->mem, &s), ERR_OK);
    assert_true(span_eq_str(s.fleet, "prod"));
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        m.fleet = bad[i];
        assert_int_equal(spec_decode(packed(f, &m.base), f->mem, &s), ERR_SYNTAX);
        m.fleet = fleet_name;
        m.tool = bad[i];
        assert_int_equal(spec_decode(packed(f, &m.base), f->mem, &s), ERR_SYNTAX);
        m.tool = tool_name;
        m.flavour = bad[i];
        assert_int_equal(spec_decode(packed(f, &m.base), f->mem, &s), i == 0 ? ERR_OK : ERR_SYNTAX);
        m.flavour = tool_name;
    }
    m.tool = of_length(LIMIT_NAME_BYTES);
    assert_int_equal(spec_decode(packed(f, &m.base), f->mem, &s), ERR_OK);
    m.tool = of_length(LIMIT_NAME_BYTES + 1);
    assert_int_equal(spec_decode(packed(f, &m.base), f->mem, &s), ERR_LIMIT);
    m.tool = tool_name;
    m.selector = of_length(LIMIT_SELECTOR_BYTES + 1);
    assert_int_equal(spec_decode(packed(f, &m.base), f->mem, &s), ERR_LIMIT);
    m.selector = of_length(LIMIT_SPEC_BYTES);
    assert_int_equal(spec_decode(packed(f, &m.base), f->mem, &s), ERR_LIMIT);
}

/* protobuf-c would see "prod" where another reader sees more. */
static void a_name_with_a_nul_inside_is_refused(void **state) {
    struct fixture *f = *state;
    struct spec s;
    Trawl__Spec m;
    static char fleet[] = "prod-x";
    valid_spec(&m);
    m.fleet = fleet;
    packed(f, &m.base);
    size_t at = span_find_span(buf_span(&f->bytes), SPAN_LIT("prod-x"));
    assert_true(at < f->bytes.n);
    f->bytes.p[at + 4] = '\0';
    assert_int_equal(spec_decode(buf_span(&f->bytes), f->mem, &s), ERR_SYNTAX);
    f->bytes.p[at + 4] = '\xff'; /* nor is that UTF-8 */
    assert_int_equal(spec_decode(buf_span(&f->bytes), f->mem, &s), ERR_SYNTAX);
}

static void a_campaign_s_id_has_sixteen_bytes(void **state) {
    struct fixture *f = *state;
    Trawl__Spec m;
    struct spec s;
    static uint8_t id[CAMPAIGN_ID_BYTES + 1];
    valid_spec(&m);
    for (size_t n = 0; n <= sizeof id; n++) {
        m.campaign = (ProtobufCBinaryData){n, n ? id : NULL};
        assert_int_equal(spec_decode(packed(f, &m.base), f->mem, &s), n == CAMPAIGN_ID_BYTES ? ERR_OK : ERR_SYNTAX);
    }
}

static void an_order_s_parts_have_their_limits(void **state) {
    struct fixture *f = *state;
    struct span all = span_of(long_text, sizeof long_text);
    struct signed_order good = {span_head(all, LIMIT_SPEC_BYTES), span_head(all, LIMIT_SIGNATURE_BYTES),
                                span_head(all, LIMIT_CERTIFICATES_BYTES), SPAN_NONE};
    struct signed_order back, bad = good;
    of_length(sizeof long_text - 1);
    assert_int_equal(spec_encode_signed(&good, &f->bytes), ERR_OK);
    assert_int_equal(spec_decode_signed(buf_span(&f->bytes), f->mem, &back), ERR_OK);
    assert_true(span_eq(back.certificates, good.certificates));
    bad.spec = span_head(all, LIMIT_SPEC_BYTES + 1);
    assert_int_equal(spec_encode_signed(&bad, &f->bytes), ERR_LIMIT);
    bad = good;
    bad.signature = span_head(all, LIMIT_SIGNATURE_BYTES + 1);
    assert_int_equal(spec_encode_signed(&bad, &f->bytes), ERR_LIMIT);

    Trawl__SignedOrder m;
    trawl__signed_order__init(&m);
    m.certificates = (ProtobufCBinaryData){LIMIT_CERTIFICATES_BYTES + 1, (uint8_t *)long_text};
    assert_int_equal(spec_decode_signed(packed(f, &m.base), f->mem, &back), ERR_LIMIT);
    m.certificates.len = LIMIT_ORDER_BYTES;
    assert_int_equal(spec_decode_signed(packed(f, &m.base), f->mem, &back), ERR_LIMIT);
}

static void an_encoder_refuses_what_the_decoder_would(void **state) {
    struct fixture *f = *state;
    const struct spec good = {.version = 1, .fleet = SPAN_LIT("prod"), .tool = SPAN_LIT("runqlat")};
    struct spec s = good;
    struct spec_param param = {.name = SPAN_LIT("task"), .text = SPAN_LIT("a\0b")};
    assert_int_equal(spec_encode(&s, &f->bytes), ERR_OK);
    size_t n = f->bytes.n;
    s.fleet = SPAN_LIT("");
    assert_int_equal(spec_encode(&s, &f->bytes), ERR_SYNTAX);
    s = good;
    s.tool = SPAN_LIT("run qlat");
    assert_int_equal(spec_encode(&s, &f->bytes), ERR_SYNTAX);
    s = good;
    s.selector = SPAN_LIT("\xff");
    assert_int_equal(spec_encode(&s, &f->bytes), ERR_SYNTAX);
    s = good;
    s.params = &param;
    s.n_params = 1;
    assert_int_equal(spec_encode(&s, &f->bytes), ERR_SYNTAX);
    s.n_params = LIMIT_PARAMS + 1;
    assert_int_equal(spec_encode(&s, &f->bytes), ERR_LIMIT);
    assert_int_equal(f->bytes.n, n); /* as it was */

    struct from_agent from = {.kind = FROM_AGENT_STATE, .state.coverage = COVERAGE_OK};
    assert_int_equal(session_encode_from(&from, &f->bytes), ERR_SYNTAX);
    from = (struct from_agent){.kind = FROM_AGENT_PART, .part.key = {.host = SPAN_LIT("h"), .tool = SPAN_LIT("t"), .part = LIMIT_PARTS}};
    assert_int_equal(session_encode_from(&from, &f->bytes), ERR_LIMIT);
    from.part.key.part = 0;
    from.part.body = span_of(long_text, LIMIT_PART_BYTES + 1);
    assert_int_equal(session_encode_from(&from, &f->bytes), ERR_LIMIT);
    struct to_agent to = {.kind = TO_AGENT_ACK};
    assert_int_equal(session_encode_to(&to, &f->bytes), ERR_SYNTAX); /* no tool */
    assert_int_equal(f->bytes.n, n);
}

static void texts_for_people_are_mended_on_the_way_out(void **state) {
    struct fixture *f = *state;
    struct to_agent back, to = {.kind = TO_AGENT_STOP, .stop.why = SPAN_LIT("a\0b\xff")};
    assert_int_equal(session_encode_to(&to, &f->bytes), ERR_OK);
    assert_int_equal(session_decode_to(buf_span(&f->bytes), f->mem, &back), ERR_OK);
    assert_true(span_eq_str(back.stop.why, "a b\xef\xbf\xbd"));
    to.stop.why = span_of(of_length(LIMIT_REASON_BYTES + 1), LIMIT_REASON_BYTES + 1);
    buf_reset(&f->bytes);
    assert_int_equal(session_encode_to(&to, &f->bytes), ERR_OK);
    assert_int_equal(session_decode_to(buf_span(&f->bytes), f->mem, &back), ERR_OK);
    assert_int_equal(back.stop.why.n, LIMIT_REASON_BYTES);
    assert_true(span_ends(back.stop.why, SPAN_LIT("a\xe2\x80\xa6")));
}

static void a_message_of_no_kind_is_refused(void **state) {
    struct fixture *f = *state;
    struct from_agent from;
    struct to_agent to;
    assert_int_equal(session_decode_from(SPAN_LIT(""), f->mem, &from), ERR_SYNTAX);
    assert_int_equal(session_decode_to(SPAN_LIT(""), f->mem, &to), ERR_SYNTAX);
    assert_int_equal(session_decode_from(SPAN_LIT("\x7a\x00"), f->mem, &from), ERR_SYNTAX); /* a kind of a later version */
    assert_int_equal(session_decode_to(SPAN_LIT("\x7a\x00"), f->mem, &to), ERR_SYNTAX);
    of_length(LIMIT_FRAME_BYTES + 1);
    assert_int_equal(session_decode_from(span_str(long_text), f->mem, &from), ERR_LIMIT);
    assert_int_equal(session_decode_to(span_str(long_text), f->mem, &to), ERR_LIMIT);
}

static void facts_have_their_limits(void **state) {
    struct fixture *f = *state;
    Trawl__FromAgent m;
    Trawl__Facts facts;
    Trawl__LabelText label, *labels[LIMIT_LABELS + 1];
    struct from_agent from;
    static char host[] = "web-1", key[] = "zone", empty[] = "";
    trawl__from_agent__init(&m);
    trawl__facts__init(&facts);
    trawl__label_text__init(&label);
    m.what_case = TRAWL__FROM_AGENT__WHAT_FACTS;
    m.facts = &facts;
    facts.host = host;
    facts.labels = labels;
    facts.n_labels = LIMIT_LABELS;
    label.key = key;
    for (size_t i = 0; i < COUNT_OF(labels); i++) labels[i] = &label;
    assert_int_equal(session_decode_from(packed(f, &m.base), f->mem, &from), ERR_OK);
    facts.n_labels++;
    assert_int_equal(session_decode_from(packed(f, &m.base), f->mem, &from), ERR_LIMIT);
    facts.n_labels = 1;
    label.value = of_length(LIMIT_LABEL_BYTES + 1);
    assert_int_equal(session_decode_from(packed(f, &m.base), f->mem, &from), ERR_LIMIT);
    label.value = empty;
    label.key = empty;
    assert_int_equal(session_decode_from(packed(f, &m.base), f->mem, &from), ERR_SYNTAX);
    static uint8_t later[LIMIT_FACTS_BYTES]; /* a field of a later version */
    ProtobufCMessageUnknownField unknown = {99, PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED, sizeof later, later};
    memcpy(later, "\xfd\xff\x01", 3); /* its length: the rest */
    facts.n_labels = 0;
    facts.base.unknown_fields = &unknown;
    facts.base.n_unknown_fields = 1;
    assert_int_equal(session_decode_from(packed(f, &m.base), f->mem, &from), ERR_LIMIT);
    facts.base.n_unknown_fields = 0;
    assert_int_equal(session_decode_from(packed(f, &m.base), f->mem, &from), ERR_OK);
    facts.host = empty;
    assert_int_equal(session_decode_from(packed(f, &m.base), f->mem, &from), ERR_SYNTAX);
}

static void a_state_is_pending_or_running(void **state) {
    struct fixture *f = *state;
    Trawl__FromAgent m;
    Trawl__OrderState order;
    struct from_agent from;
    static uint8_t id[CAMPAIGN_ID_BYTES];
    trawl__from_agent__init(&m);
    trawl__order_state__init(&order);
    m.what_case = TRAWL__FROM_AGENT__WHAT_STATE;
    m.state = &order;
    order.campaign = (ProtobufCBinaryData){sizeof id, id};
    order.coverage = COVERAGE_RUNNING;
    assert_int_equal(session_decode_from(packed(f, &m.base), f->mem, &from), ERR_OK);
    order.coverage = COVERAGE_OK;
    assert_int_equal(session_decode_from(packed(f, &m.base), f->mem, &from), ERR_SYNTAX);
}

static void questions_and_answers_have_their_kinds(void **state) {
    struct fixture *f = *state;
    struct query q;
    struct answer a = {.n_notes = 0};
    Trawl__TopRequest m;
    trawl__top_request__init(&m);
    m.rank = TOP_P99;
    assert_int_equal(query_decode(QUERY_TOP, packed(f, &m.base), f->mem, &q), ERR_OK);
    assert_int_equal(q.rank, TOP_P99);
    m.rank++;
    assert_int_equal(query_decode(QUERY_TOP, packed(f, &m.base), f->mem, &q), ERR_SYNTAX);
    assert_int_equal(query_decode_answer(QUERY_HOSTS, SPAN_LIT(""), f->mem, &a), ERR_SYNTAX);
    assert_int_equal(query_encode_answer(QUERY_REF, &a, &f->bytes), ERR_SYNTAX);
    q = (struct query){.rank = (enum top_rank)9};
    assert_int_equal(query_encode(QUERY_TOP, &q, &f->bytes), ERR_SYNTAX);
    of_length(LIMIT_REQUEST_BYTES + 1);
    assert_int_equal(query_decode(QUERY_TOP, span_str(long_text), f->mem, &q), ERR_LIMIT);
}

static void an_empty_answer_can_be_used(void **state) {
    struct fixture *f = *state;
    struct answer a;
    assert_int_equal(query_decode_answer(QUERY_STACKS, SPAN_LIT(""), f->mem, &a), ERR_OK);
    assert_int_equal(a.stacks.n_rows, 0);
    assert_int_equal(a.stacks.n_nodes, 1); /* the root */
    assert_int_equal(a.stacks.strings.n, 1);
    assert_int_equal(stacks_total(&a.stacks), 0);
    assert_int_equal(a.info.id.n, 0);
}

static void ids_are_hex_both_ways(void **state) {
    (void)state;
    struct campaign_id id, back;
    char hex[2 * CAMPAIGN_ID_BYTES + 1];
    for (size_t i = 0; i < CAMPAIGN_ID_BYTES; i++) id.b[i] = (unsigned char)(i * 17 + 3);
    part_campaign_hex(&id, hex);
    assert_string_equal(hex, "031425364758697a8b9cadbecfe0f102");
    assert_true(part_campaign_from_hex(span_str(hex), &back));
    assert_memory_equal(&id, &back, sizeof id);
    assert_true(part_campaign_from_hex(SPAN_LIT("ABCDEFABCDEFABCDEFABCDEFABCDEFAB"), &back));
    assert_int_equal(back.b[0], 0xab);
    assert_false(part_campaign_from_hex(SPAN_LIT("ABCDEFABCDEFABCDEFABCDEFABCDEFA"), &back));
    assert_false(part_campaign_from_hex(SPAN_LIT("ABCDEFABCDEFABCDEFABCDEFABCDEFAG"), &back));
    assert_false(part_campaign_from_hex(SPAN_LIT(""), &back));
    assert_int_equal(back.b[0], 0xab);
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_spec_s_names_are_names),
        TEST(a_name_with_a_nul_inside_is_refused),
        TEST(a_campaign_s_id_has_sixteen_bytes),
        TEST(an_order_s_parts_have_their_limits),
        TEST(an_encoder_refuses_what_the_decoder_would),
        TEST(texts_for_people_are_mended_on_the_way_out),
        TEST(a_message_of_no_kind_is_refused),
        TEST(facts_have_their_limits),
        TEST(a_state_is_pending_or_running),
        TEST(questions_and_answers_have_their_kinds),
        TEST(an_empty_answer_can_be_used),
        TEST(ids_are_hex_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
