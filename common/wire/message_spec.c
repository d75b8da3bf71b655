#include "common/wire/message.h"

void message_spec_get_params(struct unpack *in, Trawl__Param *const *m, size_t n, struct spec_param **out) {
    if (n > LIMIT_PARAMS) return unpack_refuse(in, ERR_LIMIT);
    struct spec_param *params = unpack_array(in, n, sizeof *params);
    for (size_t i = 0; i < n && in->failed == ERR_OK; i++) {
        params[i].name = unpack_name(in, span_str(m[i]->name));
        params[i].text = unpack_text(in, span_str(m[i]->text), LIMIT_LABEL_BYTES);
        params[i].number = m[i]->number;
    }
    *out = params;
}

static struct share get_share(struct unpack *in, const Trawl__Share *m) {
    if (!m) return (struct share){0};
    if (m->permille > 1000 || (m->count && m->permille)) unpack_refuse(in, ERR_SYNTAX);
    return (struct share){.count = m->count, .permille = m->permille};
}

static void get_waves(struct unpack *in, const Trawl__Spec *m, struct spec *s) {
    if (m->n_waves > LIMIT_WAVES) return unpack_refuse(in, ERR_LIMIT);
    s->waves = unpack_array(in, m->n_waves, sizeof *s->waves);
    s->n_waves = m->n_waves;
    for (size_t i = 0; i < m->n_waves && in->failed == ERR_OK; i++) s->waves[i] = get_share(in, m->waves[i]);
}

/* How the campaign goes: who begins when, and when it ends early. */
static void get_course(struct unpack *in, const Trawl__Spec *m, struct spec *s) {
    s->limit = get_share(in, m->limit);
    s->seed = m->seed;
    get_waves(in, m, s);
    s->rate_per_s = m->rate_per_s;
    s->concurrency = m->concurrency;
    s->domain = m->domain ? unpack_text(in, span_str(m->domain->label), LIMIT_NAME_BYTES) : span_of("", 0);
    s->domain_hosts = m->domain ? m->domain->hosts : 0;
    if (m->stop)
        s->stop = (struct stop_when){.failures = get_share(in, m->stop->failures),
                                     .refusals = get_share(in, m->stop->refusals),
                                     .cpu_permille = m->stop->cpu_permille,
                                     .agent_deaths = m->stop->agent_deaths,
                                     .pressure_permille = m->stop->pressure_permille};
    s->start_wall_ms = m->start_wall_ms;
    s->rounds = m->rounds;
    s->every_s = m->every_s;
    if (m->retry) s->retry.states = m->retry->states;
    if (m->retry) s->retry.campaign = unpack_campaign(in, m->retry->campaign);
    s->join_s = m->join_s;
    if (s->rounds > LIMIT_ROUNDS || s->rate_per_s > LIMIT_RATE_PER_S) unpack_refuse(in, ERR_LIMIT);
}

static void get_fired(struct unpack *in, const Trawl__Fired *m, struct spec *s) {
    if (m->number == 0) unpack_refuse(in, ERR_SYNTAX);
    s->fired.number = m->number;
    s->fired.why = unpack_text(in, span_str(m->why), LIMIT_REASON_BYTES);
    s->fired.trigger = unpack_name(in, span_str(m->trigger));
}

void message_spec_get(struct unpack *in, const Trawl__Spec *m, struct spec *out) {
    struct spec s = {
        .version = m->version,
        .fleet = unpack_name(in, span_str(m->fleet)),
        .campaign = unpack_campaign(in, m->campaign),
        .tool = unpack_name(in, span_str(m->tool)),
        .flavour = unpack_name_or_none(in, span_str(m->flavour)),
        .duration_s = m->duration_s,
        .selector = unpack_text(in, span_str(m->selector), LIMIT_SELECTOR_BYTES),
        .issued_wall_ms = m->issued_wall_ms,
        .expires_wall_ms = m->expires_wall_ms,
    };
    message_spec_get_params(in, m->params, m->n_params, &s.params);
    s.n_params = m->n_params;
    get_course(in, m, &s);
    s.fired.why = s.fired.trigger = SPAN_LIT("");
    if (m->fired) get_fired(in, m->fired, &s);
    if (in->failed == ERR_OK) *out = s;
}

Trawl__Param **message_spec_put_params(struct pack *o, const struct spec_param *params, size_t n) {
    if (n > LIMIT_PARAMS) pack_fail(o, ERR_LIMIT);
    Trawl__Param *m = pack_array(o, n, sizeof *m);
    Trawl__Param **list = pack_array(o, n, sizeof *list);
    for (size_t i = 0; i < n && o->failed == ERR_OK; i++) {
        trawl__param__init(&m[i]);
        m[i].name = pack_name(o, params[i].name);
        m[i].text = pack_exact(o, params[i].text, LIMIT_LABEL_BYTES);
        m[i].number = params[i].number;
        list[i] = &m[i];
    }
    return list;
}

