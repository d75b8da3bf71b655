/* The order's Spec and its signed envelope ⇄ bytes.  Syntax and limits only: what they mean is common/order's. */
#pragma once

#include "common/base/buf.h"
#include "common/wire/part.h"

/* So many hosts, or such a part of them: one of the two; both 0: not given. */
struct share {
    uint32_t count, permille;
};
static inline bool share_given(struct share s) { return s.count > 0 || s.permille > 0; }
/* Of n: rounded up, so at least one of any, and at most n. */
static inline size_t share_of(struct share s, size_t n) {
    size_t some = s.count ? s.count : (n * s.permille + 999) / 1000;
    return some < n ? some : n;
}

/* When a campaign stops itself; 0: never for this reason. */
struct stop_when {
    struct share failures, refusals;
    uint32_t cpu_permille, agent_deaths, pressure_permille;
};

struct spec {
    uint32_t version;
    struct span fleet;
    struct campaign_id campaign;
    struct span tool, flavour;
    struct spec_param *params;
    size_t n_params;
    uint32_t duration_s;
    struct span selector;
    uint64_t issued_wall_ms, expires_wall_ms;
    struct share limit;
    uint64_t seed;
    struct share *waves;
    size_t n_waves;
    uint32_t rate_per_s, concurrency;
    struct span domain; /* a label's key; "": none */
    uint32_t domain_hosts;
    struct stop_when stop;
    uint64_t start_wall_ms;
    uint32_t rounds, every_s;
    struct {
        uint32_t states; /* bit per enum coverage; 0: it is no retry */
        struct campaign_id campaign;
    } retry;
    uint32_t join_s;
    struct {
        uint64_t number;          /* 0: it is an operator's own order, no trigger's firing */
        struct span why, trigger; /* trigger: its name */
    } fired;
};

struct signed_order {
    struct span spec, signature, certificates;
    struct span trigger; /* of a firing: what was signed; empty: spec was */
};

/* Captures on each host: at least one. */
static inline uint32_t spec_rounds(const struct spec *s) { return s->rounds ? s->rounds : 1; }
/* Are hosts held back, so that not all of them start at once? */
static inline bool spec_is_paced(const struct spec *s) { return s->n_waves || s->rate_per_s || s->concurrency || s->domain_hosts; }

NODISCARD enum err spec_decode(struct span bytes, struct arena *mem, struct spec *out);
NODISCARD enum err spec_encode(const struct spec *s, struct buf *out);
NODISCARD enum err spec_decode_signed(struct span bytes, struct arena *mem, struct signed_order *out);
NODISCARD enum err spec_encode_signed(const struct signed_order *o, struct buf *out);
