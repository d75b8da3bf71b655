#include "common/net/address.h"

#include <arpa/inet.h>
#include <stdio.h>

static bool host_ok(struct span s, bool v6) {
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_' ||
                  (v6 && c == ':') || (c == '*' && s.n == 1);
        if (!ok) return false;
    }
    return s.n <= ADDRESS_HOST_BYTES;
}

enum err address_parse(const char *text, struct address *out) {
    struct span s = span_str(text);
    size_t colon = span_rfind(s, ':');
    uint64_t port;
    if (colon == s.n || !span_u64(span_drop(s, colon + 1), &port) || port > 65535) return ERR_SYNTAX;
    struct span host = span_head(s, colon);
    bool v6 = host.n >= 2 && host.p[0] == '[' && host.p[host.n - 1] == ']';
    if (v6) host = span_of(host.p + 1, host.n - 2);
    if (!host_ok(host, v6)) return ERR_SYNTAX;
    memcpy(out->host, host.p, host.n);
    out->host[host.n] = 0;
    out->port = (uint16_t)port;
    return ERR_OK;
}

void address_url(const struct address *a, char *out) {
    bool v6 = span_find(span_str(a->host), ':') < strlen(a->host);
    const char *host = strcmp(a->host, "*") == 0 ? "" : a->host;
    snprintf(out, ADDRESS_URL_BYTES, v6 ? "tls+tcp://[%s]:%u" : "tls+tcp://%s:%u", host, a->port);
}

void address_text(const nng_sockaddr *sa, char *out) {
    char host[INET6_ADDRSTRLEN] = "?";
    if (sa->s_family == NNG_AF_INET) {
        inet_ntop(AF_INET, &sa->s_in.sa_addr, host, sizeof host);
        snprintf(out, ADDRESS_TEXT_BYTES, "%s:%u", host, ntohs(sa->s_in.sa_port));
    } else if (sa->s_family == NNG_AF_INET6) {
        inet_ntop(AF_INET6, sa->s_in6.sa_addr, host, sizeof host);
        snprintf(out, ADDRESS_TEXT_BYTES, "[%s]:%u", host, ntohs(sa->s_in6.sa_port));
    } else {
        snprintf(out, ADDRESS_TEXT_BYTES, "unknown address");
    }
}
