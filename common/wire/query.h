/* What a console asks and is told ⇄ bytes.  Errors as in part.h. */
#pragma once

#include "common/merge/stack_view.h"
#include "common/merge/top.h"
#include "common/wire/session.h"

struct host_info {
    struct facts facts;
    bool online;
    uint64_t seen_wall_ns, cert_expires_wall_ns;
    struct span address;
    struct span note; /* what is wrong with it; empty: nothing */
};
struct host_list {
    struct host_info *hosts;
    size_t n;
};

struct campaign_info {
    struct span id, operator_name;
    struct spec spec;
    struct span state; /* "running", "paused", "done", "stopped" */
    struct span why;   /* of "stopped" and "paused" */
    uint64_t created_wall_ns, ended_wall_ns;
    uint32_t coverage[COVERAGE__COUNT];
    uint32_t targeted;
    uint32_t with_result; /* hosts that ended neither ok nor partial, yet whose results until then are in the answer */
    struct ledger ledger;
    bool replayed;
    uint32_t wave, waves;                             /* the one under way, from 1 on */
    uint32_t held;                                    /* pending hosts whose turn has not come */
    uint64_t first_start_wall_ns, last_start_wall_ns; /* of the tools, by the collector's clock; 0: none has */
};
struct campaign_list {
    struct campaign_info *campaigns;
    size_t n;
};

struct target_info {
    struct span host;
    enum coverage coverage;
    struct span reason;
    struct outcome *outcome; /* NULL until its last part has come */
};
struct campaign_detail {
    struct campaign_info info;
    struct target_info *targets;
    size_t n_targets;
};

/* One request type serves all the verbs; each method reads the fields it names in console.proto. */
struct query {
    struct span campaign; /* id, prefix or "last" */
    struct span selector;
    struct label *section;
    size_t n_section;
    struct span on;            /* a selector: of these hosts of the campaign only */
    struct span where;         /* of these rows only */
    struct span focus, ignore; /* of stacks */
    struct span by, of;
    struct span *more_by; /* further fields */
    size_t n_more_by;
    enum top_rank rank;
    enum stack_rank stack_rank;
    uint32_t n;
    uint32_t round; /* 1 + the round; 0: all together */
    bool per_host, drop_sections, merged_only;
};

struct host_hist {
    struct span host;
    struct hist_set hists;
};
struct host_events {
    struct span host;
    struct events events;
};
struct answer_top_row {
    struct top_row row;
    struct span host;
};

struct answer_outlier {
    struct span host, group; /* group: whom it was compared with: "role=db"; empty: all */
    double octaves, q, times;
    uint64_t low, high;
    struct span unit, what, name;
    uint32_t peers;
    struct span sentence;
};

struct bands;
/* One answer type for Hist, Top, Stacks, Events, Connections (as Top) and Outliers: kind says which of the bodies is filled. */
struct answer {
    struct campaign_info info;
    const struct bands *bands;   /* of whoever reads it, not of the wire; NULL: the catalogue's alone */
    struct target_info *targets; /* those not ok */
    size_t n_targets;
    struct target_info *measured; /* those that are */
    size_t n_measured;
    struct span *notes;
    size_t n_notes;
    /* Hist */
    struct hist_set merged;
    struct host_hist *host_hists;
    size_t n_host_hists;
    uint32_t merged_hosts; /* hosts that are in merged */
    /* Top */
    struct answer_top_row *top;
    size_t n_top;
    uint32_t groups;
    bool exact;
    struct span by, of; /* Stacks: what the parts are */
    struct span *more_by;
    size_t n_more_by;
    enum top_rank rank;
    bool bounded;      /* rows have nothing but what they are ranked by, with its error */
    uint64_t unlisted; /* bounded: what a group that is not listed may have at most */
    uint64_t matched;  /* rows that fulfilled the condition */
    /* Stacks */
    struct stacks stacks;
    struct stack_part *parts;
    size_t n_parts;
    uint32_t all_parts;        /* there are */
    uint64_t whole;            /* total before focus and ignore */
    const struct answer *also; /* of whoever reads it, not of the wire: heads of further campaigns whose stacks were added to these */
    size_t n_also;
    uint64_t total; /* Stacks: sum of counts; Events: rows in all */
    uint32_t distinct;
    /* Events */
    struct host_events *host_events;
    size_t n_host_events;
    /* Outliers */
    struct answer_outlier *outliers;
    size_t n_outliers;
    uint32_t tested;
    struct span *groups_compared; /* "role=db: 40 hosts" */
    size_t n_groups_compared;
};

