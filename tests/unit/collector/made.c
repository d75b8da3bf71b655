#include "tests/unit/collector/made.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct campaign_id made_id(unsigned char n) {
    struct campaign_id id = {{0}};
    memset(id.b, n, sizeof id.b);
    return id;
}

struct campaign_now made_at(unsigned second) {
    return (struct campaign_now){.mono_ns = (1000 + (uint64_t)second) * NS_PER_S, .wall_ns = ((uint64_t)MADE_WALL_S + second) * NS_PER_S};
}

static struct span to_heap(struct buf *b) {
    assert_int_equal(buf_failed(b), ERR_OK);
    char *p = malloc(b->n + 1);
    assert_non_null(p);
    memcpy(p, buf_span(b).p, b->n);
    struct span s = span_of(p, b->n);
    buf_done(b);
    return s;
}

void made_free(struct span s) {
    char *p = NULL;
    memcpy(&p, &s.p, sizeof p);
    free(p);
}

struct spec made_spec(struct campaign_id id, const char *tool) {
    return (struct spec){.version = SPEC_VERSION,
                         .fleet = SPAN_LIT("test"),
                         .campaign = id,
                         .tool = span_str(tool),
                         .flavour = SPAN_LIT("any"),
                         .duration_s = MADE_SECONDS,
                         .selector = SPAN_LIT("all"),
                         .issued_wall_ms = (uint64_t)MADE_WALL_S * 1000,
                         .expires_wall_ms = ((uint64_t)MADE_WALL_S + MADE_EXPIRY_S) * 1000};
}

struct span made_order_of(const struct spec *s) {
    struct buf spec, order;
    buf_init(&spec, 0);
    buf_init(&order, 0);
    assert_int_equal(spec_encode(s, &spec), ERR_OK);
    const struct signed_order so = {.spec = buf_span(&spec), .signature = SPAN_LIT("sig"), .certificates = SPAN_LIT("\0\0\0\1x")};
    assert_int_equal(spec_encode_signed(&so, &order), ERR_OK);
    buf_done(&spec);
    return to_heap(&order);
}

struct span made_order(struct campaign_id id, const char *tool) {
    const struct spec s = made_spec(id, tool);
    return made_order_of(&s);
}

struct campaign *made_campaign(struct campaign_id id, const char *tool, const struct span *hosts, size_t n) {
    struct campaign *c = NULL;
    struct span order = made_order(id, tool);
    const struct campaign_start start = {.id = id,
                                         .signed_order = order,
                                         .operator_name = SPAN_LIT("ada"),
                                         .created_wall_ns = made_at(0).wall_ns,
                                         .hosts = hosts,
                                         .n_hosts = n,
                                         .now = made_at(0)};
    assert_int_equal(campaign_new(&start, &c), ERR_OK);
    made_free(order);
    return c;
}

static struct span encode(struct part_body *body, const struct outcome *o) {
    struct outcome copy;
    struct buf out;
    buf_init(&out, 0);
    if (o) {
        copy = *o;
        body->outcome = &copy;
    }
    assert_int_equal(part_encode(body, &out), ERR_OK);
    return to_heap(&out);
}

struct span made_hist(const char *unit, uint64_t low, uint64_t count, const struct outcome *o) {
    struct hist_slot slot = {.low = low, .high = 2 * low - 1, .count = count};
    struct hist h = {.unit = span_str(unit), .scale = HIST_LOG2, .slots = &slot, .n_slots = 1, .interval = SPAN_LIT("")};
    struct part_body body = {.kind = RESULT_HISTOGRAM, .hists = {.hists = &h, .n = 1}};
    return encode(&body, o);
}

struct span made_events(const char *const *comms, const int64_t *pids, const int64_t *latencies, size_t n, const struct outcome *o) {
    struct arena *mem = arena_new(LIMIT_PART_ARENA_BYTES);
    assert_non_null(mem);
    const struct column columns[] = {{.name = SPAN_LIT("PID"), .unit = SPAN_LIT(""), .type = COLUMN_INT},
                                     {.name = SPAN_LIT("COMM"), .unit = SPAN_LIT(""), .type = COLUMN_TEXT},
                                     {.name = SPAN_LIT("LAT(ms)"), .unit = SPAN_LIT("ms"), .type = COLUMN_DECIMAL, .decimals = 2}};
    struct part_body body = {.kind = RESULT_EVENTS};
    assert_int_equal(events_init(&body.events, columns, 3, mem), ERR_OK);
    for (size_t i = 0; i < n; i++) {
        size_t row = 0;
        assert_int_equal(events_row(&body.events, mem, &row), ERR_OK);
        body.events.columns[0].number[row] = pids[i];
        assert_int_equal(strings_add(&body.events.strings, span_str(comms[i]), &body.events.columns[1].text[row]), ERR_OK);
        body.events.columns[2].number[row] = latencies[i];
    }
    struct span s = encode(&body, o);
    arena_free(mem);
    return s;
}

