#include "console/cli/verb_run.h"

#include <signal.h>

#include "common/base/clock.h"
#include "common/crypto/digest.h"
#include "common/order/order.h"
#include "common/order/selector.h"
#include "console/cli/progress.h"
#include "console/cli/show.h"

enum { WHY_BYTES = 1024, DEFAULT_S = 10, DEFAULT_EXPIRE_S = 30, COMEBACK_S = 30 };

static volatile sig_atomic_t interrupted;
static void on_interrupt(int signo) {
    (void)signo;
    interrupted = 1;
}

static const struct tool *tool_named(const char *name) {
    const struct tool *t = catalog_find(span_str(name));
    if (t) return t;
    fprintf(stderr, "trawl run: there is no tool \"%s\"; there are", name);
    for (int i = TOOL_NONE + 1; i < TOOL__COUNT; i++)
        fprintf(stderr, "%s %s", i > TOOL_NONE + 1 ? "," : "", catalog_tool((enum tool_id)i)->name);
    fputc('\n', stderr);
    return NULL;
}

/* Would any host take it?  The same check that the agent and the runner make, before anything is sent. */
static bool parameters_fit(const struct tool *t, const struct args *a) {
    struct buf why;
    bool fits = false;
    enum flavour_id wanted = a->flavour ? catalog_flavour_find(span_str(a->flavour)) : FLAVOUR_ANY;
    if (wanted == FLAVOUR__COUNT || (wanted != FLAVOUR_ANY && !catalog_flavour(t, wanted))) {
        args_complain("run", "%s has no flavour \"%s\"; see: trawl tools %s", t->name, a->flavour, t->name);
        return false;
    }
    buf_init(&why, 0);
    for (size_t i = 0; i < t->n_flavours && !fits; i++) {
        const struct flavour *f = &t->flavours[i];
        if (wanted == FLAVOUR_ANY ? !f->binaries[0] : f->id != wanted) continue;
        buf_reset(&why);
        fits = catalog_check(t, f, &a->params, &why) == ERR_OK;
    }
    if (!fits) args_complain("run", "%s; see: trawl tools %s", buf_str(&why), t->name);
    buf_done(&why);
    return fits;
}

static bool selector_parses(const char *on) {
    AUTO(arena_free) struct arena *mem = arena_new(LIMIT_FRAME_ARENA_BYTES);
    struct buf why;
    const struct selector *s;
    buf_init(&why, 0);
    enum err e = mem ? selector_parse(span_str(on), mem, &why, &s) : ERR_NOMEM;
    if (e) args_complain("run", "--on %s: %s", on, why.n ? buf_str(&why) : err_text(e));
    buf_done(&why);
    return !e;
}

static bool duration_of(const struct args *a, uint32_t *out_s) {
    uint64_t ns = a->for_ns ? a->for_ns : DEFAULT_S * NS_PER_S;
    if (ns % NS_PER_S != 0 || ns < NS_PER_S || ns > LIMIT_DURATION_S * NS_PER_S) {
        args_complain("run", "--for takes whole seconds from 1s to %d s", LIMIT_DURATION_S);
        return false;
    }
    *out_s = (uint32_t)(ns / NS_PER_S);
    return true;
}

static bool expiry_fits(const struct args *a) {
    if (a->expire_ns <= (ORDER_EXPIRY_MAX_S - LIMIT_DURATION_S) * NS_PER_S) return true;
    args_complain("run", "--expire takes less than %d days: that is how long an order may be valid", ORDER_EXPIRY_MAX_S / 86400);
    return false;
}

static enum err spec_params(const struct args *a, struct arena *mem, struct spec *s) {
    s->params = arena_array(mem, a->params.n, sizeof *s->params);
    if (a->params.n && !s->params) return ERR_NOMEM;
    for (size_t i = 0; i < a->params.n; i++) {
        const struct param *p = &a->params.p[i];
        s->params[s->n_params++] =
            (struct spec_param){.name = span_str(catalog_param(p->id)->name), .number = p->number, .text = span_str(p->name)};
    }
    return ERR_OK;
}

