/* The log of who asked for what: nothing in it may change unseen. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/audit/audit.h"
#include "common/sys/fds.h"
#include "tests/support/ca.h"
#include "tests/support/folder.h"

enum { WHY_BYTES = 512, LINES = 5 };

struct fixture {
    struct ca ca;
    struct trust *fleet;
    struct folder dir;
    struct audit_options opt;
    struct audit *audit;
    struct buf text, checkpoint;
    char cert[CA_PATH_BYTES], key[CA_PATH_BYTES], why[WHY_BYTES];
};

static struct {
    bool broken;
    unsigned syncs;
} disk;

int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);
int __wrap_fdatasync(int fd) {
    disk.syncs++;
    errno = EIO;
    return disk.broken ? -1 : __real_fdatasync(fd);
}

static int make_ca(void **state) {
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    ca_make(&f->ca, "prod");
    ca_collector(&f->ca, "centre");
    snprintf(f->cert, sizeof f->cert, "%s", ca_file(&f->ca, "collectors/centre.pem"));
    snprintf(f->key, sizeof f->key, "%s", ca_file(&f->ca, "collectors/centre.key"));
    if (sign_trust_load(ca_file(&f->ca, "fleet-ca.pem"), NULL, f->why, sizeof f->why, &f->fleet)) fail_msg("%s", f->why);
    *state = f;
    return 0;
}

static int drop_ca(void **state) {
    struct fixture *f = *state;
    sign_trust_free(f->fleet);
    ca_done(&f->ca);
    free(f);
    return 0;
}

static void open_log(struct fixture *f) { assert_int_equal(audit_open(&f->opt, &f->audit), ERR_OK); }

static void close_log(struct fixture *f) {
    audit_close(f->audit);
    f->audit = NULL;
}

static int setup(void **state) {
    struct fixture *f = *state;
    folder_make(&f->dir);
    f->opt = (struct audit_options){.dir = f->dir.path, .name = "audit.log", .cert = f->cert, .key = f->key};
    buf_init(&f->text, 0);
    buf_init(&f->checkpoint, 0);
    open_log(f);
    return 0;
}

static int teardown(void **state) {
    struct fixture *f = *state;
    audit_close(f->audit);
    f->audit = NULL;
    buf_done(&f->text);
    buf_done(&f->checkpoint);
    folder_remove(&f->dir);
    return 0;
}

static void say(struct fixture *f, const char *event) {
    const struct audit_record r = {
        .event = event, .who = SPAN_LIT("ann"), .authority = SPAN_LIT("runner"), .what = SPAN_LIT("runqlat"), .hosts = 3};
    assert_int_equal(audit_add(f->audit, &r), ERR_OK);
}

static const char *path_of(const struct fixture *f, const char *name) {
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", f->dir.path, name);
    return path;
}

static void read_log(struct fixture *f) {
    buf_reset(&f->text);
    buf_reset(&f->checkpoint);
    assert_int_equal(fds_read_file(path_of(f, "audit.log"), &f->text), ERR_OK);
    assert_int_equal(fds_read_file(path_of(f, "audit.log.checkpoint"), &f->checkpoint), ERR_OK);
}

static void a_log_of_some_lines(struct fixture *f) {
    for (int i = 0; i < LINES; i++) say(f, "campaign.started");
    assert_int_equal(audit_checkpoint(f->audit, f->why, sizeof f->why), ERR_OK);
    read_log(f);
}

static enum err verify(struct fixture *f, struct span text, struct span checkpoint) {
    struct audit_checkpoint p;
    char signer[SIGN_URI_BYTES];
    f->why[0] = '\0';
    if (audit_check_read(checkpoint, &p)) return ERR_SYNTAX;
    struct audit_check c = {.whole = true, .checkpoint = &p};
    enum err e = audit_check_lines(&c, text, f->why, sizeof f->why);
    if (!e) e = audit_check_end(&c, f->fleet, signer, f->why, sizeof f->why);
    if (!e) assert_string_equal(signer, "spiffe://prod/collector/centre");
    return e;
}

static void what_was_written_verifies(void **state) {
    struct fixture *f = *state;
    a_log_of_some_lines(f);
    if (verify(f, buf_span(&f->text), buf_span(&f->checkpoint))) fail_msg("%s", f->why);
    assert_true(span_starts(buf_span(&f->text), SPAN_LIT("{\"n\":1,\"time\":\"")));
    say(f, "campaign.stopped"); /* not covered yet, and that is no damage */
    close_log(f);
    open_log(f); /* the chain goes on */
    say(f, "campaign.started");
    read_log(f);
    if (verify(f, buf_span(&f->text), buf_span(&f->checkpoint))) fail_msg("%s", f->why);
}

