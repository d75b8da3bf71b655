#include "common/wire/query_message.h"

static void get_sections(struct unpack *in, Trawl__LabelText *const *m, size_t n, struct query *q) {
    if (n > LIMIT_LABELS) return unpack_refuse(in, ERR_LIMIT);
    q->section = unpack_array(in, n, sizeof *q->section);
    q->n_section = n;
    for (size_t i = 0; i < n && in->failed == ERR_OK; i++) {
        q->section[i].key = unpack_text(in, span_str(m[i]->key), LIMIT_LABEL_BYTES);
        q->section[i].value = unpack_text(in, span_str(m[i]->value), LIMIT_LABEL_BYTES);
    }
}

static struct span get_ref(struct unpack *in, const Trawl__CampaignRef *m) {
    return unpack_name_or_none(in, m ? span_str(m->id) : span_of("", 0));
}

static void get_more_by(struct unpack *in, char *const *m, size_t n, struct query *q) {
    if (n >= TOP_FIELDS_MAX) return unpack_refuse(in, ERR_LIMIT);
    q->more_by = unpack_array(in, n, sizeof *q->more_by);
    q->n_more_by = n;
    for (size_t i = 0; i < n && in->failed == ERR_OK; i++) q->more_by[i] = unpack_text(in, span_str(m[i]), LIMIT_LABEL_BYTES);
}

static struct span get_on(struct unpack *in, const char *m) { return unpack_text(in, span_str(m), LIMIT_SELECTOR_BYTES); }
static struct span get_where(struct unpack *in, const char *m) { return unpack_text(in, span_str(m), LIMIT_WHERE_BYTES); }

static void get_top(struct unpack *in, const Trawl__TopRequest *m, struct query *q) {
    if (m->rank > TOP_P99) return unpack_refuse(in, ERR_SYNTAX);
    q->on = get_on(in, m->on);
    q->where = get_where(in, m->where);
    get_more_by(in, m->more_by, m->n_more_by, q);
    q->campaign = get_ref(in, m->campaign);
    q->by = unpack_text(in, span_str(m->by), LIMIT_LABEL_BYTES);
    q->of = unpack_text(in, span_str(m->of), LIMIT_LABEL_BYTES);
    q->rank = (enum top_rank)m->rank;
    q->n = m->n;
    q->per_host = m->per_host;
    q->round = m->round;
}

static void get_hist(struct unpack *in, const Trawl__HistRequest *m, struct query *q) {
    q->campaign = get_ref(in, m->campaign);
    get_sections(in, m->section, m->n_section, q);
    q->per_host = m->per_host;
    q->drop_sections = m->drop_sections;
    q->merged_only = m->merged_only;
    q->round = m->round;
    q->on = get_on(in, m->on);
}

static void get_stacks(struct unpack *in, const Trawl__StacksRequest *m, struct query *q) {
    q->campaign = get_ref(in, m->campaign);
    q->n = m->n;
    q->round = m->round;
    if (m->rank > STACK_BY_TOTAL) return unpack_refuse(in, ERR_SYNTAX);
    q->on = get_on(in, m->on);
    q->focus = unpack_text(in, span_str(m->focus), LIMIT_LABEL_BYTES);
    q->ignore = unpack_text(in, span_str(m->ignore), LIMIT_LABEL_BYTES);
    q->by = unpack_text(in, span_str(m->by), LIMIT_LABEL_BYTES);
    q->stack_rank = (enum stack_rank)m->rank;
}

static void get_outliers(struct unpack *in, const Trawl__OutliersRequest *m, struct query *q) {
    q->campaign = get_ref(in, m->campaign);
    q->on = get_on(in, m->on);
    q->by = unpack_text(in, span_str(m->by), LIMIT_LABEL_BYTES);
    q->round = m->round;
}

static void get_events(struct unpack *in, const Trawl__EventsRequest *m, struct query *q) {
    q->campaign = get_ref(in, m->campaign);
    q->n = m->limit;
    q->round = m->round;
    q->on = get_on(in, m->on);
    q->where = get_where(in, m->where);
}

const ProtobufCMessageDescriptor *query_request_type(enum query_kind kind) {
    switch (kind) {
    case QUERY_REF:
        return &trawl__campaign_ref__descriptor;
    case QUERY_HOSTS:
        return &trawl__hosts_request__descriptor;
    case QUERY_CAMPAIGNS:
        return &trawl__campaigns_request__descriptor;
    case QUERY_HIST:
        return &trawl__hist_request__descriptor;
    case QUERY_TOP:
    case QUERY_CONNECTIONS:
        return &trawl__top_request__descriptor;
    case QUERY_OUTLIERS:
        return &trawl__outliers_request__descriptor;
    case QUERY_STACKS:
        return &trawl__stacks_request__descriptor;
    case QUERY_EVENTS:
        return &trawl__events_request__descriptor;
    }
    return NULL;
}

