#include "console/cli/verb_retry.h"

#include "common/base/clock.h"
#include "common/order/order.h"
#include "console/cli/follow.h"
#include "console/cli/show.h"

/* The old order again, for those of its hosts that did not do it; in date, and under a name of its own. */
static bool spec_again(struct ask *k, const struct campaign_info *old, struct spec *out) {
    struct spec s = old->spec;
    uint64_t now_ms = clock_wall_ns() / NS_PER_MS, from_ms = s.start_wall_ms ? s.start_wall_ms : s.issued_wall_ms;
    s.expires_wall_ms = now_ms + (s.expires_wall_ms - from_ms);
    s.issued_wall_ms = now_ms;
    s.start_wall_ms = 0;
    s.limit = (struct share){0};
    s.retry.states = 1u << COVERAGE_FAILED | 1u << COVERAGE_TIMEOUT | 1u << COVERAGE_OFFLINE;
    if (!part_campaign_from_hex(old->id, &s.retry.campaign) || !span_eq_str(s.fleet, k->settings.fleet)) return false;
    *out = s;
    return true;
}

static int again(struct ask *k, const struct args *a, const struct campaign_info *old) {
    const struct tool *t = catalog_find(old->spec.tool);
    struct spec s;
    if (!t || !spec_again(k, old, &s)) {
        args_complain("retry", "this console does not know the tool or the fleet of campaign %s", a->words[0]);
        return EXIT_FAILED;
    }
    if (!show_fits("retry", a, t->kind)) return EXIT_USAGE;
    if (!old->ended_wall_ns) {
        args_complain("retry", "campaign %s has not ended yet", a->words[0]);
        return EXIT_FAILED;
    }
    return follow_sign(k, &s) ? follow_start(k, a, t->kind) : EXIT_FAILED;
}

int verb_retry(const struct args *a) {
    struct ask k;
    struct campaign_detail d;
    struct query q = {.campaign = span_str(a->words[0])};
    int code = EXIT_FAILED;
    if (ask_open(&k, "retry") && ask_query(&k, QUERY_REF, &q) && ask_call(&k, RPC_CONSOLE_SHOW)) {
        enum err e = query_decode_detail(buf_span(&k.reply), k.mem, &d);
        code = e ? ask_failed(&k, e) : again(&k, a, &d.info);
    }
    ask_close(&k);
    return code;
}
