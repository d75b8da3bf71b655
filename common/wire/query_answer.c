#include <math.h>

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
    a->merged_hosts = m->merged_hosts;
    for (size_t i = 0; i < m->n_hosts && in->failed == ERR_OK; i++) {
        a->host_hists[i].host = unpack_name(in, span_str(m->hosts[i]->host));
        if (m->hosts[i]->histograms) message_hists_get(in, m->hosts[i]->histograms, &a->host_hists[i].hists);
    }
}

static void get_more_by(struct unpack *in, const Trawl__TopAnswer *m, struct answer *a) {
    if (m->n_more_by >= TOP_FIELDS_MAX) return unpack_refuse(in, ERR_LIMIT);
    a->more_by = unpack_array(in, m->n_more_by, sizeof *a->more_by);
    a->n_more_by = m->n_more_by;
    for (size_t i = 0; i < m->n_more_by && in->failed == ERR_OK; i++)
        a->more_by[i] = unpack_text(in, span_str(m->more_by[i]), LIMIT_LABEL_BYTES);
}

static void get_top(struct unpack *in, const Trawl__TopAnswer *m, struct answer *a) {
    a->groups = m->groups;
    a->exact = m->exact;
    a->by = unpack_text(in, span_str(m->by), LIMIT_LABEL_BYTES);
    a->of = unpack_text(in, span_str(m->of), LIMIT_LABEL_BYTES);
    get_more_by(in, m, a);
    if (m->rank > TOP_P99) unpack_refuse(in, ERR_SYNTAX);
    a->rank = (enum top_rank)m->rank;
    a->bounded = m->bounded;
    a->unlisted = m->unlisted;
    a->matched = m->matched;
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
            .count_error = from->count_error,
            .total_error = from->total_error,
            .p99 = {.known = from->has_p99, .value = from->p99},
        };
        if (from->n_more != a->n_more_by || from->count_error > from->count || !isfinite(from->p99)) return unpack_refuse(in, ERR_SYNTAX);
        for (size_t v = 0; v < from->n_more; v++) a->top[i].row.values[1 + v] = unpack_bytes(in, from->more[v], LIMIT_TEXT_BYTES);
    }
}

static void get_stacks(struct unpack *in, const Trawl__StacksAnswer *m, struct answer *a) {
    message_stacks_get(in, m->stacks, &a->stacks);
    a->total = m->total;
    a->distinct = m->distinct;
    a->whole = m->whole;
    a->all_parts = m->all_parts;
    a->by = unpack_text(in, span_str(m->by), LIMIT_LABEL_BYTES);
    a->parts = unpack_array(in, m->n_parts, sizeof *a->parts);
    a->n_parts = m->n_parts;
    for (size_t i = 0; i < m->n_parts && in->failed == ERR_OK; i++)
        a->parts[i] = (struct stack_part){unpack_bytes(in, m->parts[i]->name, LIMIT_TEXT_BYTES), m->parts[i]->self, m->parts[i]->total};
}

static void get_outlier(struct unpack *in, const Trawl__Outlier *m, struct answer_outlier *out) {
    if (!isfinite(m->octaves) || !isfinite(m->q) || !isfinite(m->times)) return unpack_refuse(in, ERR_SYNTAX);
    *out = (struct answer_outlier){.host = unpack_name(in, span_str(m->host)),
                                   .group = unpack_text(in, span_str(m->group), 2 * LIMIT_LABEL_BYTES),
                                   .octaves = m->octaves,
                                   .q = m->q,
                                   .times = m->times,
                                   .low = m->low,
                                   .high = m->high,
                                   .unit = unpack_text(in, span_str(m->unit), LIMIT_LABEL_BYTES),
                                   .what = unpack_text(in, span_str(m->what), LIMIT_LABEL_BYTES),
                                   .name = unpack_bytes(in, m->name, LIMIT_TEXT_BYTES),
                                   .peers = m->peers,
                                   .sentence = unpack_text(in, span_str(m->sentence), LIMIT_NOTE_BYTES)};
}

