#include "common/net/identity.h"

#include <string.h>

static const char *const role_names[] = {
    [ROLE_NONE] = "none", [ROLE_AGENT] = "agent", [ROLE_COLLECTOR] = "collector", [ROLE_OPERATOR] = "operator"};

const char *identity_role_name(enum role r) { return (unsigned)r <= ROLE_OPERATOR ? role_names[r] : "none"; }

static bool name_ok(struct span s) {
    if (s.n == 0 || s.n > LIMIT_NAME_BYTES) return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
        if (!ok) return false;
    }
    return true;
}

static enum role role_of(struct span s) {
    for (enum role r = ROLE_AGENT; r <= ROLE_OPERATOR; r++)
        if (span_eq_str(s, role_names[r])) return r;
    return ROLE_NONE;
}

static void copy(char *out, struct span s) {
    memcpy(out, s.p, s.n);
    out[s.n] = 0;
}

enum err identity_parse(struct span uri, struct identity *out) {
    struct span scheme = SPAN_LIT("spiffe://"), fleet, role, name, rest;
    if (!span_starts(uri, scheme)) return ERR_UNTRUSTED;
    if (!span_cut(span_drop(uri, scheme.n), '/', &fleet, &rest)) return ERR_UNTRUSTED;
    if (!span_cut(rest, '/', &role, &name)) return ERR_UNTRUSTED;
    enum role r = role_of(role);
    if (r == ROLE_NONE || !name_ok(fleet) || !name_ok(name)) return ERR_UNTRUSTED;
    out->role = r;
    copy(out->fleet, fleet);
    copy(out->name, name);
    return ERR_OK;
}
