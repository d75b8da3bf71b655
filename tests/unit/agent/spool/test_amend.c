/* What a spool lost, its captures say: damage at every byte, captures given up for newer ones, a crash before the journal's note. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "agent/spool/amend.h"
#include "tests/support/folder.h"

enum { SMALL_HISTS = 30, SMALL_BYTES = 300, LARGE_HISTS = 2000, LARGE_BYTES = 8000 };
static const struct amend_facts runqlat = {.kind = RESULT_HISTOGRAM, .replayed = true};

struct host {
    struct folder dir;
    struct spool *spool;
};

static void open_host(struct host *h, uint64_t cap_bytes) {
    size_t strangers;
    assert_int_equal(spool_open(h->dir.path, cap_bytes, &strangers, &h->spool), ERR_OK);
    assert_int_equal(strangers, 0);
}

/* In memory where there is such a folder: these are thousands of files. */
static void make_host(struct host *h, uint64_t cap_bytes) {
    snprintf(h->dir.path, sizeof h->dir.path, "/dev/shm/trawl-test.XXXXXX");
    if (!mkdtemp(h->dir.path)) folder_make(&h->dir);
    open_host(h, cap_bytes);
}

static void done(struct host *h) {
    spool_close(h->spool);
    folder_remove(&h->dir);
}

/* As after kill -9. */
static void restart(struct host *h, uint64_t cap_bytes) {
    spool_close(h->spool);
    open_host(h, cap_bytes);
}

static struct part_key key_of(unsigned char campaign, uint32_t part) {
    struct part_key k = {.tool = SPAN_LIT("runqlat"), .part = part};
    memset(k.campaign.b, campaign, sizeof k.campaign.b);
    return k;
}

/* Sections make it as many parts as are wanted; 100 events each. */
static struct capture capture_of(struct arena *mem, size_t hists) {
    struct capture c = {.tool = SPAN_LIT("runqlat"), .kind = RESULT_HISTOGRAM};
    struct hist *h = arena_array(mem, hists, sizeof *h);
    for (size_t i = 0; i < hists; i++) {
        struct hist_slot *slot = arena_array(mem, 1, sizeof *slot);
        *slot = (struct hist_slot){.low = 2, .high = 3, .count = 100};
        h[i] = (struct hist){.unit = SPAN_LIT("usecs"), .scale = HIST_LOG2, .slots = slot, .n_slots = 1};
        char *pid = arena_alloc(mem, 16);
        h[i].section[0] = (struct label){SPAN_LIT("pid"), span_of(pid, (size_t)snprintf(pid, 16, "%zu", i))};
        h[i].n_section = 1;
    }
    c.hists = (struct hist_set){.hists = h, .n = hists};
    return c;
}

struct putting {
    struct spool *spool;
    unsigned char campaign;
};

static enum err put_part(void *arg, uint32_t part, struct span body) {
    const struct putting *p = arg;
    const struct part_key k = key_of(p->campaign, part);
    return spool_put(p->spool, &k, body);
}

/* Returns how many parts it made. */
static uint32_t put_capture(struct host *h, unsigned char campaign, size_t hists, size_t part_bytes) {
    AUTO(arena_free) struct arena *mem = arena_new(1 << 20);
    const struct capture c = capture_of(mem, hists);
    struct outcome o = {.coverage = COVERAGE_OK, .flavour = SPAN_LIT("libbpf"), .replayed = true};
    struct putting p = {.spool = h->spool, .campaign = campaign};
    assert_int_equal(part_split(&c, &o, part_bytes, put_part, &p), ERR_OK);
    uint32_t n = 0;
    for (const struct spool_entry *e = spool_first(h->spool); e; e = e->next) n += e->key.campaign.b[0] == campaign;
    return n;
}

/* What the collector would hear of one campaign. */
struct heard {
    size_t parts, damaged, outcomes;
    uint64_t events;
    enum coverage coverage;
    struct ledger ledger;
    uint32_t said_parts;
    bool replayed;
    char reason[LIMIT_REASON_BYTES + 1];
};