struct span made_stacks(const char *leaf, uint64_t count, const struct outcome *o) {
    struct arena *mem = arena_new(LIMIT_PART_ARENA_BYTES);
    assert_non_null(mem);
    struct part_body body = {.kind = RESULT_STACKS};
    uint32_t main_node = 0, leaf_node = 0;
    assert_int_equal(stacks_init(&body.stacks, SPAN_LIT("usecs"), mem), ERR_OK);
    assert_int_equal(stacks_node(&body.stacks, STACKS_ROOT, SPAN_LIT("main"), FRAME_USER, &main_node), ERR_OK);
    assert_int_equal(stacks_node(&body.stacks, main_node, span_str(leaf), FRAME_KERNEL, &leaf_node), ERR_OK);
    assert_int_equal(stacks_add(&body.stacks, leaf_node, SPAN_LIT("postgres"), 7, count), ERR_OK);
    struct span s = encode(&body, o);
    arena_free(mem);
    return s;
}

struct span made_outcome(const struct outcome *o) {
    struct part_body body = {.kind = RESULT_NONE};
    return encode(&body, o);
}

struct outcome made_ok(uint32_t parts) {
    return (struct outcome){.coverage = COVERAGE_OK,
                            .reason = SPAN_LIT(""),
                            .kind = RESULT_HISTOGRAM,
                            .flavour = SPAN_LIT("libbpf"),
                            .parts = parts,
                            .leftover = SPAN_LIT("")};
}

void made_dir(struct made_dir *d) {
    snprintf(d->path, sizeof d->path, "/tmp/trawl-test-XXXXXX");
    assert_non_null(mkdtemp(d->path));
    snprintf(d->store, sizeof d->store, "%s/s.db", d->path);
}

void made_dir_done(struct made_dir *d) {
    static const char *const tails[] = {"", "-wal", "-shm", ".lock"};
    for (size_t i = 0; i < COUNT_OF(tails); i++) {
        char name[160];
        snprintf(name, sizeof name, "%s%s", d->store, tails[i]);
        unlink(name);
    }
    assert_int_equal(rmdir(d->path), 0);
}

struct store *made_store(const struct made_dir *d, enum store_mode mode) {
    struct store *s = NULL;
    char why[256] = "";
    enum err e = store_open(d->store, mode, why, sizeof why, &s);
    if (e != ERR_OK) print_message("store: %s\n", why);
    assert_int_equal(e, ERR_OK);
    return s;
}

void made_put_campaign(struct store *s, struct campaign_id id, const char *tool, const struct span *hosts, size_t n) {
    struct span order = made_order(id, tool);
    struct store_op op = {.kind = STORE_PUT_CAMPAIGN,
                          .campaign = {.row = {.id = id,
                                               .signed_order = order,
                                               .operator_name = SPAN_LIT("ada"),
                                               .tool = span_str(tool),
                                               .created_wall_ns = made_at(id.b[0]).wall_ns},
                                       .hosts = hosts,
                                       .n_hosts = n}};
    struct store_op *ops = &op;
    assert_int_equal(store_apply(s, &ops, 1), ERR_OK);
    assert_int_equal(op.result, STORE_DONE);
    made_free(order);
}

enum store_result made_put_part(struct store *s, struct campaign_id id, const char *host, const char *tool, uint32_t part,
                                struct span body) {
    struct store_op op = {.kind = STORE_PUT_PART,
                          .part = {.key = {.campaign = id, .host = span_str(host), .tool = span_str(tool), .part = part}, .body = body}};
    struct store_op *ops = &op;
    assert_int_equal(store_apply(s, &ops, 1), ERR_OK);
    return op.result;
}
