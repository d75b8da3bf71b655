#include "agent/daemon/host.h"

static bool name_ok(struct span s) {
    if (s.n == 0 || s.n > LIMIT_NAME_BYTES) return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
        if (!ok) return false;
    }
    return true;
}

static enum err read_labels(struct span text, struct arena *mem, char *why, size_t why_size, struct host *h) {
    struct span term, rest = span_trim(text);
    h->labels = arena_array(mem, LIMIT_LABELS, sizeof *h->labels);
    if (!h->labels) return ERR_NOMEM;
    while (rest.n > 0) {
        struct span key, value;
        span_cut(rest, ',', &term, &rest);
        term = span_trim(term);
        bool pair = span_cut(term, '=', &key, &value);
        if (!pair || !name_ok(key) || value.n == 0 || value.n > LIMIT_LABEL_BYTES || h->n_labels == LIMIT_LABELS) {
            snprintf(why, why_size, "labels: \"%.*s\" is not key=value (at most %d labels, keys of letters, digits and ._-)", (int)term.n,
                     term.p, LIMIT_LABELS);
            return ERR_SYNTAX;
        }
        h->labels[h->n_labels++] = (struct label){.key = key, .value = value};
    }
    return ERR_OK;
}

enum err host_read(const char *configured, const char *labels, struct arena *mem, char *why, size_t why_size, struct host *out) {
    struct host h = {.n_labels = 0};
    if (uname(&h.uts) < 0) return ERR_SYS;
    struct span name = configured[0] ? span_str(configured) : span_str(h.uts.nodename);
    if (!name_ok(name)) {
        snprintf(why, why_size, "host: \"%.*s\" is not a host name (at most %d letters, digits and ._-); set host in agent.conf",
                 (int)name.n, name.p, LIMIT_NAME_BYTES);
        return ERR_SYNTAX;
    }
    memcpy(h.name, name.p, name.n);
    enum err e = read_labels(span_str(labels), mem, why, why_size, &h);
    if (e) return e;
    *out = h;
    return ERR_OK;
}