static void no_bit_of_a_log_may_flip(void **state) {
    struct fixture *f = *state;
    a_log_of_some_lines(f);
    for (size_t i = 0; i < f->text.n; i++)
        for (unsigned bit = 0; bit < 8; bit++) {
            f->text.p[i] = (char)(f->text.p[i] ^ 1 << bit);
            struct audit_check c = {.whole = true}; /* the chain alone finds it */
            if (audit_check_lines(&c, buf_span(&f->text), f->why, sizeof f->why) == ERR_OK) fail_msg("bit %u of byte %zu may flip", bit, i);
            f->text.p[i] = (char)(f->text.p[i] ^ 1 << bit);
        }
}

static void no_bit_of_a_checkpoint_may_flip(void **state) {
    struct fixture *f = *state;
    a_log_of_some_lines(f);
    struct span certificates;
    struct audit_checkpoint p;
    assert_int_equal(audit_check_read(buf_span(&f->checkpoint), &p), ERR_OK);
    certificates = p.certificates;
    for (size_t i = 0; f->checkpoint.p + i < certificates.p + 400; i++) {
        f->checkpoint.p[i] ^= 1;
        if (verify(f, buf_span(&f->text), buf_span(&f->checkpoint)) == ERR_OK) fail_msg("byte %zu may change", i);
        f->checkpoint.p[i] ^= 1;
    }
}

static void no_line_may_be_taken_out_or_moved(void **state) {
    struct fixture *f = *state;
    a_log_of_some_lines(f);
    struct span rest = buf_span(&f->text), line;
    for (int i = 0; i < LINES; i++) {
        struct buf without;
        size_t at = f->text.n - rest.n;
        assert_true(span_line(&rest, &line));
        buf_init(&without, 0);
        buf_add(&without, span_head(buf_span(&f->text), at));
        buf_add(&without, rest);
        assert_int_equal(verify(f, buf_span(&without), buf_span(&f->checkpoint)), ERR_DAMAGED); /* the last one too: the checkpoint */
        buf_add(&without, line);                                                                /* at the end instead */
        buf_add_char(&without, '\n');
        if (i < LINES - 1) assert_int_equal(verify(f, buf_span(&without), buf_span(&f->checkpoint)), ERR_DAMAGED);
        buf_done(&without);
    }
    for (size_t n = 0; n < f->text.n; n++)
        assert_int_equal(verify(f, span_head(buf_span(&f->text), n), buf_span(&f->checkpoint)), ERR_DAMAGED);
}

