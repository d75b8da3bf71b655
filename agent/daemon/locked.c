#include "agent/daemon/locked.h"

#include <fcntl.h>
#include <stdio.h>

#define BUF __attribute__((cleanup(buf_done))) struct buf

static const char record[] = "lockdown";

static void tell(struct locked *l, const char *path) {
    l->why[0] = '\0';
    if (l->fleet.locked)
        lockdown_why(&l->fleet, l->why, sizeof l->why);
    else if (l->switched)
        snprintf(l->why, sizeof l->why, "this host's kill switch %s is thrown", path);
}

enum err locked_open(struct locked *l, const char *dir, bool *out_sound) {
    char path[512];
    BUF statement;
    *l = (struct locked){.dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (l->dir_fd < 0) return ERR_SYS;
    snprintf(path, sizeof path, "/proc/self/fd/%d/%s", l->dir_fd, record);
    buf_init(&statement, LIMIT_ORDER_BYTES);
    *out_sound = lockdown_load(path, &l->fleet, &statement);
    tell(l, "");
    return ERR_OK;
}

void locked_close(struct locked *l) {
    if (l->dir_fd > 0) close(l->dir_fd);
    l->dir_fd = -1;
}

enum err locked_take(struct locked *l, const struct signed_order *so, const struct order_check *check, char *why, size_t why_size) {
    AUTO(arena_free) struct arena *mem = arena_new(LIMIT_FRAME_ARENA_BYTES);
    BUF bytes;
    struct lockdown next;
    buf_init(&bytes, LIMIT_ORDER_BYTES);
    enum err e = mem ? lockdown_verify(so, check, mem, why, why_size, &next) : ERR_NOMEM;
    if (!e) e = lockdown_is_newer(&l->fleet, &next, why, why_size);
    if (!e) e = spec_encode_signed(so, &bytes);
    if (e) return e;
    e = lockdown_store(l->dir_fd, record, &next, buf_span(&bytes));
    if (e && !next.locked) return e;
    l->fleet = next;
    tell(l, "");
    return e;
}

void locked_switch(struct locked *l, bool thrown, const char *path) {
    l->switched = thrown;
    tell(l, path);
}
