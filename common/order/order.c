#include "common/order/order.h"

#include <stdarg.h>

#include "common/base/clock.h"
#include "common/order/course.h"
#include "common/order/rule.h"
#include "common/order/selector.h"

#define BUF __attribute__((cleanup(buf_done))) struct buf

enum { MS_PER_S = 1000, WHY_BYTES = 512 };

/* ---- at the console ---- */

enum err order_sign_bytes(struct span domain, struct span bytes, const struct signer *by, struct buf *out) {
    BUF signature, chain;
    buf_init(&signature, LIMIT_SIGNATURE_BYTES);
    buf_init(&chain, LIMIT_CERTIFICATES_BYTES);
    enum err e = sign_bytes(by, domain, bytes, &signature);
    if (!e) e = sign_chain(by, &chain);
    if (e) return e;
    const struct signed_order so = {.spec = bytes, .signature = buf_span(&signature), .certificates = buf_span(&chain)};
    return spec_encode_signed(&so, out);
}

enum err order_sign(const struct spec *s, const struct signer *by, struct buf *out) {
    if (sign_expires_wall_ns(by) / NS_PER_MS <= s->issued_wall_ms) return ERR_EXPIRED;
    BUF spec;
    buf_init(&spec, LIMIT_SPEC_BYTES);
    enum err e = spec_encode(s, &spec);
    return e ? e : order_sign_bytes(ORDER_DOMAIN, buf_span(&spec), by, out);
}

/* ---- at the collector and at every host ---- */

struct verifying {
    const struct order_check *check;
    struct arena *mem;
    struct order order;
    char why[WHY_BYTES];
};

__attribute__((format(printf, 3, 4))) static enum err no(struct verifying *v, enum err e, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    vsnprintf(v->why, sizeof v->why, fmt, args);
    va_end(args);
    return e;
}
static enum err no_memory(struct verifying *v) { return no(v, ERR_NOMEM, "the order needs more memory than an order may"); }

/* Text of the order in a sentence: its length bounded, nothing unprintable.  For %s. */
static const char *quote(struct span s, char out[LIMIT_NAME_BYTES + 1]) {
    size_t n = s.n < LIMIT_NAME_BYTES ? s.n : LIMIT_NAME_BYTES;
    for (size_t i = 0; i < n; i++) out[i] = s.p[i] < 0x20 || s.p[i] > 0x7e ? '?' : s.p[i];
    out[n] = '\0';
    return out;
}

/* spiffe://FLEET/operator/NAME/AUTHORITY, of our fleet. */
static enum err check_uri(const struct order_check *c, struct span uri, char *why, size_t why_size, struct identity *who) {
    char quoted[LIMIT_NAME_BYTES + 1];
    if (identity_parse(uri, who) != ERR_OK || who->role != ROLE_OPERATOR) {
        snprintf(why, why_size, "the order was signed by %s, who is not an operator", quote(uri, quoted));
        return ERR_UNTRUSTED;
    }
    if (strcmp(who->fleet, c->fleet) != 0) {
        snprintf(why, why_size, "the order was signed by an operator of fleet %s, not of %s", who->fleet, c->fleet);
        return ERR_UNTRUSTED;
    }
    return ERR_OK;
}

enum err order_verify_signer(const struct signed_order *so, struct span domain, const struct order_check *check, char *why, size_t why_size,
                             struct identity *out_signer) {
    char uri[SIGN_URI_BYTES];
    enum err e =
        sign_verify(check->operators, check->wall_ns, domain, so->spec, so->signature, so->certificates, uri, sizeof uri, why, why_size);
    return e ? e : check_uri(check, span_str(uri), why, why_size, out_signer);
}

/* Of the order itself, or of the trigger whose firing it is. */
static enum err check_signature(struct verifying *v, const struct signed_order *so) {
    struct identity *who = &v->order.signer;
    const struct signed_order trigger = rule_signed(so);
    enum err e = so->trigger.n ? order_verify_signer(&trigger, RULE_DOMAIN, v->check, v->why, sizeof v->why, who)
                               : order_verify_signer(so, ORDER_DOMAIN, v->check, v->why, sizeof v->why, who);
    if (e) return e;
    v->order.operator_name = arena_copy(v->mem, span_str(who->name));
    if (!v->order.operator_name.p) return no_memory(v);
    return identity_may_sign(who, v->check->may_sign ? v->check->may_sign : IDENTITY_MAY_SIGN, v->why, sizeof v->why);
}

