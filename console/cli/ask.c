#include "console/cli/ask.h"

enum { WHY_BYTES = 1024 };

bool ask_open(struct ask *a, const char *verb) {
    char why[WHY_BYTES] = "";
    *a = (struct ask){.verb = verb};
    buf_init(&a->request, 0);
    buf_init(&a->reply, LIMIT_ANSWER_BYTES);
    enum err e = settings_load(why, sizeof why, &a->settings);
    if (e) {
        args_complain(verb, "%s", why);
        return false;
    }
    if (!bands_parse(a->settings.bands ? a->settings.bands : "", &a->bands, why, sizeof why)) {
        args_complain(verb, "%s", why);
        return false;
    }
    a->mem = arena_new(LIMIT_ANSWER_ARENA_BYTES);
    e = a->mem ? client_open(&a->settings, &a->client) : ERR_NOMEM;
    if (e) args_complain(verb, "%s; `trawl doctor` looks into it", client_why(a->client));
    return !e;
}

void ask_close(struct ask *a) {
    client_close(a->client);
    arena_free(a->mem);
    buf_done(&a->request);
    buf_done(&a->reply);
    settings_done(&a->settings);
}

bool ask_again(struct ask *a, unsigned seconds) {
    for (unsigned i = 0; i < seconds; i++) {
        client_close(a->client);
        a->client = NULL;
        if (client_open(&a->settings, &a->client) == ERR_OK) return true;
        sleep(1);
    }
    return false;
}

bool ask_call(struct ask *a, enum rpc_method m) {
    enum err e = client_call(a->client, m, buf_span(&a->request), &a->reply);
    if (e) args_complain(a->verb, "%s", client_why(a->client)[0] ? client_why(a->client) : err_text(e));
    return !e;
}

bool ask_query(struct ask *a, enum query_kind kind, const struct query *q) {
    buf_reset(&a->request);
    enum err e = query_encode(kind, q, &a->request);
    if (e) args_complain(a->verb, "the question cannot be asked: %s", err_text(e));
    return !e;
}

bool ask_campaign(struct ask *a, const char *campaign, struct ask_campaign *out) {
    struct campaign_detail d;
    struct query q = {.campaign = span_str(campaign)};
    if (!ask_query(a, QUERY_REF, &q) || !ask_call(a, RPC_CONSOLE_SHOW)) return false;
    enum err e = query_decode_detail(buf_span(&a->reply), a->mem, &d);
    const struct tool *tool = e ? NULL : catalog_find(d.info.spec.tool);
    if (!e && !tool) e = ERR_NOTFOUND;
    if (e) {
        ask_failed(a, e);
        return false;
    }
    snprintf(out->id, sizeof out->id, "%.*s", (int)d.info.id.n, d.info.id.p);
    snprintf(out->tool, sizeof out->tool, "%.*s", (int)d.info.spec.tool.n, d.info.spec.tool.p);
    out->kind = tool->kind;
    out->rounds = spec_rounds(&d.info.spec);
    return true;
}

int ask_failed(const struct ask *a, enum err e) {
    args_complain(a->verb, "%s", err_text(e));
    return EXIT_FAILED;
}

int ask_exit_code(const struct campaign_info *i) {
    if (i->targeted > 0 && i->coverage[COVERAGE_OK] == i->targeted) return EXIT_OK;
    return i->coverage[COVERAGE_OK] + i->coverage[COVERAGE_PARTIAL] + i->with_result > 0 ? EXIT_PARTIAL : EXIT_FAILED;
}