static struct heard hear(struct host *h, unsigned char campaign) {
    struct heard t = {0};
    for (struct spool_entry *e = spool_first(h->spool); e; e = e->next) {
        if (e->key.campaign.b[0] != campaign) continue;
        AUTO(arena_free) struct arena *mem = arena_new(LIMIT_PART_ARENA_BYTES);
        struct part_body b;
        struct buf bytes;
        buf_init(&bytes, 0);
        if (spool_read(h->spool, e, &bytes) == ERR_DAMAGED) {
            t.damaged++;
            assert_int_equal(amend_damaged(h->spool, e, runqlat), ERR_OK);
            assert_int_equal(spool_read(h->spool, e, &bytes), ERR_OK);
        }
        assert_int_equal(part_decode(buf_span(&bytes), mem, &b), ERR_OK);
        t.parts++;
        for (size_t i = 0; i < b.hists.n; i++) t.events += hist_total(&b.hists.hists[i]);
        if (b.outcome) {
            t.outcomes++;
            t.coverage = b.outcome->coverage;
            t.ledger = b.outcome->ledger;
            t.said_parts = b.outcome->parts;
            t.replayed = b.outcome->replayed;
            snprintf(t.reason, sizeof t.reason, "%.*s", (int)b.outcome->reason.n, b.outcome->reason.p);
        }
        buf_done(&bytes);
    }
    return t;
}

static void path_of(const struct host *h, unsigned char campaign, uint32_t part, char out[256]) {
    char hex[2 * CAMPAIGN_ID_BYTES + 1];
    const struct part_key k = key_of(campaign, part);
    part_campaign_hex(&k.campaign, hex);
    snprintf(out, 256, "%s/%s.0000000000.%010u.runqlat.part", h->dir.path, hex, part);
}

static size_t read_file(const char *path, char *out, size_t size) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = read(fd, out, size);
    close(fd);
    assert_true(n > 0);
    return (size_t)n;
}

static void write_file(const char *path, const char *bytes, size_t n) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, bytes, n), n);
    close(fd);
}

/* ---- damage ---- */

/* A capture of three parts, one of its files put there as the disk has it now. */
static void hear_with(uint32_t part, const char *bytes, size_t n, uint64_t whole_events) {
    struct host h;
    char path[256];
    make_host(&h, 1 << 20);
    uint32_t parts = put_capture(&h, 7, SMALL_HISTS, SMALL_BYTES);
    assert_int_equal(parts, 3);
    path_of(&h, 7, part, path);
    write_file(path, bytes, n);
    restart(&h, 1 << 20);
    const struct heard t = hear(&h, 7);
    assert_int_equal(t.damaged, 1);
    assert_int_equal(t.parts, 3);
    assert_int_equal(t.outcomes, 1);
    assert_int_equal(t.said_parts, 3);
    assert_int_equal(t.coverage, COVERAGE_PARTIAL);
    assert_true(t.replayed);
    assert_non_null(strstr(t.reason, "damaged on this host's disk"));
    assert_true(t.events < whole_events);
    assert_true(t.ledger.spool == n);
    const struct heard again = hear(&h, 7); /* it is on the disk now */
    assert_int_equal(again.damaged, 0);
    assert_int_equal(again.coverage, COVERAGE_PARTIAL);
    done(&h);
}

static void a_file_cut_at_any_byte_or_with_any_byte_altered_is_told_and_never_believed(void **state) {
    (void)state;
    static char bytes[8192];
    struct host h;
    char path[256];
    make_host(&h, 1 << 20);
    put_capture(&h, 7, SMALL_HISTS, SMALL_BYTES);
    uint64_t events = hear(&h, 7).events;
    assert_int_equal(events, 100 * SMALL_HISTS);
    for (uint32_t part = 1; part < 3; part++) { /* one in the middle, and the last */
        path_of(&h, 7, part, path);
        size_t n = read_file(path, bytes, sizeof bytes);
        for (size_t cut = 0; cut < n; cut++) hear_with(part, bytes, cut, events);
        for (size_t at = 0; at < n; at++) {
            bytes[at] = (char)(bytes[at] ^ (1 << (at % 8)));
            hear_with(part, bytes, n, events);
            bytes[at] = (char)(bytes[at] ^ (1 << (at % 8)));
        }
        bytes[n] = 'x';
        hear_with(part, bytes, n + 1, events);
    }
    done(&h);
}

static void a_part_s_file_under_another_s_name_is_not_believed(void **state) {
    (void)state;
    static char bytes[8192];
    struct host h;
    char path[256];
    make_host(&h, 1 << 20);
    put_capture(&h, 7, SMALL_HISTS, SMALL_BYTES);
    path_of(&h, 7, 0, path);
    size_t n = read_file(path, bytes, sizeof bytes);
    hear_with(1, bytes, n, 100 * SMALL_HISTS);
    done(&h);
}

