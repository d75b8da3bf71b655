#include "tests/unit/agent/daemon/stage.h"

#include <poll.h>
#include <sys/socket.h>

#include "common/base/clock.h"
#include "common/sys/fds.h"

enum { SPOOL_BYTES = 1 << 20, EXPIRY_MS = 3600 * 1000, PATIENCE_MS = 10000 };

/* ---- certificates ---- */

static struct signer *operator_of(struct ca *ca, const char *name) {
    char cert[64], key[64], why[512] = "";
    struct signer *s = NULL;
    snprintf(cert, sizeof cert, "operators/%s.pem", name);
    snprintf(key, sizeof key, "operators/%s.key", name);
    ca_operator(ca, name);
    if (sign_load(ca_file(ca, cert), ca_file(ca, key), why, sizeof why, &s)) fail_msg("%s", why);
    return s;
}

int stage_group_setup(void **state) {
    struct stage *s = calloc(1, sizeof *s);
    char why[512] = "";
    if (!s) return -1;
    ca_make(&s->ca, "prod");
    ca_make(&s->other_ca, "prod");
    s->ann = operator_of(&s->ca, "ann");
    s->mallory = operator_of(&s->other_ca, "mallory");
    if (sign_trust_load(ca_file(&s->ca, "operators-ca.pem"), NULL, why, sizeof why, &s->operators)) fail_msg("%s", why);
    *state = s;
    return 0;
}

int stage_group_teardown(void **state) {
    struct stage *s = *state;
    sign_free(s->ann);
    sign_free(s->mallory);
    sign_trust_free(s->operators);
    ca_done(&s->ca);
    ca_done(&s->other_ca);
    free(s);
    return 0;
}

/* ---- a host ---- */

static size_t open_fds(void) {
    const struct folder self = {.path = "/proc/self/fd"};
    return folder_count(&self);
}

static void on_report(struct channel *c, const struct report *r, int out_fd, int err_fd) {
    captures_report(container_of(c, struct stage, runner)->captures, r, out_fd, err_fd);
}

static void on_gone(struct channel *c) { container_of(c, struct stage, runner)->gone++; }

/* Every libbpf flavour runs here, nothing else does. */
static void fill_capabilities(struct capabilities *all) {
    *all = (struct capabilities){.n = 0};
    for (int id = TOOL_NONE + 1; id < TOOL__COUNT; id++) {
        const struct tool *t = catalog_tool((enum tool_id)id);
        for (size_t i = 0; i < t->n_flavours; i++) {
            bool runs = t->flavours[i].id == FLAVOUR_LIBBPF;
            all->rows[all->n++] = (struct capability){.tool = t->id, .flavour = t->flavours[i].id, .known = true, .runnable = runs};
            if (!runs) snprintf(all->rows[all->n - 1].why, sizeof all->rows[0].why, "its binary is not installed here");
        }
    }
    all->n_known = all->n;
}

static void open_captures(struct stage *s) {
    static const struct label labels[] = {{SPAN_LIT("role"), SPAN_LIT("web")}};
    size_t strangers = 0, damaged = 0;
    assert_int_equal(spool_open(s->dir.path, s->policy.spool_bytes, &strangers, &s->spool), ERR_OK);
    assert_int_equal(journal_open(s->dir.path, &damaged, &s->journal), ERR_OK);
    bool sound = false;
    assert_int_equal(locked_open(&s->locked, s->dir.path, &sound), ERR_OK);
    assert_true(sound);
    const struct captures_options opt = {.loop = s->loop,
                                         .policy = &s->policy,
                                         .host = "web-1",
                                         .labels = labels,
                                         .n_labels = COUNT_OF(labels),
                                         .operators = s->operators,
                                         .capabilities = &s->capabilities,
                                         .runner = &s->runner,
                                         .spool = s->spool,
                                         .journal = s->journal,
                                         .locked = &s->locked,
                                         .deeds = &s->deeds};
    assert_int_equal(captures_new(&opt, &s->captures), ERR_OK);
}

static void close_captures(struct stage *s) {
    captures_free(s->captures);
    locked_close(&s->locked);
    journal_close(s->journal);
    spool_close(s->spool);
}

int stage_setup(void **state) {
    static char fleet[] = "prod", none[] = "", newest[] = "newest";
    struct stage *s = *state;
    int pair[2];
    s->fds = open_fds();
    folder_make(&s->dir);
    s->policy = (struct policy){
        .fleet = fleet, .tool_dir = none, .spool_bytes = SPOOL_BYTES, .spool_drop = newest, .stdout_bytes = 1 << 20, .stderr_bytes = 4096};
    s->loop = loop_new();
    assert_non_null(s->loop);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    s->agent_fd = pair[0];
    s->sock = pair[1];
    s->gone = 0;
    s->runner = (struct channel){.report = on_report, .gone = on_gone, .watch.fd = -1};
    assert_int_equal(channel_start(&s->runner, s->loop, pair[0]), ERR_OK);
    fill_capabilities(&s->capabilities);
    open_captures(s);
    return 0;
}