static enum err read_spec(struct verifying *v, struct span bytes) {
    enum err e = spec_decode(bytes, v->mem, &v->order.spec);
    if (e == ERR_NOMEM) return no_memory(v);
    return e ? no(v, e, "the order cannot be read: %s", err_text(e)) : ERR_OK;
}

static enum err check_fleet(struct verifying *v) {
    const struct spec *s = &v->order.spec;
    char quoted[LIMIT_NAME_BYTES + 1];
    if (s->version != SPEC_VERSION)
        return no(v, ERR_VERSION, "the order is of version %u, this program knows %d", s->version, SPEC_VERSION);
    if (!span_eq_str(s->fleet, v->check->fleet))
        return no(v, ERR_REFUSED, "the order is for fleet %s, not for %s", quote(s->fleet, quoted), v->check->fleet);
    return ERR_OK;
}

static enum err check_times(struct verifying *v, uint64_t valid_max_s) {
    const struct spec *s = &v->order.spec;
    uint64_t now_ms = v->check->wall_ns / NS_PER_MS;
    char when[32];
    if (s->issued_wall_ms > now_ms + ORDER_CLOCK_SKEW_S * MS_PER_S)
        return no(v, ERR_EXPIRED, "the order comes from the future: the clock here says %s", clock_wall_text(v->check->wall_ns, when));
    if (s->expires_wall_ms <= s->issued_wall_ms) return no(v, ERR_SYNTAX, "the order expires before it is issued");
    if (s->expires_wall_ms - s->issued_wall_ms > valid_max_s * MS_PER_S)
        return no(v, ERR_LIMIT, "the order is valid for more than %llu days", (unsigned long long)valid_max_s / 86400);
    if (s->expires_wall_ms <= now_ms)
        return no(v, ERR_EXPIRED, "the order expired at %s", clock_wall_text(s->expires_wall_ms * NS_PER_MS, when));
    if (s->duration_s < 1 || s->duration_s > LIMIT_DURATION_S)
        return no(v, ERR_LIMIT, "a duration is 1 to %d seconds, not %u", LIMIT_DURATION_S, s->duration_s);
    return course_check(s, v->why, sizeof v->why);
}

static enum err check_target(struct verifying *v) {
    BUF why;
    buf_init(&why, 2 * LIMIT_SELECTOR_BYTES + WHY_BYTES);
    const struct selector *s = NULL;
    char quoted[LIMIT_NAME_BYTES + 1];
    enum err e = selector_parse(v->order.spec.selector, v->mem, &why, &s);
    if (e == ERR_NOMEM) return no_memory(v);
    if (e) return no(v, e, "the selector: %.*s", (int)why.n, buf_span(&why).p);
    const struct order_check *c = v->check;
    if (!c->host.p || selector_matches(s, c->host, c->labels, c->n_labels)) return ERR_OK;
    return no(v, ERR_REFUSED, "%s is not among the hosts of this order", quote(c->host, quoted));
}

static enum err read_param(struct verifying *v, const struct spec_param *from, struct param *out) {
    char quoted[LIMIT_NAME_BYTES + 1];
    struct param p = {.id = catalog_param_find(from->name)};
    if (p.id == PARAM_NONE) return no(v, ERR_REFUSED, "there is no parameter %s", quote(from->name, quoted));
    bool is_text = catalog_param(p.id)->type == PARAM_TYPE_NAME;
    if (is_text ? from->number != 0 : from->text.n != 0)
        return no(v, ERR_REFUSED, "the parameter %s is a %s", quote(from->name, quoted), is_text ? "name" : "number");
    if (from->text.n >= sizeof p.name) return no(v, ERR_REFUSED, "the value of %s is too long", quote(from->name, quoted));
    if (from->text.n && memchr(from->text.p, '\0', from->text.n))
        return no(v, ERR_REFUSED, "the value of %s is no text", quote(from->name, quoted));
    p.number = from->number;
    memcpy(p.name, from->text.n ? from->text.p : "", from->text.n);
    *out = p;
    return ERR_OK;
}