void query_request_get(struct unpack *in, enum query_kind kind, const ProtobufCMessage *m, struct query *q) {
    switch (kind) {
    case QUERY_REF:
        q->campaign = get_ref(in, (const Trawl__CampaignRef *)m);
        break;
    case QUERY_HOSTS:
        q->selector = unpack_text(in, span_str(((const Trawl__HostsRequest *)m)->selector), LIMIT_SELECTOR_BYTES);
        break;
    case QUERY_CAMPAIGNS:
        q->n = ((const Trawl__CampaignsRequest *)m)->limit;
        break;
    case QUERY_HIST:
        get_hist(in, (const Trawl__HistRequest *)m, q);
        break;
    case QUERY_OUTLIERS:
        get_outliers(in, (const Trawl__OutliersRequest *)m, q);
        break;
    case QUERY_TOP:
    case QUERY_CONNECTIONS:
        get_top(in, (const Trawl__TopRequest *)m, q);
        break;
    case QUERY_STACKS:
        get_stacks(in, (const Trawl__StacksRequest *)m, q);
        break;
    case QUERY_EVENTS:
        get_events(in, (const Trawl__EventsRequest *)m, q);
        break;
    }
}

static Trawl__CampaignRef *put_ref(struct pack *o, struct span id) {
    Trawl__CampaignRef *m = pack_array(o, 1, sizeof *m);
    if (!m) return NULL;
    trawl__campaign_ref__init(m);
    m->id = pack_name_or_none(o, id);
    return m;
}

static void put_hist(struct pack *o, const struct query *q, Trawl__HistRequest *m) {
    if (q->n_section > LIMIT_LABELS) return pack_fail(o, ERR_LIMIT);
    Trawl__LabelText *labels = pack_array(o, q->n_section, sizeof *labels);
    m->campaign = put_ref(o, q->campaign);
    m->per_host = q->per_host;
    m->drop_sections = q->drop_sections;
    m->merged_only = q->merged_only;
    m->round = q->round;
    m->on = pack_exact(o, q->on, LIMIT_SELECTOR_BYTES);
    m->section = pack_array(o, q->n_section, sizeof *m->section);
    m->n_section = q->n_section;
    for (size_t i = 0; i < q->n_section && o->failed == ERR_OK; i++) {
        trawl__label_text__init(&labels[i]);
        labels[i].key = pack_exact(o, q->section[i].key, LIMIT_LABEL_BYTES);
        labels[i].value = pack_exact(o, q->section[i].value, LIMIT_LABEL_BYTES);
        m->section[i] = &labels[i];
    }
}

static void put_top(struct pack *o, const struct query *q, Trawl__TopRequest *m) {
    if (q->rank > TOP_P99) pack_fail(o, ERR_SYNTAX);
    if (q->n_more_by >= TOP_FIELDS_MAX) return pack_fail(o, ERR_LIMIT);
    m->on = pack_exact(o, q->on, LIMIT_SELECTOR_BYTES);
    m->where = pack_exact(o, q->where, LIMIT_WHERE_BYTES);
    m->more_by = pack_array(o, q->n_more_by, sizeof *m->more_by);
    m->n_more_by = q->n_more_by;
    for (size_t i = 0; i < q->n_more_by && o->failed == ERR_OK; i++) m->more_by[i] = pack_exact(o, q->more_by[i], LIMIT_LABEL_BYTES);
    m->campaign = put_ref(o, q->campaign);
    m->by = pack_exact(o, q->by, LIMIT_LABEL_BYTES);
    m->of = pack_exact(o, q->of, LIMIT_LABEL_BYTES);
    m->rank = q->rank;
    m->n = q->n;
    m->per_host = q->per_host;
    m->round = q->round;
}

const ProtobufCMessage *query_request_put(struct pack *o, enum query_kind kind, const struct query *q, union query_request *m) {
    protobuf_c_message_init(query_request_type(kind), m);
    switch (kind) {
    case QUERY_REF:
        m->ref.id = pack_name_or_none(o, q->campaign);
        break;
    case QUERY_HOSTS:
        m->hosts.selector = pack_exact(o, q->selector, LIMIT_SELECTOR_BYTES);
        break;
    case QUERY_CAMPAIGNS:
        m->campaigns.limit = q->n;
        break;
    case QUERY_HIST:
        put_hist(o, q, &m->hist);
        break;
    case QUERY_OUTLIERS:
        m->outliers.campaign = put_ref(o, q->campaign);
        m->outliers.on = pack_exact(o, q->on, LIMIT_SELECTOR_BYTES);
        m->outliers.by = pack_exact(o, q->by, LIMIT_LABEL_BYTES);
        m->outliers.round = q->round;
        break;
    case QUERY_TOP:
    case QUERY_CONNECTIONS:
        put_top(o, q, &m->top);
        break;
    case QUERY_STACKS:
        m->stacks.campaign = put_ref(o, q->campaign);
        m->stacks.n = q->n;
        m->stacks.round = q->round;
        m->stacks.on = pack_exact(o, q->on, LIMIT_SELECTOR_BYTES);
        m->stacks.focus = pack_exact(o, q->focus, LIMIT_LABEL_BYTES);
        m->stacks.ignore = pack_exact(o, q->ignore, LIMIT_LABEL_BYTES);
        m->stacks.by = pack_exact(o, q->by, LIMIT_LABEL_BYTES);
        m->stacks.rank = q->stack_rank;
        break;
    case QUERY_EVENTS:
        m->events.campaign = put_ref(o, q->campaign);
        m->events.limit = q->n;
        m->events.round = q->round;
        m->events.on = pack_exact(o, q->on, LIMIT_SELECTOR_BYTES);
        m->events.where = pack_exact(o, q->where, LIMIT_WHERE_BYTES);
        break;
    }
    return &m->base;
}
