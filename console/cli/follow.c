#include "console/cli/follow.h"

#include <signal.h>

#include "common/crypto/digest.h"
#include "common/order/order.h"
#include "console/cli/progress.h"
#include "console/cli/show.h"

enum { WHY_BYTES = 1024, COMEBACK_S = 30 };

static volatile sig_atomic_t interrupted;
static void on_interrupt(int signo) {
    (void)signo;
    interrupted = 1;
}

bool follow_sign(struct ask *k, struct spec *spec) {
    char why[WHY_BYTES] = "";
    AUTO(sign_free) struct signer *me = NULL;
    enum err e = sign_load(k->settings.cert, k->settings.key, why, sizeof why, &me);
    if (e) {
        args_complain(k->verb, "%s", why[0] ? why : err_text(e));
        return false;
    }
    e = digest_random(spec->campaign.b, sizeof spec->campaign.b);
    buf_reset(&k->request);
    if (!e) e = order_sign(spec, me, &k->request);
    if (e) args_complain(k->verb, "the order cannot be signed: %s", err_text(e));
    return !e;
}

/* One look at the campaign until it is done, interrupted or out of sight. */
static enum err watch(struct ask *k, const char *id) {
    struct query q = {.campaign = span_str(id)};
    struct progress p;
    if (!ask_query(k, QUERY_REF, &q)) return ERR_REFUSED;
    progress_begin(&p, stderr);
    enum err e = client_stream(k->client, RPC_CONSOLE_WATCH, buf_span(&k->request), progress_message, &p, &interrupted);
    progress_end(&p);
    return e;
}

static bool stop(struct ask *k, const char *id) {
    interrupted = 0;
    signal(SIGINT, SIG_DFL); /* from now on it ends us, wherever we wait */
    fprintf(stderr, "stopping campaign %s (Ctrl-C again leaves it; look again with: trawl show %s)\n", id, id);
    return ask_call(k, RPC_CONSOLE_STOP);
}

bool follow_campaign(struct ask *k, const char *id, bool stops) {
    signal(SIGINT, on_interrupt);
    for (;;) {
        enum err e = watch(k, id);
        if (!e) return true;
        if (e == ERR_AGAIN && !stops) {
            fprintf(stderr, "campaign %s goes on; look again with: trawl watch %s\n", id, id);
            return false;
        }
        if (e == ERR_AGAIN) {
            if (!stop(k, id)) return false;
            continue;
        }
        if (e == ERR_GONE) {
            fprintf(stderr, "the collector is gone; campaign %s goes on without it, waiting for it to come back\n", id);
            if (ask_again(k, COMEBACK_S)) continue;
        }
        args_complain(k->verb, "lost sight of campaign %s (%s); look again with: trawl show %s", id, client_why(k->client), id);
        return false;
    }
}

static bool begun(const struct campaign_detail *d) {
    return fprintf(stderr, "campaign %.*s on %u host%s\n", (int)d->info.id.n, d->info.id.p, d->info.targeted,
                   d->info.targeted == 1 ? "" : "s") > 0;
}

int follow_start(struct ask *k, const struct args *a, enum result_kind kind) {
    struct campaign_detail d;
    char id[2 * CAMPAIGN_ID_BYTES + 1] = "";
    if (!ask_call(k, RPC_CONSOLE_START)) return EXIT_FAILED;
    enum err e = query_decode_detail(buf_span(&k->reply), k->mem, &d);
    if (e) return ask_failed(k, e);
    snprintf(id, sizeof id, "%.*s", (int)d.info.id.n, d.info.id.p);
    if (a->detach) return printf("%s\n", id) > 0 ? EXIT_OK : EXIT_FAILED;
    return begun(&d) && follow_campaign(k, id, true) ? show_answer(k, a, kind, id) : EXIT_FAILED;
}
