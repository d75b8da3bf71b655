#include "common/wire/query_message.h"

static void get_notes(struct unpack *in, char *const *notes, size_t n, struct answer *a) {
    a->notes = unpack_array(in, n, sizeof *a->notes);
    a->n_notes = n;
    for (size_t i = 0; i < n && in->failed == ERR_OK; i++) a->notes[i] = unpack_text(in, span_str(notes[i]), LIMIT_NOTE_BYTES);
}

static void get_hist(struct unpack *in, const Trawl__HistAnswer *m, struct answer *a) {
    if (m->merged) message_hists_get(in, m->merged, &a->merged);
    a->host_hists = unpack_array(in, m->n_hosts, sizeof *a->host_hists);
    a->n_host_hists = m->n_hosts;
    for (size_t i = 0; i < m->n_hosts && in->failed == ERR_OK; i++) {
        a->host_hists[i].host = unpack_name(in, span_str(m->hosts[i]->host));
        if (m->hosts[i]->histograms) message_hists_get(in, m->hosts[i]->histograms, &a->host_hists[i].hists);
    }
}

static void get_top(struct unpack *in, const Trawl__TopAnswer *m, struct answer *a) {
    a->groups = m->groups;
    a->exact = m->exact;
    a->by = unpack_text(in, span_str(m->by), LIMIT_LABEL_BYTES);
    a->of = unpack_text(in, span_str(m->of), LIMIT_LABEL_BYTES);
    a->top = unpack_array(in, m->n_rows, sizeof *a->top);
    a->n_top = m->n_rows;
    for (size_t i = 0; i < m->n_rows && in->failed == ERR_OK; i++) {
        const Trawl__TopRow *from = m->rows[i];
        if (from->decimals > LIMIT_DECIMALS) unpack_refuse(in, ERR_SYNTAX);
        a->top[i].host = unpack_name_or_none(in, span_str(from->host));
        a->top[i].row = (struct top_row){
            .value = unpack_bytes(in, from->value, LIMIT_TEXT_BYTES),
            .count = from->count,
            .total = from->total,
            .max = from->max,
            .decimals = from->decimals,
        };
    }
}

static void get_stacks(struct unpack *in, const Trawl__StacksAnswer *m, struct answer *a) {
    message_stacks_get(in, m->stacks, &a->stacks);
    a->total = m->total;
    a->distinct = m->distinct;
}

static void get_events(struct unpack *in, const Trawl__EventsAnswer *m, struct answer *a) {
    a->total = m->total;
    a->host_events = unpack_array(in, m->n_hosts, sizeof *a->host_events);
    a->n_host_events = m->n_hosts;
    for (size_t i = 0; i < m->n_hosts && in->failed == ERR_OK; i++) {
        a->host_events[i].host = unpack_name(in, span_str(m->hosts[i]->host));
        if (!m->hosts[i]->events) return unpack_refuse(in, ERR_SYNTAX);
        message_events_get(in, m->hosts[i]->events, &a->host_events[i].events);
    }
}

const ProtobufCMessageDescriptor *query_answer_type(enum query_kind kind) {
    switch (kind) {
    case QUERY_HIST:
        return &trawl__hist_answer__descriptor;
    case QUERY_TOP:
        return &trawl__top_answer__descriptor;
    case QUERY_STACKS:
        return &trawl__stacks_answer__descriptor;
    case QUERY_EVENTS:
        return &trawl__events_answer__descriptor;
    case QUERY_REF:
    case QUERY_HOSTS:
    case QUERY_CAMPAIGNS:
        break;
    }
    return NULL;
}

/* info, targets and notes are of the same types in all four, each in its own place. */
#define GET_COMMON(in, m, a)                                                                                                               \
    do {                                                                                                                                   \
        query_message_get_info(in, (m)->info, &(a)->info);                                                                                 \
        query_message_get_targets(in, (m)->targets, (m)->n_targets, &(a)->targets);                                                        \
        (a)->n_targets = (m)->n_targets;                                                                                                   \
        get_notes(in, (m)->notes, (m)->n_notes, a);                                                                                        \
    } while (0)

void query_answer_get(struct unpack *in, enum query_kind kind, const ProtobufCMessage *m, struct answer *a) {
    if (kind == QUERY_HIST) {
        GET_COMMON(in, (const Trawl__HistAnswer *)m, a);
        get_hist(in, (const Trawl__HistAnswer *)m, a);
    } else if (kind == QUERY_TOP) {
        GET_COMMON(in, (const Trawl__TopAnswer *)m, a);
        get_top(in, (const Trawl__TopAnswer *)m, a);
    } else if (kind == QUERY_STACKS) {
        GET_COMMON(in, (const Trawl__StacksAnswer *)m, a);
        get_stacks(in, (const Trawl__StacksAnswer *)m, a);
    } else {
        GET_COMMON(in, (const Trawl__EventsAnswer *)m, a);
        get_events(in, (const Trawl__EventsAnswer *)m, a);
    }
}