/* The signed order into k->request. */
static bool sign(struct ask *k, const struct args *a, const struct tool *t, uint32_t seconds) {
    char why[WHY_BYTES] = "";
    AUTO(sign_free) struct signer *me = NULL;
    enum err e = sign_load(k->settings.cert, k->settings.key, why, sizeof why, &me);
    if (e) {
        args_complain("run", "%s", why[0] ? why : err_text(e));
        return false;
    }
    uint64_t now_ms = clock_wall_ns() / NS_PER_MS;
    uint64_t wait_ms = a->expire_ns ? a->expire_ns / NS_PER_MS : DEFAULT_EXPIRE_S * 1000;
    struct spec s = {.version = SPEC_VERSION,
                     .fleet = span_str(k->settings.fleet),
                     .tool = span_str(t->name),
                     .flavour = span_str(a->flavour ? catalog_flavour_name(catalog_flavour_find(span_str(a->flavour))) : "any"),
                     .duration_s = seconds,
                     .selector = span_str(a->on ? a->on : ""),
                     .issued_wall_ms = now_ms,
                     .expires_wall_ms = now_ms + seconds * 1000ULL + wait_ms};
    e = digest_random(s.campaign.b, sizeof s.campaign.b);
    if (!e) e = spec_params(a, k->mem, &s);
    buf_reset(&k->request);
    if (!e) e = order_sign(&s, me, &k->request);
    if (e) args_complain("run", "the order cannot be signed: %s", err_text(e));
    return !e;
}

/* Follow until the campaign is done.  Ctrl-C stops the campaign, a second one leaves it. */
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

static bool follow(struct ask *k, const char *id) {
    signal(SIGINT, on_interrupt);
    for (;;) {
        enum err e = watch(k, id);
        if (!e) return true;
        if (e == ERR_AGAIN) {
            if (!stop(k, id)) return false;
            continue;
        }
        if (e == ERR_GONE) {
            fprintf(stderr, "the collector is gone; campaign %s goes on without it, waiting for it to come back\n", id);
            if (ask_again(k, COMEBACK_S)) continue;
        }
        args_complain("run", "lost sight of campaign %s (%s); look again with: trawl show %s", id, client_why(k->client), id);
        return false;
    }
}

static bool begun(const struct campaign_detail *d) {
    return fprintf(stderr, "campaign %.*s on %u host%s\n", (int)d->info.id.n, d->info.id.p, d->info.targeted, d->info.targeted == 1 ? "" : "s") > 0;
}

int verb_run(const struct args *a) {
    const struct tool *t = tool_named(a->words[0]);
    uint32_t seconds;
    if (!t || !show_fits("run", a, t->kind) || !parameters_fit(t, a) || !duration_of(a, &seconds) || !expiry_fits(a)) return EXIT_USAGE;
    if (a->on && !selector_parses(a->on)) return EXIT_USAGE;
    struct ask k;
    struct campaign_detail d;
    int code = EXIT_FAILED;
    if (ask_open(&k, "run")) {
        if (sign(&k, a, t, seconds) && ask_call(&k, RPC_CONSOLE_START)) {
            enum err e = query_decode_detail(buf_span(&k.reply), k.mem, &d);
            char id[2 * CAMPAIGN_ID_BYTES + 1] = "";
            if (!e) snprintf(id, sizeof id, "%.*s", (int)d.info.id.n, d.info.id.p);
            if (e)
                code = ask_failed(&k, e);
            else if (a->detach)
                code = printf("%s\n", id) > 0 ? EXIT_OK : EXIT_FAILED;
            else if (begun(&d) && follow(&k, id))
                code = show_answer(&k, a, t->kind, id);
        }
    }
    ask_close(&k);
    return code;
}