static void a_log_that_was_made_anew_does_not_fit_the_checkpoint(void **state) {
    struct fixture *f = *state;
    a_log_of_some_lines(f);
    struct buf other;
    char hash[AUDIT_HASH_HEX + 1], prev[AUDIT_HASH_HEX + 1];
    memset(prev, '0', AUDIT_HASH_HEX);
    prev[AUDIT_HASH_HEX] = '\0';
    buf_init(&other, 0);
    for (uint64_t n = 1; n <= LINES; n++) {
        assert_int_equal(audit_line_write(&(struct audit_record){.event = "nothing.happened"}, n, 0, prev, &other, hash), ERR_OK);
        memcpy(prev, hash, sizeof prev);
    }
    assert_int_equal(verify(f, buf_span(&other), buf_span(&f->checkpoint)), ERR_DAMAGED);
    assert_non_null(strstr(f->why, "made anew"));
    /* A checkpoint of somebody whom the fleet's CA does not know is none. */
    ca_operator(&f->ca, "eve");
    struct signer *eve = NULL;
    struct buf forged;
    assert_int_equal(sign_load(ca_file(&f->ca, "operators/eve.pem"), ca_file(&f->ca, "operators/eve.key"), f->why, sizeof f->why, &eve),
                     ERR_OK);
    buf_init(&forged, 0);
    assert_int_equal(audit_check_write(LINES, hash, 1790000000000, eve, &forged), ERR_OK);
    assert_int_not_equal(verify(f, buf_span(&other), buf_span(&forged)), ERR_OK);
    sign_free(eve);
    buf_done(&forged);
    buf_done(&other);
}

static void what_a_crash_cut_short_is_said(void **state) {
    struct fixture *f = *state;
    a_log_of_some_lines(f);
    close_log(f);
    assert_int_equal(truncate(path_of(f, "audit.log"), (off_t)f->text.n - 3), 0);
    open_log(f);
    assert_int_equal(audit_checkpoint(f->audit, f->why, sizeof f->why), ERR_OK);
    read_log(f);
    assert_true(span_find_span(buf_span(&f->text), SPAN_LIT("audit.torn")) < f->text.n);
    assert_true(span_find_span(buf_span(&f->text), SPAN_LIT("audit.tampered")) < f->text.n); /* the checkpoint had covered it */
    if (verify(f, buf_span(&f->text), buf_span(&f->checkpoint))) fail_msg("%s", f->why);
}

static void hostile_text_cannot_forge_a_line_or_drive_a_terminal(void **state) {
    struct fixture *f = *state;
    const struct audit_record r = {
        .event = "order.refused", .who = SPAN_LIT("a\"}\n{\"n\":9"), .why = SPAN_LIT("\033[2J<b>&\xc2\x9b\xff\xc3\xa4\177")};
    assert_int_equal(audit_add(f->audit, &r), ERR_OK);
    assert_int_equal(audit_checkpoint(f->audit, f->why, sizeof f->why), ERR_OK);
    read_log(f);
    if (verify(f, buf_span(&f->text), buf_span(&f->checkpoint))) fail_msg("%s", f->why);
    assert_int_equal(span_find(buf_span(&f->text), '\n'), f->text.n - 1);
    for (size_t i = 0; i < f->text.n - 1; i++) assert_true((unsigned char)f->text.p[i] >= 0x20 && !strchr("<>&\177", f->text.p[i]));
    assert_true(span_find_span(buf_span(&f->text), SPAN_LIT("\\u001b[2J\\u003cb\\u003e\\u0026\\u009b\\ufffd\xc3\xa4\\u007f")) < f->text.n);
}

static void rotate_from_now_on(struct fixture *f, uint64_t max_bytes, unsigned keep) {
    close_log(f);
    f->opt.max_bytes = max_bytes;
    f->opt.keep = keep;
    open_log(f);
}

