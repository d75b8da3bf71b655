#include "agent/runner/killswitch.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_thrown(const char *path) {
    struct stat st;
    return lstat(path, &st) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

bool killswitch_look(struct killswitch *k) {
    bool thrown = is_thrown(k->path);
    if (thrown == k->thrown) return thrown;
    k->thrown = thrown;
    k->changed(k);
    return thrown;
}

static void on_ready(struct loop_watch *w, uint32_t events) {
    struct killswitch *k = container_of(w, struct killswitch, watch);
    char buffer[4096] __attribute__((aligned(8)));
    (void)events;
    while (read(k->fd, buffer, sizeof buffer) > 0) {
    }
    killswitch_look(k);
}

enum err killswitch_start(struct killswitch *k, struct loop *loop, const char *path) {
    char folder[4096];
    k->path = path;
    k->loop = loop;
    k->watch = (struct loop_watch){.fd = -1, .ready = on_ready};
    k->thrown = is_thrown(path);
    snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash) slash[slash == folder] = '\0';
    k->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (k->fd < 0) return ERR_SYS;
    if (inotify_add_watch(k->fd, folder, IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ONLYDIR) < 0) {
        int error = errno;
        killswitch_stop(k);
        errno = error;
        return ERR_SYS;
    }
    enum err e = loop_add(loop, &k->watch, k->fd, EPOLLIN);
    if (e) killswitch_stop(k);
    if (!e) k->thrown = is_thrown(path); /* what came before the watch */
    return e;
}

void killswitch_stop(struct killswitch *k) {
    if (k->loop && k->watch.fd >= 0) loop_remove(k->loop, &k->watch);
    if (k->loop && k->fd >= 0) close(k->fd);
    k->fd = -1;
}
