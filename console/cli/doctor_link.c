#include "console/cli/doctor_link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>

#include "common/base/clock.h"

enum { HOST_BYTES = 256, CONNECT_MS = 5000, SKEW_WARN_MS = 5000, SKEW_FAIL_MS = 120000 };

/* "HOST:PORT" or "[::1]:PORT". */
static bool split(const char *address, char host[HOST_BYTES], const char **port) {
    struct span s = span_str(address);
    size_t colon = span_rfind(s, ':');
    uint64_t n;
    struct span h = span_head(s, colon);
    if (colon == s.n || !span_u64(span_drop(s, colon + 1), &n) || n == 0 || n > 65535) return false;
    if (h.n >= 2 && h.p[0] == '[' && h.p[h.n - 1] == ']') h = span_of(h.p + 1, h.n - 2);
    if (h.n == 0 || h.n >= HOST_BYTES) return false;
    snprintf(host, HOST_BYTES, "%.*s", (int)h.n, h.p);
    *port = address + colon + 1;
    return true;
}

/* 0 or an errno. */
static int try_connect(const struct addrinfo *a) {
    AUTO_CLOSE int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return errno;
    if (connect(fd, a->ai_addr, a->ai_addrlen) == 0) return 0;
    if (errno != EINPROGRESS) return errno;
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    int n = poll(&p, 1, CONNECT_MS), error = 0;
    socklen_t size = sizeof error;
    if (n == 0) return ETIMEDOUT;
    if (n < 0 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) return errno;
    return error;
}

static bool reach(struct doctor *d, const char *address, const char *listen) {
    char host[HOST_BYTES], remedy[256];
    const char *port;
    if (!split(address, host, &port)) {
        doctor_say(d, DOCTOR_FAIL, "collector", "write HOST:PORT", "\"%s\" is not an address", address);
        return false;
    }
    struct addrinfo *all = NULL, hints = {.ai_socktype = SOCK_STREAM};
    int failed = getaddrinfo(host, port, &hints, &all);
    if (failed) {
        doctor_say(d, DOCTOR_FAIL, "collector's name", "correct it in the configuration, or look at /etc/resolv.conf and /etc/hosts",
                   "%s is not found: %s", host, failed == EAI_SYSTEM ? strerror(errno) : gai_strerror(failed));
        return false;
    }
    char text[INET6_ADDRSTRLEN] = "?";
    int error = ECONNREFUSED;
    for (const struct addrinfo *a = all; a && error; a = a->ai_next) {
        getnameinfo(a->ai_addr, a->ai_addrlen, text, sizeof text, NULL, 0, NI_NUMERICHOST);
        error = try_connect(a);
    }
    freeaddrinfo(all);
    doctor_say(d, DOCTOR_OK, "collector's name", NULL, "%s is %s", host, text);
    snprintf(remedy, sizeof remedy, "is trawl-collectord running there, is %s the port of its %s, does a firewall let it through?", port, listen);
    if (error)
        doctor_say(d, DOCTOR_FAIL, "port", remedy, "nobody answers at %s port %s: %s", text, port, strerror(error));
    else
        doctor_say(d, DOCTOR_OK, "port", NULL, "%s answers", port);
    return !error;
}

static void compare_clocks(struct doctor *d, const struct client *c) {
    int64_t ms = client_clock_ahead_ns(c) / (int64_t)NS_PER_MS, far = ms < 0 ? -ms : ms;
    const char *side = ms < 0 ? "behind" : "ahead of";
    if (far > SKEW_FAIL_MS)
        doctor_say(d, DOCTOR_FAIL, "clock", "set the clocks (NTP)", "the collector's is %lld s %s ours: orders are refused as expired or from the future",
                   (long long)far / 1000, side);
    else if (far > SKEW_WARN_MS)
        doctor_say(d, DOCTOR_WARN, "clock", "set the clocks (NTP)", "the collector's is %lld s %s ours", (long long)far / 1000, side);
    else
        doctor_say(d, DOCTOR_OK, "clock", NULL, "within %d s of the collector's", SKEW_WARN_MS / 1000);
}

static const char *remedy_for(const char *why) {
    static const struct {
        const char *text, *remedy;
    } known[] = {
        {"revoked", "ask for another certificate: certs/trawl-certs DIR … --renew"},
        {"expired", "ask for another certificate: certs/trawl-certs DIR … --renew"},
        {"unknown CA", "consoles dial console_listen with a certificate of the operators' CA, agents dial listen with one of the fleet CA"},
        {"does not name the", "dial a name that the collector's certificate has, or issue it with that one: certs/trawl-certs DIR collector NAME SAN…"},
        {"not from a CA that is trusted here", "tls_ca must be the fleet CA that issued the collector's certificate"},
        {"cannot connect here", "consoles dial console_listen, agents dial listen"},
        {"not the TLS", "something else listens at that port: correct collector in the configuration"},
    };
    for (size_t i = 0; i < COUNT_OF(known); i++)
        if (strstr(why, known[i].text)) return known[i].remedy;
    return "look into the collector's log";
}

struct client *doctor_link(struct doctor *d, const struct settings *s, const char *listen) {
    if (!reach(d, s->collector, listen)) return NULL;
    struct client *c = NULL;
    enum err e = client_open(s, &c);
    if (e) {
        const char *why = client_why(c);
        doctor_say(d, DOCTOR_FAIL, "TLS", remedy_for(why), "%s", why[0] ? why : err_text(e));
        client_close(c);
        return NULL;
    }
    const struct identity *peer = client_peer(c);
    doctor_say(d, DOCTOR_OK, "TLS", NULL, "collector %s of fleet %s", peer->name, peer->fleet);
    compare_clocks(d, c);
    return c;
}
