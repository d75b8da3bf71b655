/* The signed campaign: made and signed at the console, verified by the collector (courtesy) and by every agent (authority). */
#pragma once

#include "common/catalog/catalog.h"
#include "common/crypto/sign.h"
#include "common/identity/identity.h"
#include "common/wire/spec.h"

#define ORDER_DOMAIN SPAN_LIT("trawl order v1\n") /* signed in front of the spec's bytes */

enum { ORDER_EXPIRY_MAX_S = 7 * 24 * 3600, ORDER_CLOCK_SKEW_S = 120 };

/* Sign spec's bytes.  *out gets an encoded SignedOrder appended.
 * Errors: ERR_LIMIT over LIMIT_SPEC_BYTES or LIMIT_CERTIFICATES_BYTES; ERR_EXPIRED the signer's own certificate ends before the order is
 * issued; ERR_NOMEM. */
NODISCARD enum err order_sign(const struct spec *s, const struct signer *by, struct buf *out);

/* The same envelope over other bytes behind another domain; the certificate's end is not compared with anything. */
NODISCARD enum err order_sign_bytes(struct span domain, struct span bytes, const struct signer *by, struct buf *out);

/* What an order must fit to be obeyed here. */
struct order_check {
    const struct trust *operators;
    const char *fleet;
    uint64_t wall_ns;
    struct span host; /* .p NULL: not a host (the collector), targets are not compared */
    const struct label *labels;
    size_t n_labels;
    const char *may_sign; /* words as of identity.h; NULL: IDENTITY_MAY_SIGN */
};

/* A verified order.  In mem. */
struct order {
    struct spec spec;
    struct identity signer;
    struct span operator_name; /* the signer's */
    const struct tool *tool;
    enum flavour_id flavour; /* FLAVOUR_ANY: params fit at least one of the tool's flavours */
    struct params params;
};

/* Who of this fleet's operators signed domain and so->spec?  Of check: operators, fleet, wall_ns.  Authority is not looked at.
 * ERR_SYNTAX, ERR_LIMIT, ERR_UNTRUSTED, ERR_EXPIRED, ERR_NOMEM, with why. */
NODISCARD enum err order_verify_signer(const struct signed_order *so, struct span domain, const struct order_check *check, char *why,
                                       size_t why_size, struct identity *out_signer);

/* What an unsigned spec asks for, checked as below: tool, flavour and params of *out are set, and spec.  The same errors. */
NODISCARD enum err order_read_tool(const struct spec *s, char *why, size_t why_size, struct order *out);
/* All that order_verify asks of a spec, its authority apart; valid for at most valid_max_s.  Of out, signer and operator_name are empty.
 * why and errors as order_verify's. */
NODISCARD enum err order_check_spec(const struct spec *s, uint64_t valid_max_s, const struct order_check *check, struct arena *mem,
                                    char *why, size_t why_size, struct order *out);

/* The signature verifies against operators, the signer is an operator of this fleet, may sign here, fleet agrees, not expired, not from the
 * future, this host is targeted, tool and parameters are in the catalogue.  Nothing of the spec is read before its signature holds.
 * Of a trigger's firing the trigger's signature, and what rule.h says.  why: a sentence for the console.  Replays are the caller's to find
 * (spec.campaign). Errors: ERR_SYNTAX, ERR_LIMIT, ERR_UNTRUSTED, ERR_EXPIRED, ERR_REFUSED (a signer without the authority, other fleet,
 * other host, unknown tool or parameters), ERR_VERSION, ERR_NOMEM. */
NODISCARD enum err order_verify(const struct signed_order *so, const struct order_check *check, struct arena *mem, char *why,
                                size_t why_size, struct order *out);
