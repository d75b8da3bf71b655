#include "common/sys/notify.h"

#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/base/auto.h"

void notify_send(const char *state) {
    const char *name = getenv("NOTIFY_SOCKET");
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    size_t n = name ? strlen(name) : 0;
    if (n < 2 || n >= sizeof to.sun_path || (name[0] != '/' && name[0] != '@')) return;
    memcpy(to.sun_path, name, n);
    if (name[0] == '@') to.sun_path[0] = '\0'; /* abstract: no file, and no NUL behind the name */
    AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return;
    socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
    /* Nobody who started us waits for it: then it does not matter. */
    if (sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&to, length) < 0) return;
}