/* What would become of an order on one host.  It is asked with the bytes of its spec. */
struct plan_row {
    struct span host;
    enum coverage coverage; /* ok: it would run */
    struct span flavour;
    struct span why; /* this flavour; or why it would not run */
    bool cost_known, cost_at_least;
    uint64_t cost_events_per_s, cost_ppm;
};
struct plan {
    struct plan_row *rows;
    size_t n;
};
NODISCARD enum err query_plan_decode(struct span bytes, struct arena *mem, struct plan *out);
NODISCARD enum err query_plan_encode(const struct plan *p, struct buf *out);

/* The audit log, piece by piece: asked with an offset alone, answered with complete lines from there and where the next ones begin. */
struct query_audit {
    uint64_t offset;
    struct span lines, checkpoint; /* checkpoint: with the last piece, which has no lines */
};
NODISCARD enum err query_audit_decode(struct span bytes, struct arena *mem, struct query_audit *out);
NODISCARD enum err query_audit_encode(const struct query_audit *a, struct buf *out);

/* A campaign's stored parts as they came, some hosts at a time: asked with the campaign and the host before, answered with the parts of the
 * next ones and, first, the signed order. */
struct query_part {
    struct span host;
    uint32_t round, part;
    struct span body;
};
struct query_parts {
    struct span campaign, after;
    struct span order;
    struct query_part *parts;
    size_t n;
    struct span last; /* what to ask with next; empty: that was all */
};
NODISCARD enum err query_parts_decode(struct span bytes, struct arena *mem, struct query_parts *out);
NODISCARD enum err query_parts_encode(const struct query_parts *p, struct buf *out);

enum query_kind {
    QUERY_REF,
    QUERY_HOSTS,
    QUERY_CAMPAIGNS,
    QUERY_HIST,
    QUERY_TOP,
    QUERY_STACKS,
    QUERY_EVENTS,
    QUERY_CONNECTIONS,
    QUERY_OUTLIERS
};
NODISCARD enum err query_decode(enum query_kind kind, struct span bytes, struct arena *mem, struct query *out);
NODISCARD enum err query_encode(enum query_kind kind, const struct query *q, struct buf *out);

NODISCARD enum err query_decode_answer(enum query_kind kind, struct span bytes, struct arena *mem, struct answer *out);
NODISCARD enum err query_encode_answer(enum query_kind kind, const struct answer *a, struct buf *out);

NODISCARD enum err query_decode_hosts(struct span bytes, struct arena *mem, struct host_list *out);
NODISCARD enum err query_encode_hosts(const struct host_list *l, struct buf *out);
NODISCARD enum err query_decode_campaigns(struct span bytes, struct arena *mem, struct campaign_list *out);
NODISCARD enum err query_encode_campaigns(const struct campaign_list *l, struct buf *out);
NODISCARD enum err query_decode_info(struct span bytes, struct arena *mem, struct campaign_info *out);
NODISCARD enum err query_encode_info(const struct campaign_info *i, struct buf *out);
NODISCARD enum err query_decode_detail(struct span bytes, struct arena *mem, struct campaign_detail *out);
NODISCARD enum err query_encode_detail(const struct campaign_detail *d, struct buf *out);
