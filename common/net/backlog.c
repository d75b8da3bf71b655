#include "common/net/backlog.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "common/base/auto.h"
#include "common/base/err.h"

enum { ROOM = 65535, DESCRIPTORS = 1024 }; /* the kernel takes less: net.core.somaxconn; a listener is among a process's first */

static bool listens_on(int fd, int port) {
    int yes = 0;
    socklen_t n = sizeof yes;
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &yes, &n) != 0 || !yes) return false;
    union {
        struct sockaddr any;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
    } at;
    n = sizeof at;
    if (getsockname(fd, &at.any, &n) != 0) return false;
    if (at.any.sa_family == AF_INET) return ntohs(at.in.sin_port) == port;
    return at.any.sa_family == AF_INET6 && ntohs(at.in6.sin6_port) == port;
}

void backlog_widen(int port) {
    for (int fd = 0; fd < DESCRIPTORS; fd++)
        if (listens_on(fd, port)) IGNORED(listen(fd, ROOM) != 0); /* the old room stands */
}
