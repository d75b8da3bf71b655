/* The order's Spec and its signed envelope ⇄ bytes.  Syntax and limits only: what they mean is common/order's. */
#pragma once

#include "common/base/buf.h"
#include "common/wire/part.h"

struct spec_param {
    struct span name, text;
    int64_t number;
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
};

struct signed_order {
    struct span spec, signature, certificates;
};

NODISCARD enum err spec_decode(struct span bytes, struct arena *mem, struct spec *out);
NODISCARD enum err spec_encode(const struct spec *s, struct buf *out);
NODISCARD enum err spec_decode_signed(struct span bytes, struct arena *mem, struct signed_order *out);
NODISCARD enum err spec_encode_signed(const struct signed_order *o, struct buf *out);