static char **put_notes(struct pack *o, const struct answer *a) {
    char **notes = pack_array(o, a->n_notes, sizeof *notes);
    for (size_t i = 0; i < a->n_notes && o->failed == ERR_OK; i++) notes[i] = pack_text(o, a->notes[i], LIMIT_NOTE_BYTES);
    return notes;
}

static void put_hist(struct pack *o, const struct answer *a, Trawl__HistAnswer *m) {
    Trawl__HostHistogram *hosts = pack_array(o, a->n_host_hists, sizeof *hosts);
    m->merged = message_hists_put(o, &a->merged);
    m->hosts = pack_array(o, a->n_host_hists, sizeof *m->hosts);
    m->n_hosts = a->n_host_hists;
    for (size_t i = 0; i < a->n_host_hists && o->failed == ERR_OK; i++) {
        trawl__host_histogram__init(&hosts[i]);
        hosts[i].host = pack_name(o, a->host_hists[i].host);
        hosts[i].histograms = message_hists_put(o, &a->host_hists[i].hists);
        m->hosts[i] = &hosts[i];
    }
}

static void put_top(struct pack *o, const struct answer *a, Trawl__TopAnswer *m) {
    Trawl__TopRow *rows = pack_array(o, a->n_top, sizeof *rows);
    m->rows = pack_array(o, a->n_top, sizeof *m->rows);
    m->n_rows = a->n_top;
    m->groups = a->groups;
    m->exact = a->exact;
    m->by = pack_text(o, a->by, LIMIT_LABEL_BYTES);
    m->of = pack_text(o, a->of, LIMIT_LABEL_BYTES);
    for (size_t i = 0; i < a->n_top && o->failed == ERR_OK; i++) {
        const struct top_row *from = &a->top[i].row;
        if (from->decimals > LIMIT_DECIMALS) pack_fail(o, ERR_SYNTAX);
        trawl__top_row__init(&rows[i]);
        rows[i].value = pack_bytes(o, pack_cut(o, from->value, LIMIT_TEXT_BYTES), LIMIT_TEXT_BYTES);
        rows[i].count = from->count;
        rows[i].total = from->total;
        rows[i].max = from->max;
        rows[i].decimals = from->decimals;
        rows[i].host = pack_name_or_none(o, a->top[i].host);
        m->rows[i] = &rows[i];
    }
}

static void put_stacks(struct pack *o, const struct answer *a, Trawl__StacksAnswer *m) {
    m->stacks = message_stacks_put(o, &a->stacks);
    m->total = a->total;
    m->distinct = a->distinct;
}

static void put_events(struct pack *o, const struct answer *a, Trawl__EventsAnswer *m) {
    Trawl__HostEvents *hosts = pack_array(o, a->n_host_events, sizeof *hosts);
    m->total = a->total;
    m->hosts = pack_array(o, a->n_host_events, sizeof *m->hosts);
    m->n_hosts = a->n_host_events;
    for (size_t i = 0; i < a->n_host_events && o->failed == ERR_OK; i++) {
        trawl__host_events__init(&hosts[i]);
        hosts[i].host = pack_name(o, a->host_events[i].host);
        hosts[i].events = message_events_put(o, &a->host_events[i].events);
        m->hosts[i] = &hosts[i];
    }
}

#define PUT_COMMON(o, a, m)                                                                                                                \
    do {                                                                                                                                   \
        (m)->info = query_message_put_info(o, &(a)->info);                                                                                 \
        (m)->targets = query_message_put_targets(o, (a)->targets, (a)->n_targets);                                                         \
        (m)->n_targets = (a)->n_targets;                                                                                                   \
        (m)->notes = put_notes(o, a);                                                                                                      \
        (m)->n_notes = (a)->n_notes;                                                                                                       \
    } while (0)

const ProtobufCMessage *query_answer_put(struct pack *o, enum query_kind kind, const struct answer *a, union query_answer *m) {
    protobuf_c_message_init(query_answer_type(kind), m);
    if (kind == QUERY_HIST) {
        PUT_COMMON(o, a, &m->hist);
        put_hist(o, a, &m->hist);
    } else if (kind == QUERY_TOP) {
        PUT_COMMON(o, a, &m->top);
        put_top(o, a, &m->top);
    } else if (kind == QUERY_STACKS) {
        PUT_COMMON(o, a, &m->stacks);
        put_stacks(o, a, &m->stacks);
    } else {
        PUT_COMMON(o, a, &m->events);
        put_events(o, a, &m->events);
    }
    return &m->base;
}
