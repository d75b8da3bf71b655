#include "collector/daemon/doors.h"

#include <errno.h>
#include <netdb.h>
#include <sys/socket.h>

#include "common/base/auto.h"

enum { HOST_BYTES = 254 };

/* "HOST:PORT", "[::1]:PORT", "*:PORT". */
static bool split(const char *address, char host[HOST_BYTES], const char **out_port) {
    struct span text = span_str(address), h;
    size_t colon = span_rfind(text, ':');
    uint64_t port;
    if (colon == text.n || !span_u64(span_drop(text, colon + 1), &port) || port > 65535) return false;
    h = span_head(text, colon);
    if (h.n > 1 && h.p[0] == '[' && h.p[h.n - 1] == ']') h = span_of(h.p + 1, h.n - 2);
    if (h.n >= HOST_BYTES) return false;
    snprintf(host, HOST_BYTES, "%.*s", span_eq_str(h, "*") ? 0 : (int)h.n, h.p);
    *out_port = text.p + colon + 1;
    return true;
}

/* 0 or an errno. */
static int try_bind(const struct addrinfo *a) {
    int one = 1;
    AUTO_CLOSE int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool bound = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0 && bind(fd, a->ai_addr, a->ai_addrlen) == 0;
    return bound ? 0 : errno;
}

static enum err check(const char *key, const char *address, FILE *to, char *why, size_t why_size) {
    const struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    char host[HOST_BYTES];
    const char *port;
    if (!split(address, host, &port)) {
        snprintf(why, why_size, "%s: \"%s\" is not HOST:PORT", key, address);
        return ERR_SYNTAX;
    }
    int failed = getaddrinfo(host[0] ? host : NULL, port, &hints, &found);
    if (failed) {
        snprintf(why, why_size, "%s: %s is not found: %s", key, host, failed == EAI_SYSTEM ? strerror(errno) : gai_strerror(failed));
        return ERR_NOTFOUND;
    }
    int error = try_bind(found);
    freeaddrinfo(found);
    if (error == EADDRINUSE) fprintf(to, "%s: %s is in use, which is as it should be while the collector runs\n", key, address);
    if (!error || error == EADDRINUSE) return ERR_OK;
    snprintf(why, why_size, "%s: cannot listen at %s: %s", key, address, strerror(error));
    return ERR_SYS;
}

enum err doors_check(const struct settings *set, FILE *to, char *why, size_t why_size) {
    enum err e = check("listen", set->listen, to, why, why_size);
    if (!e) e = check("console_listen", set->console_listen, to, why, why_size);
    if (!e && set->http_listen[0]) e = check("http_listen", set->http_listen, to, why, why_size);
    return e;
}