static void get_outliers(struct unpack *in, const Trawl__OutliersAnswer *m, struct answer *a) {
    a->tested = m->tested;
    a->outliers = unpack_array(in, m->n_outliers, sizeof *a->outliers);
    a->n_outliers = m->n_outliers;
    for (size_t i = 0; i < m->n_outliers && in->failed == ERR_OK; i++) get_outlier(in, m->outliers[i], &a->outliers[i]);
    a->groups_compared = unpack_array(in, m->n_groups, sizeof *a->groups_compared);
    a->n_groups_compared = m->n_groups;
    for (size_t i = 0; i < m->n_groups && in->failed == ERR_OK; i++)
        a->groups_compared[i] = unpack_text(in, span_str(m->groups[i]), LIMIT_NOTE_BYTES);
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
    case QUERY_OUTLIERS:
        return &trawl__outliers_answer__descriptor;
    case QUERY_TOP:
    case QUERY_CONNECTIONS:
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

/* info, targets and notes are of the same types in all of them, each in its own place. */
#define GET_COMMON(in, m, a)                                                                                                               \
    do {                                                                                                                                   \
        query_message_get_info(in, (m)->info, &(a)->info);                                                                                 \
        query_message_get_targets(in, (m)->targets, (m)->n_targets, &(a)->targets);                                                        \
        (a)->n_targets = (m)->n_targets;                                                                                                   \
        query_message_get_targets(in, (m)->measured, (m)->n_measured, &(a)->measured);                                                     \
        (a)->n_measured = (m)->n_measured;                                                                                                 \
        get_notes(in, (m)->notes, (m)->n_notes, a);                                                                                        \
    } while (0)

void query_answer_get(struct unpack *in, enum query_kind kind, const ProtobufCMessage *m, struct answer *a) {
    if (kind == QUERY_HIST) {
        GET_COMMON(in, (const Trawl__HistAnswer *)m, a);
        get_hist(in, (const Trawl__HistAnswer *)m, a);
    } else if (kind == QUERY_OUTLIERS) {
        GET_COMMON(in, (const Trawl__OutliersAnswer *)m, a);
        get_outliers(in, (const Trawl__OutliersAnswer *)m, a);
    } else if (kind == QUERY_TOP || kind == QUERY_CONNECTIONS) {
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
    m->merged_hosts = a->merged_hosts;
    for (size_t i = 0; i < a->n_host_hists && o->failed == ERR_OK; i++) {
        trawl__host_histogram__init(&hosts[i]);
        hosts[i].host = pack_name(o, a->host_hists[i].host);
        hosts[i].histograms = message_hists_put(o, &a->host_hists[i].hists);
        m->hosts[i] = &hosts[i];
    }
}

static void put_more(struct pack *o, const struct top_row *from, size_t n, Trawl__TopRow *m) {
    m->more = pack_array(o, n, sizeof *m->more);
    m->n_more = n;
    for (size_t v = 0; v < n && o->failed == ERR_OK; v++)
        m->more[v] = pack_bytes(o, pack_cut(o, from->values[1 + v], LIMIT_TEXT_BYTES), LIMIT_TEXT_BYTES);
}

static void put_top(struct pack *o, const struct answer *a, Trawl__TopAnswer *m) {
    Trawl__TopRow *rows = pack_array(o, a->n_top, sizeof *rows);
    m->rows = pack_array(o, a->n_top, sizeof *m->rows);
    m->n_rows = a->n_top;
    m->groups = a->groups;
    m->exact = a->exact;
    m->by = pack_text(o, a->by, LIMIT_LABEL_BYTES);
    m->of = pack_text(o, a->of, LIMIT_LABEL_BYTES);
    if (a->n_more_by >= TOP_FIELDS_MAX || a->rank > TOP_P99) return pack_fail(o, ERR_SYNTAX);
    m->more_by = pack_array(o, a->n_more_by, sizeof *m->more_by);
    m->n_more_by = a->n_more_by;
    for (size_t i = 0; i < a->n_more_by && o->failed == ERR_OK; i++) m->more_by[i] = pack_text(o, a->more_by[i], LIMIT_LABEL_BYTES);
    m->rank = a->rank;
    m->bounded = a->bounded;
    m->unlisted = a->unlisted;
    m->matched = a->matched;
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
        rows[i].count_error = from->count_error;
        rows[i].total_error = from->total_error;
        rows[i].has_p99 = from->p99.known;
        rows[i].p99 = from->p99.value;
        if (from->count_error > from->count || !isfinite(from->p99.value)) pack_fail(o, ERR_SYNTAX);
        put_more(o, from, a->n_more_by, &rows[i]);
        m->rows[i] = &rows[i];
    }
}

static void put_stacks(struct pack *o, const struct answer *a, Trawl__StacksAnswer *m) {
    m->stacks = message_stacks_put(o, &a->stacks);
    Trawl__StackPart *parts = pack_array(o, a->n_parts, sizeof *parts);
    m->total = a->total;
    m->distinct = a->distinct;
    m->whole = a->whole;
    m->all_parts = a->all_parts;
    m->by = pack_text(o, a->by, LIMIT_LABEL_BYTES);
    m->parts = pack_array(o, a->n_parts, sizeof *m->parts);
    m->n_parts = a->n_parts;
    for (size_t i = 0; i < a->n_parts && o->failed == ERR_OK; i++) {
        trawl__stack_part__init(&parts[i]);
        parts[i].name = pack_bytes(o, pack_cut(o, a->parts[i].name, LIMIT_TEXT_BYTES), LIMIT_TEXT_BYTES);
        parts[i].self = a->parts[i].self;
        parts[i].total = a->parts[i].total;
        m->parts[i] = &parts[i];
    }
}

static void put_outlier(struct pack *o, const struct answer_outlier *from, Trawl__Outlier *m) {
    trawl__outlier__init(m);
    if (!isfinite(from->octaves) || !isfinite(from->q) || !isfinite(from->times)) return pack_fail(o, ERR_SYNTAX);
    m->host = pack_name(o, from->host);
    m->group = pack_text(o, from->group, 2 * LIMIT_LABEL_BYTES);
    m->octaves = from->octaves;
    m->q = from->q;
    m->times = from->times;
    m->low = from->low;
    m->high = from->high;
    m->unit = pack_text(o, from->unit, LIMIT_LABEL_BYTES);
    m->what = pack_text(o, from->what, LIMIT_LABEL_BYTES);
    m->name = pack_bytes(o, pack_cut(o, from->name, LIMIT_TEXT_BYTES), LIMIT_TEXT_BYTES);
    m->peers = from->peers;
    m->sentence = pack_text(o, from->sentence, LIMIT_NOTE_BYTES);
}

static void put_outliers(struct pack *o, const struct answer *a, Trawl__OutliersAnswer *m) {
    Trawl__Outlier *outliers = pack_array(o, a->n_outliers, sizeof *outliers);
    m->tested = a->tested;
    m->outliers = pack_array(o, a->n_outliers, sizeof *m->outliers);
    m->n_outliers = a->n_outliers;
    for (size_t i = 0; i < a->n_outliers && o->failed == ERR_OK; i++) {
        put_outlier(o, &a->outliers[i], &outliers[i]);
        m->outliers[i] = &outliers[i];
    }
    m->groups = pack_array(o, a->n_groups_compared, sizeof *m->groups);
    m->n_groups = a->n_groups_compared;
    for (size_t i = 0; i < a->n_groups_compared && o->failed == ERR_OK; i++)
        m->groups[i] = pack_text(o, a->groups_compared[i], LIMIT_NOTE_BYTES);
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
        (m)->measured = query_message_put_targets(o, (a)->measured, (a)->n_measured);                                                      \
        (m)->n_measured = (a)->n_measured;                                                                                                 \
        (m)->notes = put_notes(o, a);                                                                                                      \
        (m)->n_notes = (a)->n_notes;                                                                                                       \
    } while (0)

const ProtobufCMessage *query_answer_put(struct pack *o, enum query_kind kind, const struct answer *a, union query_answer *m) {
    protobuf_c_message_init(query_answer_type(kind), m);
    if (kind == QUERY_HIST) {
        PUT_COMMON(o, a, &m->hist);
        put_hist(o, a, &m->hist);
    } else if (kind == QUERY_OUTLIERS) {
        PUT_COMMON(o, a, &m->outliers);
        put_outliers(o, a, &m->outliers);
    } else if (kind == QUERY_TOP || kind == QUERY_CONNECTIONS) {
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