int stage_teardown(void **state) {
    struct stage *s = *state;
    close_captures(s);
    close(s->agent_fd);
    if (s->sock >= 0) close(s->sock);
    loop_free(s->loop);
    folder_remove(&s->dir);
    size_t left = open_fds();
    if (left != s->fds) fprintf(stderr, "%zu descriptors before the test, %zu after it\n", s->fds, left);
    return left == s->fds ? 0 : -1;
}

void stage_restart(struct stage *s) {
    close_captures(s);
    open_captures(s);
}

void stage_spool_cap(struct stage *s, uint64_t bytes) {
    s->policy.spool_bytes = bytes;
    stage_restart(s);
}

static void order_path(const struct stage *s, unsigned char campaign, char path[256]) {
    char hex[2 * CAMPAIGN_ID_BYTES + 1];
    const struct campaign_id id = stage_id(campaign);
    part_campaign_hex(&id, hex);
    snprintf(path, 256, "%s/%s.order", s->dir.path, hex);
}

void stage_unnote(struct stage *s, unsigned char campaign) {
    char path[256];
    order_path(s, campaign, path);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fprintf(f, "taken runqlat %llu 0 0\n", (unsigned long long)UINT64_MAX);
    fclose(f);
}

void stage_age(struct stage *s, unsigned char campaign, unsigned seconds) {
    char path[256];
    const struct campaign_id id = stage_id(campaign);
    const struct journal_entry *e = journal_find(s->journal, &id);
    assert_non_null(e);
    order_path(s, campaign, path);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fprintf(f, "taken %s %llu %u %llu\n", e->tool, (unsigned long long)e->expires_wall_ms, e->round,
            (unsigned long long)e->base_wall_ms - 1000ULL * seconds);
    assert_int_equal(fwrite(buf_span(&e->order).p, 1, e->order.n, f), e->order.n);
    fclose(f);
}

void stage_damage(struct stage *s) {
    DIR *d = opendir(s->dir.path);
    for (struct dirent *e; (e = readdir(d));) {
        if (!span_ends(span_str(e->d_name), SPAN_LIT(".part"))) continue;
        int fd = openat(dirfd(d), e->d_name, O_WRONLY | O_CLOEXEC);
        assert_int_equal(pwrite(fd, "?", 1, 30), 1);
        close(fd);
    }
    closedir(d);
}

/* ---- orders ---- */

struct campaign_id stage_id(unsigned char n) {
    struct campaign_id id;
    memset(id.b, n, sizeof id.b);
    return id;
}

struct spec stage_spec(unsigned char campaign) {
    uint64_t now_ms = clock_wall_ns() / NS_PER_MS;
    return (struct spec){.version = SPEC_VERSION,
                         .fleet = SPAN_LIT("prod"),
                         .campaign = stage_id(campaign),
                         .tool = SPAN_LIT("runqlat"),
                         .flavour = SPAN_LIT("any"),
                         .duration_s = 5,
                         .selector = SPAN_LIT(""),
                         .issued_wall_ms = now_ms,
                         .expires_wall_ms = now_ms + EXPIRY_MS};
}

void stage_order(struct stage *s, const struct spec *spec, const struct signer *by) {
    struct buf bytes;
    struct signed_order so;
    AUTO(arena_free) struct arena *mem = arena_new(LIMIT_FRAME_ARENA_BYTES);
    buf_init(&bytes, 0);
    assert_int_equal(order_sign(spec, by, &bytes), ERR_OK);
    assert_int_equal(spec_decode_signed(buf_span(&bytes), mem, &so), ERR_OK);
    captures_order(s->captures, &so);
    buf_done(&bytes);
}

void stage_order_runqlat(struct stage *s, unsigned char campaign) {
    const struct spec spec = stage_spec(campaign);
    stage_order(s, &spec, s->ann);
}

/* ---- the runner ---- */

bool stage_asked_nothing(struct stage *s) {
    struct pollfd p = {.fd = s->sock, .events = POLLIN};
    return poll(&p, 1, 0) == 0;
}

struct request stage_asked(struct stage *s) {
    struct request r;
    size_t n = sizeof r, n_fds;
    assert_false(stage_asked_nothing(s));
    assert_int_equal(fds_receive(s->sock, &r, &n, NULL, 0, &n_fds), ERR_OK);
    assert_int_equal(n, sizeof r);
    assert_int_equal(r.magic, REQUEST_MAGIC);
    return r;
}

