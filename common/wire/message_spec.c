#include "common/wire/message.h"

static void get_params(struct unpack *in, const Trawl__Spec *m, struct spec *s) {
    if (m->n_params > LIMIT_PARAMS) return unpack_refuse(in, ERR_LIMIT);
    s->params = unpack_array(in, m->n_params, sizeof *s->params);
    s->n_params = m->n_params;
    for (size_t i = 0; i < m->n_params && in->failed == ERR_OK; i++) {
        s->params[i].name = unpack_name(in, span_str(m->params[i]->name));
        s->params[i].text = unpack_text(in, span_str(m->params[i]->text), LIMIT_LABEL_BYTES);
        s->params[i].number = m->params[i]->number;
    }
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
    get_params(in, m, &s);
    if (in->failed == ERR_OK) *out = s;
}

static void put_params(struct pack *o, const struct spec *s, Trawl__Spec *m) {
    if (s->n_params > LIMIT_PARAMS) return pack_fail(o, ERR_LIMIT);
    Trawl__Param *params = pack_array(o, s->n_params, sizeof *params);
    m->params = pack_array(o, s->n_params, sizeof *m->params);
    for (size_t i = 0; i < s->n_params && o->failed == ERR_OK; i++) {
        trawl__param__init(&params[i]);
        params[i].name = pack_name(o, s->params[i].name);
        params[i].text = pack_exact(o, s->params[i].text, LIMIT_LABEL_BYTES);
        params[i].number = s->params[i].number;
        m->params[i] = &params[i];
    }
    m->n_params = s->n_params;
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
    put_params(o, s, m);
    return m;
}

void message_spec_get_signed(struct unpack *in, const Trawl__SignedOrder *m, struct signed_order *out) {
    struct signed_order s = {
        .spec = unpack_bytes(in, m->spec, LIMIT_SPEC_BYTES),
        .signature = unpack_bytes(in, m->signature, LIMIT_SIGNATURE_BYTES),
        .certificates = unpack_bytes(in, m->certificates, LIMIT_CERTIFICATES_BYTES),
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
    return m;
}
