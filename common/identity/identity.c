#include "common/identity/identity.h"

#include <stdio.h>
#include <string.h>

static const char *const role_names[] = {
    [ROLE_NONE] = "none", [ROLE_AGENT] = "agent", [ROLE_COLLECTOR] = "collector", [ROLE_OPERATOR] = "operator"};

static const char *const authority_names[] = {
    [AUTHORITY_NONE] = "none", [AUTHORITY_VIEWER] = "viewer", [AUTHORITY_RUNNER] = "runner", [AUTHORITY_ADMIN] = "admin"};

const char *identity_authority_name(enum authority a) { return (unsigned)a <= AUTHORITY_ADMIN ? authority_names[a] : "none"; }

enum authority identity_authority_find(struct span name) {
    for (enum authority a = AUTHORITY_VIEWER; a <= AUTHORITY_ADMIN; a++)
        if (span_eq_str(name, authority_names[a])) return a;
    return AUTHORITY_NONE;
}

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
    struct span scheme = SPAN_LIT("spiffe://"), fleet, role, name, authority, rest;
    if (!span_starts(uri, scheme)) return ERR_UNTRUSTED;
    if (!span_cut(span_drop(uri, scheme.n), '/', &fleet, &rest)) return ERR_UNTRUSTED;
    if (!span_cut(rest, '/', &role, &name)) return ERR_UNTRUSTED;
    enum role r = role_of(role);
    enum authority a = r == ROLE_OPERATOR ? AUTHORITY_VIEWER : AUTHORITY_NONE;
    if (r == ROLE_OPERATOR && span_cut(name, '/', &name, &authority) && (a = identity_authority_find(authority)) == AUTHORITY_NONE)
        return ERR_UNTRUSTED;
    if (r == ROLE_NONE || !name_ok(fleet) || !name_ok(name)) return ERR_UNTRUSTED;
    out->role = r;
    out->authority = a;
    copy(out->fleet, fleet);
    copy(out->name, name);
    return ERR_OK;
}

/* A word of may_sign. */
struct allowed {
    enum authority least; /* AUTHORITY_NONE: name is meant */
    struct span name;
};

static bool read_word(struct span word, struct allowed *out) {
    static const struct span prefix = {"role:", 5};
    bool by_role = span_starts(word, prefix);
    *out = (struct allowed){.least = by_role ? identity_authority_find(span_drop(word, prefix.n)) : AUTHORITY_NONE, .name = word};
    return by_role ? out->least >= AUTHORITY_RUNNER : name_ok(word);
}

bool identity_may_sign_is_sound(const char *words, struct span *out_bad) {
    struct span rest = span_str(words), word;
    struct allowed unused;
    while (span_word(&rest, &word))
        if (!read_word(word, &unused)) {
            *out_bad = word;
            return false;
        }
    return true;
}

enum err identity_may_sign(const struct identity *who, const char *words, char *why, size_t why_size) {
    struct span rest = span_str(words), word;
    if (who->role != ROLE_OPERATOR || who->authority < AUTHORITY_RUNNER) {
        snprintf(why, why_size, "%s is a %s, and only runners and admins may order", who->name, identity_authority_name(who->authority));
        return ERR_REFUSED;
    }
    while (span_word(&rest, &word)) {
        struct allowed a;
        if (!read_word(word, &a)) continue;
        if (a.least ? who->authority >= a.least : span_eq_str(a.name, who->name)) return ERR_OK;
    }
    snprintf(why, why_size, "%s (%s) is not among those whose orders this host obeys", who->name, identity_authority_name(who->authority));
    return ERR_REFUSED;
}