void stage_report(struct stage *s, const struct report *r, const int *fds, size_t n_fds) {
    assert_int_equal(fds_send(s->sock, r, sizeof *r, fds, n_fds), ERR_OK);
    assert_int_equal(loop_turn(s->loop, PATIENCE_MS), ERR_OK);
}

void stage_report_kind(struct stage *s, enum report_kind kind, uint64_t run) {
    stage_report(s, &(struct report){.magic = REQUEST_MAGIC, .kind = kind, .run = run}, NULL, 0);
}

void stage_started(struct stage *s, uint64_t run, int out[2]) {
    int outs[2], errs[2];
    assert_int_equal(pipe(outs), 0);
    assert_int_equal(pipe(errs), 0);
    const struct report r = {.magic = REQUEST_MAGIC, .kind = REPORT_STARTED, .run = run};
    stage_report(s, &r, (const int[]){outs[0], errs[0]}, 2);
    close(outs[0]);
    close(errs[0]);
    out[0] = outs[1];
    out[1] = errs[1];
}

void stage_write(struct stage *s, int fd, struct span text) {
    enum { PIECE = 4096 };
    while (text.n > 0) {
        struct pollfd p = {.fd = fd, .events = POLLOUT};
        while (poll(&p, 1, 0) == 0) assert_int_equal(loop_turn(s->loop, PATIENCE_MS), ERR_OK);
        ssize_t n = write(fd, text.p, text.n < PIECE ? text.n : PIECE);
        assert_true(n > 0);
        text = span_drop(text, (size_t)n);
    }
}

void stage_ended(struct stage *s, uint64_t run, int fds[2]) {
    for (size_t i = 0; i < 2; i++) close(TAKE_FD(fds[i]));
    stage_report_kind(s, REPORT_ENDED, run);
    stage_turn(s, 0);
}

void stage_runs(struct stage *s, uint64_t run, struct span text) {
    int fds[2];
    stage_started(s, run, fds);
    stage_write(s, fds[0], text);
    stage_ended(s, run, fds);
}

void stage_turn(struct stage *s, unsigned ms) {
    for (uint64_t until = clock_mono_ns() + ms * NS_PER_MS; clock_mono_ns() < until;) assert_int_equal(loop_turn(s->loop, 10), ERR_OK);
    assert_int_equal(loop_turn(s->loop, 0), ERR_OK);
    assert_int_equal(loop_turn(s->loop, 0), ERR_OK);
}

/* ---- what came of it ---- */

static void add_part(struct told *t, const struct part_body *b, size_t *said) {
    t->parts++;
    for (size_t i = 0; i < b->hists.n; i++) t->hist_total += hist_total(&b->hists.hists[i]);
    t->rows += b->events.n_rows;
    if (!b->outcome) return;
    t->outcome = *b->outcome;
    *said = b->outcome->parts;
    snprintf(t->reason, sizeof t->reason, "%.*s", (int)t->outcome.reason.n, t->outcome.reason.p);
    size_t n = 0;
    for (size_t i = 0; i < b->outcome->n_notes && n < sizeof t->notes; i++)
        n += (size_t)snprintf(t->notes + n, sizeof t->notes - n, "%.*s\n", (int)b->outcome->notes[i].n, b->outcome->notes[i].p);
}

bool stage_told(struct stage *s, unsigned char campaign, struct told *out) {
    const struct campaign_id id = stage_id(campaign);
    struct told t = {.parts = 0};
    size_t said = 0;
    struct buf body;
    buf_init(&body, 0);
    for (const struct spool_entry *e = spool_first(s->spool); e; e = e->next) {
        struct part_body b;
        AUTO(arena_free) struct arena *mem = arena_new(LIMIT_PART_ARENA_BYTES);
        if (memcmp(&e->key.campaign, &id, sizeof id) != 0) continue;
        buf_reset(&body);
        assert_int_equal(spool_read(s->spool, e, &body), ERR_OK);
        assert_int_equal(part_decode(buf_span(&body), mem, &b), ERR_OK);
        add_part(&t, &b, &said);
    }
    buf_done(&body);
    if (t.parts == 0 || said != t.parts) return false;
    t.outcome.reason = span_str(out->reason);
    *out = t;
    return true;
}

void stage_ends(struct stage *s, unsigned char campaign, enum coverage want, const char *reason) {
    struct told t;
    if (!stage_told(s, campaign, &t)) fail_msg("campaign %d has not ended", campaign);
    if (t.outcome.coverage != want || !strstr(t.reason, reason))
        fail_msg("campaign %d: %s \"%s\" instead of %s \"%s\"", campaign, capture_coverage_name(t.outcome.coverage), t.reason,
                 capture_coverage_name(want), reason);
}

void stage_acknowledge(struct stage *s) {
    while (spool_first(s->spool)) {
        const struct part_key key = spool_first(s->spool)->key;
        assert_int_equal(spool_remove(s->spool, &key), ERR_OK);
    }
}