static void rotation_keeps_the_chain(void **state) {
    struct fixture *f = *state;
    rotate_from_now_on(f, 1200, 2);
    for (int i = 0; i < 20; i++) say(f, "order.taken");
    assert_int_equal(audit_checkpoint(f->audit, f->why, sizeof f->why), ERR_OK);
    assert_int_equal(folder_count(&f->dir), 4); /* three files and the checkpoint */
    struct audit_checkpoint p;
    read_log(f);
    assert_int_equal(audit_check_read(buf_span(&f->checkpoint), &p), ERR_OK);
    struct audit_check c = {.checkpoint = &p};
    static const char *const names[] = {"audit.log.2", "audit.log.1", "audit.log"};
    char signer[SIGN_URI_BYTES];
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        buf_reset(&f->text);
        assert_int_equal(fds_read_file(path_of(f, names[i]), &f->text), ERR_OK);
        if (audit_check_lines(&c, buf_span(&f->text), f->why, sizeof f->why)) fail_msg("%s: %s", names[i], f->why);
    }
    assert_int_equal(c.last, 20);
    assert_int_equal(audit_check_end(&c, f->fleet, signer, f->why, sizeof f->why), ERR_OK);
    struct audit_check gap = {.checkpoint = &p}; /* the file in the middle is missing */
    buf_reset(&f->text);
    assert_int_equal(fds_read_file(path_of(f, names[0]), &f->text), ERR_OK);
    assert_int_equal(audit_check_lines(&gap, buf_span(&f->text), f->why, sizeof f->why), ERR_OK);
    buf_reset(&f->text);
    assert_int_equal(fds_read_file(path_of(f, names[2]), &f->text), ERR_OK);
    assert_int_equal(audit_check_lines(&gap, buf_span(&f->text), f->why, sizeof f->why), ERR_DAMAGED);
}

static void a_flood_of_strangers_is_counted_not_kept(void **state) {
    struct fixture *f = *state;
    for (int i = 0; i < 3 * AUDIT_LIMITED_PER_MINUTE; i++)
        assert_int_equal(audit_add_limited(f->audit, &(struct audit_record){.event = "agent.refused"}), ERR_OK);
    assert_int_equal(audit_checkpoint(f->audit, f->why, sizeof f->why), ERR_OK);
    read_log(f);
    struct audit_checkpoint p;
    assert_int_equal(audit_check_read(buf_span(&f->checkpoint), &p), ERR_OK);
    assert_in_range(p.n, AUDIT_LIMITED_PER_MINUTE, 2 * AUDIT_LIMITED_PER_MINUTE + 1); /* a minute may have ended in between */
}

static void a_log_is_read_in_pieces_of_whole_lines(void **state) {
    struct fixture *f = *state;
    a_log_of_some_lines(f);
    struct buf all;
    uint64_t offset = 0, next = 0;
    buf_init(&all, 0);
    for (;;) {
        assert_int_equal(audit_read(f->audit, offset, 700, &all, &next), ERR_OK);
        if (next == offset) break;
        offset = next;
    }
    assert_true(span_eq(buf_span(&all), buf_span(&f->text)));
    assert_int_equal(audit_read(f->audit, UINT64_MAX, 700, &all, &next), ERR_OK);
    assert_true(next == UINT64_MAX);
    buf_done(&all);
}

/* ---- put now, durable later ---- */
static const struct audit_record one = {.event = "campaign.started"};

static uint64_t lines_in_log(struct fixture *f) {
    uint64_t n = 0;
    buf_reset(&f->text);
    assert_int_equal(fds_read_file(path_of(f, "audit.log"), &f->text), ERR_OK);
    for (size_t i = 0; i < f->text.n; i++) n += f->text.p[i] == '\n';
    return n;
}

static bool log_has(struct fixture *f, const char *text) {
    lines_in_log(f);
    return span_find_span(buf_span(&f->text), span_str(text)) < f->text.n;
}

static void many_records_become_durable_at_once(void **state) {
    struct fixture *f = *state;
    disk.syncs = 0;
    for (int i = 0; i < 5; i++) assert_int_equal(audit_put(f->audit, &one), ERR_OK);
    assert_int_equal(disk.syncs, 0);
    assert_int_equal(audit_sync(f->audit), ERR_OK);
    assert_int_equal(audit_sync(f->audit), ERR_OK); /* there is nothing new */
    assert_int_equal(disk.syncs, 1);
    assert_int_equal(audit_put(f->audit, &one), ERR_OK);
    assert_int_equal(audit_checkpoint(f->audit, f->why, sizeof f->why), ERR_OK); /* signs only what is durable */
    assert_int_equal(disk.syncs, 2);
    read_log(f);
    assert_int_equal(verify(f, buf_span(&f->text), buf_span(&f->checkpoint)), ERR_OK);
}