static void a_capture_of_which_nothing_reads_has_failed(void **state) {
    (void)state;
    struct host h;
    char path[256];
    make_host(&h, 1 << 20);
    assert_int_equal(put_capture(&h, 7, 1, LIMIT_PART_BODY_BYTES), 1);
    path_of(&h, 7, 0, path);
    write_file(path, "?", 1);
    const struct heard t = hear(&h, 7);
    assert_int_equal(t.coverage, COVERAGE_FAILED);
    assert_int_equal(t.said_parts, 1);
    assert_true(t.ledger.spool > 0);
    done(&h);
}

/* ---- making room ---- */

static void when_the_oldest_is_given_up_its_outcome_stays_and_says_so(void **state) {
    (void)state;
    struct host h;
    make_host(&h, 1 << 20);
    put_capture(&h, 1, LARGE_HISTS, LARGE_BYTES);
    uint32_t parts = put_capture(&h, 2, LARGE_HISTS, LARGE_BYTES);
    uint64_t full = spool_bytes(h.spool);
    const struct part_key mine = key_of(3, 0), second = key_of(2, 0);
    assert_true(parts > 2);
    assert_int_equal(spool_remove(h.spool, &second), ERR_OK); /* of the second one something has arrived */
    assert_int_equal(amend_give_up_oldest(h.spool, &mine), ERR_OK);
    struct heard t = hear(&h, 1);
    assert_int_equal(t.coverage, COVERAGE_FAILED);
    assert_non_null(strstr(t.reason, "spool_drop = oldest"));
    assert_int_equal(t.events, 0);
    assert_int_equal(t.parts, t.said_parts);
    assert_true(t.ledger.spool > full / 3 && t.ledger.spool < full);
    assert_true(spool_bytes(h.spool) < 2 * full / 3);
    assert_int_equal(hear(&h, 2).coverage, COVERAGE_OK);
    assert_int_equal(amend_give_up_oldest(h.spool, &mine), ERR_OK);
    t = hear(&h, 2);
    assert_int_equal(t.coverage, COVERAGE_PARTIAL); /* the collector has a part of it */
    assert_int_equal(t.parts, parts - 1);
    assert_int_equal(amend_give_up_oldest(h.spool, &mine), ERR_NOTFOUND); /* outcomes are not given up */
    restart(&h, 1 << 20);
    assert_int_equal(hear(&h, 1).coverage, COVERAGE_FAILED);
    done(&h);
}

static void nobody_is_given_up_for_itself(void **state) {
    (void)state;
    struct host h;
    make_host(&h, 1 << 20);
    put_capture(&h, 1, LARGE_HISTS, LARGE_BYTES);
    const struct part_key mine = key_of(1, 77);
    assert_int_equal(amend_give_up_oldest(h.spool, &mine), ERR_NOTFOUND);
    assert_int_equal(hear(&h, 1).coverage, COVERAGE_OK);
    done(&h);
}

/* ---- crashes ---- */

static void a_capture_is_whole_when_all_of_its_parts_are_there(void **state) {
    bool last = false;
    (void)state;
    struct host h;
    make_host(&h, 1 << 20);
    uint32_t parts = put_capture(&h, 7, SMALL_HISTS, SMALL_BYTES);
    for (uint32_t i = 0; i < parts; i++) {
        const struct part_key k = key_of(7, i);
        assert_true(amend_is_whole(h.spool, &k.campaign, 0, &last));
        struct buf body;
        buf_init(&body, 0);
        struct spool_entry *e = spool_first(h.spool);
        while (e->key.part != i) e = e->next;
        assert_int_equal(spool_read(h.spool, e, &body), ERR_OK);
        assert_int_equal(spool_remove(h.spool, &k), ERR_OK);
        assert_false(amend_is_whole(h.spool, &k.campaign, 0, &last));
        assert_int_equal(spool_put(h.spool, &k, buf_span(&body)), ERR_OK);
        buf_done(&body);
    }
    const struct campaign_id other = key_of(8, 0).campaign;
    assert_false(amend_is_whole(h.spool, &other, 0, &last));
    done(&h);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_cut_at_any_byte_or_with_any_byte_altered_is_told_and_never_believed),
        cmocka_unit_test(a_part_s_file_under_another_s_name_is_not_believed),
        cmocka_unit_test(a_capture_of_which_nothing_reads_has_failed),
        cmocka_unit_test(when_the_oldest_is_given_up_its_outcome_stays_and_says_so),
        cmocka_unit_test(nobody_is_given_up_for_itself),
        cmocka_unit_test(a_capture_is_whole_when_all_of_its_parts_are_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