/* NULL: not given, or a failure. */
static Trawl__Share *put_share(struct pack *o, struct share s) {
    if (s.permille > 1000 || (s.count && s.permille)) pack_fail(o, ERR_SYNTAX);
    Trawl__Share *m = share_given(s) ? pack_array(o, 1, sizeof *m) : NULL;
    if (!m) return NULL;
    trawl__share__init(m);
    m->count = s.count;
    m->permille = s.permille;
    return m;
}

static void put_waves(struct pack *o, const struct spec *s, Trawl__Spec *m) {
    if (s->n_waves > LIMIT_WAVES) return pack_fail(o, ERR_LIMIT);
    m->waves = pack_array(o, s->n_waves, sizeof *m->waves);
    m->n_waves = s->n_waves;
    for (size_t i = 0; i < s->n_waves && o->failed == ERR_OK; i++)
        if (!(m->waves[i] = put_share(o, s->waves[i]))) pack_fail(o, ERR_SYNTAX);
}

static void put_stop(struct pack *o, const struct stop_when *s, Trawl__Spec *m) {
    bool given = share_given(s->failures) || share_given(s->refusals) || s->cpu_permille || s->agent_deaths || s->pressure_permille;
    m->stop = given ? pack_array(o, 1, sizeof *m->stop) : NULL;
    if (!m->stop) return;
    trawl__stop_when__init(m->stop);
    m->stop->failures = put_share(o, s->failures);
    m->stop->refusals = put_share(o, s->refusals);
    m->stop->cpu_permille = s->cpu_permille;
    m->stop->agent_deaths = s->agent_deaths;
    m->stop->pressure_permille = s->pressure_permille;
}

static void put_course(struct pack *o, const struct spec *s, Trawl__Spec *m) {
    m->limit = put_share(o, s->limit);
    m->seed = s->seed;
    put_waves(o, s, m);
    m->rate_per_s = s->rate_per_s;
    m->concurrency = s->concurrency;
    put_stop(o, &s->stop, m);
    m->start_wall_ms = s->start_wall_ms;
    m->rounds = s->rounds;
    m->every_s = s->every_s;
    m->join_s = s->join_s;
    if (s->domain_hosts && (m->domain = pack_array(o, 1, sizeof *m->domain))) {
        trawl__domain__init(m->domain);
        m->domain->label = pack_exact(o, s->domain, LIMIT_NAME_BYTES);
        m->domain->hosts = s->domain_hosts;
    }
    if (s->retry.states && (m->retry = pack_array(o, 1, sizeof *m->retry))) {
        trawl__retry__init(m->retry);
        m->retry->campaign = pack_campaign(&s->retry.campaign);
        m->retry->states = s->retry.states;
    }
}

Trawl__Spec *message_spec_put(struct pack *o, const struct spec *s) {
    Trawl__Spec *m = pack_array(o, 1, sizeof *m);
    if (!m) return NULL;
    trawl__spec__init(m);
    m->version = s->version;
    m->fleet = pack_name(o, s->fleet);
    m->campaign = pack_campaign(&s->campaign);
    m->tool = pack_name(o, s->tool);
    m->flavour = pack_name_or_none(o, s->flavour);
    m->duration_s = s->duration_s;
    m->selector = pack_exact(o, s->selector, LIMIT_SELECTOR_BYTES);
    m->issued_wall_ms = s->issued_wall_ms;
    m->expires_wall_ms = s->expires_wall_ms;
    m->params = message_spec_put_params(o, s->params, s->n_params);
    m->n_params = s->n_params;
    put_course(o, s, m);
    if (s->fired.number && (m->fired = pack_array(o, 1, sizeof *m->fired))) {
        trawl__fired__init(m->fired);
        m->fired->number = s->fired.number;
        m->fired->why = pack_exact(o, s->fired.why, LIMIT_REASON_BYTES);
        m->fired->trigger = pack_name(o, s->fired.trigger);
    }
    return m;
}

void message_spec_get_signed(struct unpack *in, const Trawl__SignedOrder *m, struct signed_order *out) {
    struct signed_order s = {
        .spec = unpack_bytes(in, m->spec, LIMIT_SPEC_BYTES),
        .signature = unpack_bytes(in, m->signature, LIMIT_SIGNATURE_BYTES),
        .certificates = unpack_bytes(in, m->certificates, LIMIT_CERTIFICATES_BYTES),
        .trigger = unpack_bytes(in, m->trigger, LIMIT_SPEC_BYTES),
    };
    if (in->failed == ERR_OK) *out = s;
}

Trawl__SignedOrder *message_spec_put_signed(struct pack *o, const struct signed_order *s) {
    Trawl__SignedOrder *m = pack_array(o, 1, sizeof *m);
    if (!m) return NULL;
    trawl__signed_order__init(m);
    m->spec = pack_bytes(o, s->spec, LIMIT_SPEC_BYTES);
    m->signature = pack_bytes(o, s->signature, LIMIT_SIGNATURE_BYTES);
    m->certificates = pack_bytes(o, s->certificates, LIMIT_CERTIFICATES_BYTES);
    m->trigger = pack_bytes(o, s->trigger, LIMIT_SPEC_BYTES);
    return m;
}