static void what_cannot_be_made_durable_is_taken_back_and_said(void **state) {
    struct fixture *f = *state;
    assert_int_equal(audit_add(f->audit, &one), ERR_OK);
    for (int i = 0; i < 3; i++) assert_int_equal(audit_put(f->audit, &one), ERR_OK);
    disk.broken = true;
    assert_int_equal(audit_sync(f->audit), ERR_SYS);
    assert_int_equal(lines_in_log(f), 1);
    disk.broken = false;
    assert_int_equal(audit_sync(f->audit), ERR_OK);
    assert_int_equal(audit_put(f->audit, &one), ERR_OK);
    assert_int_equal(audit_checkpoint(f->audit, f->why, sizeof f->why), ERR_OK);
    assert_true(log_has(f, "audit.missing"));
    assert_int_equal(lines_in_log(f), 3);
    read_log(f);
    assert_int_equal(verify(f, buf_span(&f->text), buf_span(&f->checkpoint)), ERR_OK);
}

/* audit_add makes durable what others have put; when it cannot, they hear of it from their own audit_sync. */
static void who_has_put_hears_that_another_s_record_took_it_back(void **state) {
    struct fixture *f = *state;
    assert_int_equal(audit_put(f->audit, &one), ERR_OK);
    disk.broken = true;
    assert_int_equal(audit_add(f->audit, &one), ERR_SYS);
    disk.broken = false;
    assert_int_equal(audit_sync(f->audit), ERR_SYS);
    assert_int_equal(audit_sync(f->audit), ERR_OK);
    disk.broken = true;
    assert_int_equal(audit_add(f->audit, &one), ERR_SYS); /* nobody else's was there */
    disk.broken = false;
    assert_int_equal(audit_sync(f->audit), ERR_OK);
    assert_int_equal(audit_put(f->audit, &one), ERR_OK);
    assert_int_equal(audit_add(f->audit, &one), ERR_OK);
    assert_int_equal(audit_sync(f->audit), ERR_OK);
}

static void a_log_is_rotated_with_records_that_are_not_durable_yet(void **state) {
    struct fixture *f = *state;
    rotate_from_now_on(f, 1200, 3);
    for (int i = 0; i < 12; i++) assert_int_equal(audit_put(f->audit, &one), ERR_OK);
    assert_in_range(lines_in_log(f), 1, 11); /* the others were rotated away */
    disk.broken = true;
    assert_int_equal(audit_sync(f->audit), ERR_SYS); /* of the newest file alone */
    assert_int_equal(lines_in_log(f), 0);
    disk.broken = false;
    assert_int_equal(audit_put(f->audit, &one), ERR_OK);
    assert_int_equal(audit_sync(f->audit), ERR_OK);
    close_log(f);
    open_log(f);
    assert_false(log_has(f, "audit.torn"));
    assert_true(log_has(f, "audit.missing"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(what_was_written_verifies),
        TEST(no_bit_of_a_log_may_flip),
        TEST(no_bit_of_a_checkpoint_may_flip),
        TEST(no_line_may_be_taken_out_or_moved),
        TEST(a_log_that_was_made_anew_does_not_fit_the_checkpoint),
        TEST(what_a_crash_cut_short_is_said),
        TEST(hostile_text_cannot_forge_a_line_or_drive_a_terminal),
        TEST(rotation_keeps_the_chain),
        TEST(a_flood_of_strangers_is_counted_not_kept),
        TEST(a_log_is_read_in_pieces_of_whole_lines),
        TEST(many_records_become_durable_at_once),
        TEST(what_cannot_be_made_durable_is_taken_back_and_said),
        TEST(who_has_put_hears_that_another_s_record_took_it_back),
        TEST(a_log_is_rotated_with_records_that_are_not_durable_yet),
    };
    return cmocka_run_group_tests_name("audit", tests, make_ca, drop_ca);
}