/* With flavour "any" one flavour that takes the parameters is enough; if none does, the first one's reason is told. */
static enum err check_params(struct verifying *v) {
    struct order *o = &v->order;
    BUF why;
    buf_init(&why, WHY_BYTES);
    enum err e = ERR_REFUSED;
    for (size_t i = 0; e == ERR_REFUSED && i < o->tool->n_flavours; i++) {
        const struct flavour *f = &o->tool->flavours[i];
        bool asked = o->flavour == FLAVOUR_ANY || o->flavour == f->id;
        if (asked) e = catalog_check(o->tool, f, &o->params, why.n ? NULL : &why);
    }
    if (e == ERR_REFUSED) return no(v, e, "%.*s", (int)why.n, buf_span(&why).p);
    return e == ERR_NOMEM ? no_memory(v) : e;
}

static enum err check_tool(struct verifying *v) {
    struct order *o = &v->order;
    char quoted[LIMIT_NAME_BYTES + 1];
    o->tool = catalog_find(o->spec.tool);
    if (!o->tool) return no(v, ERR_REFUSED, "there is no tool %s in the catalogue here", quote(o->spec.tool, quoted));
    o->flavour = o->spec.flavour.n ? catalog_flavour_find(o->spec.flavour) : FLAVOUR_ANY;
    if (o->flavour == FLAVOUR__COUNT) return no(v, ERR_REFUSED, "there is no flavour %s", quote(o->spec.flavour, quoted));
    if (o->flavour != FLAVOUR_ANY && !catalog_flavour(o->tool, o->flavour))
        return no(v, ERR_REFUSED, "%s has no flavour %s", o->tool->name, catalog_flavour_name(o->flavour));
    if (o->spec.n_params > PARAMS_MAX) return no(v, ERR_LIMIT, "the order has more than %d parameters", PARAMS_MAX);
    for (size_t i = 0; i < o->spec.n_params; i++) {
        enum err e = read_param(v, &o->spec.params[i], &o->params.p[i]);
        if (e) return e;
        o->params.n++;
    }
    return check_params(v);
}

static enum err check_spec(struct verifying *v, uint64_t valid_max_s) {
    enum err e = check_fleet(v);
    if (!e) e = check_times(v, valid_max_s);
    if (!e) e = check_target(v);
    return e ? e : check_tool(v);
}

static enum err over(const struct verifying *v, enum err e, char *why, size_t why_size, struct order *out) {
    if (e)
        snprintf(why, why_size, "%s", v->why);
    else
        *out = v->order;
    return e;
}

enum err order_read_tool(const struct spec *s, char *why, size_t why_size, struct order *out) {
    struct verifying v = {.order.spec = *s};
    return over(&v, check_tool(&v), why, why_size, out);
}

enum err order_check_spec(const struct spec *s, uint64_t valid_max_s, const struct order_check *check, struct arena *mem, char *why,
                          size_t why_size, struct order *out) {
    struct verifying v = {.check = check, .mem = mem, .order.spec = *s};
    return over(&v, check_spec(&v, valid_max_s), why, why_size, out);
}

enum err order_verify(const struct signed_order *so, const struct order_check *check, struct arena *mem, char *why, size_t why_size,
                      struct order *out) {
    struct verifying v = {.check = check, .mem = mem};
    enum err e = check_signature(&v, so);
    if (!e) e = read_spec(&v, so->spec);
    if (!e && so->trigger.n) e = rule_allows(so, &v.order.spec, check, mem, v.why, sizeof v.why);
    if (!e && !so->trigger.n && v.order.spec.fired.number)
        e = no(&v, ERR_REFUSED, "an order says that it is a firing, and names no trigger");
    if (!e) e = check_spec(&v, ORDER_EXPIRY_MAX_S);
    return over(&v, e, why, why_size, out);
}
