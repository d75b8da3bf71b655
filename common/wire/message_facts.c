#include "common/wire/message.h"

static void get_labels(struct unpack *in, const Trawl__Facts *m, struct facts *f) {
    if (m->n_labels > LIMIT_LABELS) return unpack_refuse(in, ERR_LIMIT);
    f->labels = unpack_array(in, m->n_labels, sizeof *f->labels);
    f->n_labels = m->n_labels;
    for (size_t i = 0; i < m->n_labels && in->failed == ERR_OK; i++) {
        f->labels[i].key = unpack_name(in, span_str(m->labels[i]->key));
        f->labels[i].value = unpack_text(in, span_str(m->labels[i]->value), LIMIT_LABEL_BYTES);
    }
}

static void get_tools(struct unpack *in, const Trawl__Facts *m, struct facts *f) {
    if (m->n_tools > LIMIT_TOOL_FACTS) return unpack_refuse(in, ERR_LIMIT);
    f->tools = unpack_array(in, m->n_tools, sizeof *f->tools);
    f->n_tools = m->n_tools;
    for (size_t i = 0; i < m->n_tools && in->failed == ERR_OK; i++) {
        f->tools[i].tool = unpack_name(in, span_str(m->tools[i]->tool));
        f->tools[i].flavour = unpack_name_or_none(in, span_str(m->tools[i]->flavour));
        f->tools[i].why = unpack_text(in, span_str(m->tools[i]->why), LIMIT_REASON_BYTES);
        f->tools[i].runnable = m->tools[i]->runnable;
    }
}

static void get_rates(struct unpack *in, const Trawl__Facts *m, struct facts *f) {
    if (m->n_rates > LIMIT_RATES) return unpack_refuse(in, ERR_LIMIT);
    f->rates = unpack_array(in, m->n_rates, sizeof *f->rates);
    f->n_rates = m->n_rates;
    if (f->rates && m->n_rates) memcpy(f->rates, m->rates, m->n_rates * sizeof *f->rates);
}

void message_facts_get(struct unpack *in, const Trawl__Facts *m, struct facts *out) {
    struct facts f = {
        .host = unpack_name(in, span_str(m->host)),
        .version = unpack_text(in, span_str(m->version), LIMIT_LABEL_BYTES),
        .kernel = unpack_text(in, span_str(m->kernel), LIMIT_LABEL_BYTES),
        .arch = unpack_text(in, span_str(m->arch), LIMIT_LABEL_BYTES),
        .replayed = m->replayed,
        .wall_ns = m->wall_ns,
        .lockdown = unpack_text(in, span_str(m->lockdown), LIMIT_REASON_BYTES),
        .cpus = m->cpus,
        .max_cost_ppm = m->max_cost_ppm,
        .max_duration_s = m->max_duration_s,
        .quiet = unpack_text(in, span_str(m->quiet), LIMIT_REASON_BYTES),
    };
    get_labels(in, m, &f);
    get_tools(in, m, &f);
    get_rates(in, m, &f);
    if (in->failed == ERR_OK) *out = f;
}

static void put_labels(struct pack *o, const struct facts *f, Trawl__Facts *m) {
    if (f->n_labels > LIMIT_LABELS) return pack_fail(o, ERR_LIMIT);
    Trawl__LabelText *labels = pack_array(o, f->n_labels, sizeof *labels);
    m->labels = pack_array(o, f->n_labels, sizeof *m->labels);
    for (size_t i = 0; i < f->n_labels && o->failed == ERR_OK; i++) {
        trawl__label_text__init(&labels[i]);
        labels[i].key = pack_name(o, f->labels[i].key);
        labels[i].value = pack_exact(o, f->labels[i].value, LIMIT_LABEL_BYTES);
        m->labels[i] = &labels[i];
    }
    m->n_labels = f->n_labels;
}

static void put_tools(struct pack *o, const struct facts *f, Trawl__Facts *m) {
    if (f->n_tools > LIMIT_TOOL_FACTS) return pack_fail(o, ERR_LIMIT);
    Trawl__ToolFact *tools = pack_array(o, f->n_tools, sizeof *tools);
    m->tools = pack_array(o, f->n_tools, sizeof *m->tools);
    for (size_t i = 0; i < f->n_tools && o->failed == ERR_OK; i++) {
        trawl__tool_fact__init(&tools[i]);
        tools[i].tool = pack_name(o, f->tools[i].tool);
        tools[i].flavour = pack_name_or_none(o, f->tools[i].flavour);
        tools[i].why = pack_text(o, f->tools[i].why, LIMIT_REASON_BYTES);
        tools[i].runnable = f->tools[i].runnable;
        m->tools[i] = &tools[i];
    }
    m->n_tools = f->n_tools;
}

static void put_rates(struct pack *o, const struct facts *f, Trawl__Facts *m) {
    if (f->n_rates > LIMIT_RATES) return pack_fail(o, ERR_LIMIT);
    m->rates = pack_array(o, f->n_rates, sizeof *m->rates);
    m->n_rates = f->n_rates;
    if (m->rates && f->n_rates) memcpy(m->rates, f->rates, f->n_rates * sizeof *m->rates);
}

Trawl__Facts *message_facts_put(struct pack *o, const struct facts *f) {
    Trawl__Facts *m = pack_array(o, 1, sizeof *m);
    if (!m) return NULL;
    trawl__facts__init(m);
    m->host = pack_name(o, f->host);
    m->version = pack_text(o, f->version, LIMIT_LABEL_BYTES);
    m->kernel = pack_text(o, f->kernel, LIMIT_LABEL_BYTES);
    m->arch = pack_text(o, f->arch, LIMIT_LABEL_BYTES);
    m->replayed = f->replayed;
    m->wall_ns = f->wall_ns;
    m->lockdown = pack_text(o, f->lockdown, LIMIT_REASON_BYTES);
    m->cpus = f->cpus;
    m->max_cost_ppm = f->max_cost_ppm;
    m->max_duration_s = f->max_duration_s;
    m->quiet = pack_text(o, f->quiet, LIMIT_REASON_BYTES);
    put_labels(o, f, m);
    put_tools(o, f, m);
    put_rates(o, f, m);
    return m;
}
