#include "console/cli/verb_lockdown.h"

#include "common/base/clock.h"
#include "common/order/lockdown.h"
#include "console/cli/ask.h"
#include "console/render/screen.h"

enum { WHY_BYTES = 1024 };

static bool ask_how_it_is(struct ask *k, struct statement_info *out) {
    buf_reset(&k->request);
    if (!ask_call(k, RPC_CONSOLE_GET_LOCKDOWN)) return false;
    enum err e = statement_decode_info(buf_span(&k->reply), k->mem, out);
    if (e) ask_failed(k, e);
    return !e;
}

/* The counter is the clock's, so that it cannot run away; only a collector that lies about the last one could want more, and gets it one
 * by one. */
static bool sign(struct ask *k, bool lifted, const char *reason, uint64_t last) {
    char why[WHY_BYTES] = "";
    AUTO(sign_free) struct signer *me = NULL;
    enum err e = sign_load(k->settings.cert, k->settings.key, why, sizeof why, &me);
    if (e) {
        args_complain("lockdown", "%s", why[0] ? why : err_text(e));
        return false;
    }
    uint64_t now_ms = clock_wall_ns() / NS_PER_MS;
    struct statement s = {.version = LOCKDOWN_VERSION,
                          .fleet = span_str(k->settings.fleet),
                          .counter = last >= now_ms && last < UINT64_MAX / 2 ? last + 1 : now_ms,
                          .lifted = lifted,
                          .reason = span_str(reason),
                          .issued_wall_ms = now_ms};
    buf_reset(&k->request);
    e = lockdown_sign(&s, me, &k->request);
    if (e) args_complain("lockdown", "the statement cannot be signed: %s", err_text(e));
    return !e;
}

static void print(const struct statement_info *i) {
    struct screen s = screen_on(stdout);
    char when[32];
    bool known = i->since_wall_ms && i->since_wall_ms < UINT64_MAX / NS_PER_MS;
    fputs(i->locked ? "locked down" : "not locked down", stdout);
    if (i->counter) {
        printf(i->locked ? " by " : "; lifted by ");
        screen_print(&s, i->operator_name);
        printf(" at %s", known ? clock_wall_text(i->since_wall_ms * NS_PER_MS, when) : "an unknown time");
        if (i->reason.n) fputs(": ", stdout);
        screen_print(&s, i->reason);
    }
    printf("\n%u hosts online, %u of them say that they are locked down; those that are away hear it when they come back\n", i->online,
           i->online_locked);
}

static bool set(struct ask *k, const struct args *a, bool lifted, struct statement_info *i) {
    const char *reason = a->n_words > (lifted ? 1u : 0u) ? a->words[lifted] : "";
    if (!sign(k, lifted, reason, i->counter) || !ask_call(k, RPC_CONSOLE_SET_LOCKDOWN)) return false;
    enum err e = statement_decode_info(buf_span(&k->reply), k->mem, i);
    if (e) ask_failed(k, e);
    return !e;
}

/* Words that people try when they only want to look are none. */
static bool is_reason(const char *word) {
    static const char *const looks[] = {"", "status", "state", "list", "info", "help", "on", "off"};
    for (size_t i = 0; i < COUNT_OF(looks); i++)
        if (strcmp(word, looks[i]) == 0) return false;
    return true;
}

int verb_lockdown(const struct args *a) {
    struct ask k;
    struct statement_info i;
    const char *first = a->n_words ? a->words[0] : "";
    bool lifted = strcmp(first, "lift") == 0, show = strcmp(first, "show") == 0;
    if (!lifted && !show && !is_reason(first)) {
        args_complain("lockdown", "a lockdown stops the whole fleet and wants a reason: trawl lockdown 'we trace too much'; "
                                  "to look: trawl lockdown show; to end it: trawl lockdown lift");
        return EXIT_USAGE;
    }
    bool ok = ask_open(&k, "lockdown") && ask_how_it_is(&k, &i) && (show || set(&k, a, lifted, &i));
    if (ok) print(&i);
    ask_close(&k);
    return ok ? EXIT_OK : EXIT_FAILED;
}
