/* Many operators' runs at once from one process: each on one host of its own, from the order to the merged answer.
 *   runs N HOSTS SECONDS    host h1 … hHOSTS, spread; the configuration as trawl's ($TRAWL_CONFIG)
 * One line:  runs=N failed=N start_ms=… ask_ms=… over_ms=…    each P50,P99,MAX: until the start was acknowledged, for the question at the
 * end, and how much longer than SECONDS all took
 * Reading order: main → run → start, wait, ask. */
#include <pthread.h>
#include <stdio.h>

#include "common/base/clock.h"
#include "common/crypto/digest.h"
#include "common/order/order.h"
#include "console/client/client.h"

enum { RUNS_MAX = 1000, WHY_BYTES = 512, EXPIRY_S = 120 };

struct run {
    const struct settings *settings;
    const struct signer *me;
    pthread_barrier_t *together;
    unsigned host;
    uint32_t seconds;
    struct client *client;
    struct buf request, reply;
    char id[2 * CAMPAIGN_ID_BYTES + 1];
    uint64_t start_ns, ask_ns, took_ns;
    bool ok;
};

static bool start(struct run *r) {
    char on[LIMIT_NAME_BYTES + 1];
    snprintf(on, sizeof on, "h%u", r->host);
    uint64_t now_ms = clock_wall_ns() / NS_PER_MS;
    struct spec s = {.version = SPEC_VERSION,
                     .fleet = span_str(r->settings->fleet),
                     .tool = SPAN_LIT("runqlat"),
                     .flavour = SPAN_LIT("any"),
                     .duration_s = r->seconds,
                     .selector = span_str(on),
                     .issued_wall_ms = now_ms,
                     .expires_wall_ms = now_ms + EXPIRY_S * NS_PER_S / NS_PER_MS};
    if (digest_random(s.campaign.b, sizeof s.campaign.b) || order_sign(&s, r->me, &r->request)) return false;
    part_campaign_hex(&s.campaign, r->id);
    return client_call(r->client, RPC_CONSOLE_START, buf_span(&r->request), &r->reply) == ERR_OK;
}

static bool until_it_ends(void *arg, struct span bytes) {
    (void)arg, (void)bytes;
    return true;
}

static bool wait_for_end(struct run *r) {
    static const volatile sig_atomic_t never;
    const struct query q = {.campaign = span_str(r->id)};
    buf_reset(&r->request);
    return query_encode(QUERY_REF, &q, &r->request) == ERR_OK &&
           client_stream(r->client, RPC_CONSOLE_WATCH, buf_span(&r->request), until_it_ends, NULL, &never) == ERR_OK;
}

static bool ask(struct run *r) {
    const struct query q = {.campaign = span_str(r->id)};
    AUTO(arena_free) struct arena *mem = arena_new(LIMIT_ANSWER_ARENA_BYTES);
    struct answer a;
    buf_reset(&r->request);
    return mem && query_encode(QUERY_HIST, &q, &r->request) == ERR_OK &&
           client_call(r->client, RPC_CONSOLE_HIST, buf_span(&r->request), &r->reply) == ERR_OK &&
           query_decode_answer(QUERY_HIST, buf_span(&r->reply), mem, &a) == ERR_OK && a.merged.n > 0;
}

static void *run(void *arg) {
    struct run *r = arg;
    bool connected = client_open(r->settings, &r->client) == ERR_OK;
    pthread_barrier_wait(r->together); /* who could not connect is waited for, too */
    uint64_t began_ns = clock_mono_ns();
    r->ok = connected && start(r);
    r->start_ns = clock_mono_ns() - began_ns;
    r->ok = r->ok && wait_for_end(r);
    uint64_t ended_ns = clock_mono_ns();
    r->ok = r->ok && ask(r);
    r->took_ns = clock_mono_ns() - began_ns;
    r->ask_ns = clock_mono_ns() - ended_ns;
    if (!r->ok && r->client) fprintf(stderr, "runs: h%u: %s\n", r->host, client_why(r->client));
    return NULL;
}

static int by_size(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* times_ns: sorted here. */
static void tell(const char *what, uint64_t *times_ns, size_t n) {
    const size_t at[] = {n / 2, (n * 99 + 99) / 100 - 1, n - 1};
    qsort(times_ns, n, sizeof *times_ns, by_size);
    printf(" %s_ms=", what);
    for (size_t i = 0; i < COUNT_OF(at); i++) printf("%s%llu", i ? "," : "", (unsigned long long)(times_ns[at[i]] / NS_PER_MS));
}

static int report(const struct run *runs, size_t n) {
    static uint64_t start_ns[RUNS_MAX], ask_ns[RUNS_MAX], over_ns[RUNS_MAX];
    size_t failed = 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t tool_ns = runs[i].seconds * NS_PER_S;
        failed += !runs[i].ok;
        start_ns[i] = runs[i].start_ns;
        ask_ns[i] = runs[i].ask_ns;
        over_ns[i] = runs[i].took_ns > tool_ns ? runs[i].took_ns - tool_ns : 0;
    }
    printf("runs=%zu failed=%zu", n, failed);
    tell("start", start_ns, n);
    tell("ask", ask_ns, n);
    tell("over", over_ns, n);
    putchar('\n');
    return failed != 0;
}

int main(int argc, char **argv) {
    static struct run runs[RUNS_MAX];
    static pthread_t threads[RUNS_MAX];
    uint64_t n = 0, hosts = 0, seconds = 0;
    struct settings set;
    struct signer *me = NULL;
    pthread_barrier_t together;
    char why[WHY_BYTES] = "";
    if (argc != 4 || !span_u64(span_str(argv[1]), &n) || !span_u64(span_str(argv[2]), &hosts) || !span_u64(span_str(argv[3]), &seconds) ||
        n == 0 || n > RUNS_MAX || hosts < n) {
        fputs("usage: runs N HOSTS SECONDS    (HOSTS at least N)\n", stderr);
        return 2;
    }
    enum err e = settings_load(why, sizeof why, &set);
    if (!e) e = sign_load(set.cert, set.key, why, sizeof why, &me);
    if (e || pthread_barrier_init(&together, NULL, (unsigned)n) != 0) {
        fprintf(stderr, "runs: %s\n", why[0] ? why : err_text(e));
        return 1;
    }
    for (size_t i = 0; i < n; i++) {
        runs[i] = (struct run){
            .settings = &set, .me = me, .together = &together, .host = (unsigned)(i * (hosts / n) + 1), .seconds = (uint32_t)seconds};
        buf_init(&runs[i].request, LIMIT_REQUEST_BYTES);
        buf_init(&runs[i].reply, LIMIT_ANSWER_BYTES);
        if (pthread_create(&threads[i], NULL, run, &runs[i]) != 0) abort(); /* the others would wait for ever */
    }
    for (size_t i = 0; i < n; i++) {
        pthread_join(threads[i], NULL);
        client_close(runs[i].client);
        buf_done(&runs[i].request);
        buf_done(&runs[i].reply);
    }
    sign_free(me);
    settings_done(&set);
    return report(runs, n);
}
