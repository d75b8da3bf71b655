#include "agent/runner/capable.h"

#include <sys/prctl.h>
#include <sys/stat.h>

static bool exists(const char *path) {
    struct stat st;
    return stat(path, &st) == 0;
}

enum err capable_host(const struct flavour *f, struct buf *out_why) {
    if (f->needs_btf && !exists("/sys/kernel/btf/vmlinux")) {
        buf_add_str(out_why, "this kernel has no BTF (/sys/kernel/btf/vmlinux)");
        return ERR_NOTFOUND;
    }
    if (f->needs_tracefs && !exists("/sys/kernel/tracing/events") && !exists("/sys/kernel/debug/tracing/events")) {
        buf_add_str(out_why, "tracefs is not mounted at /sys/kernel/tracing");
        return ERR_NOTFOUND;
    }
    for (unsigned long c = 0; c < 64; c++)
        if ((f->capabilities >> c & 1) && prctl(PR_CAPBSET_READ, c, 0, 0, 0) != 1) {
            buf_add_fmt(out_why, "the runner has no capability %lu, which %s needs (%s)", c, catalog_flavour_name(f->id),
                        f->capabilities_why ? f->capabilities_why : "see the catalogue");
            return ERR_NOTFOUND;
        }
    return ERR_OK;
}

enum err capable_params(const struct params *ps, struct buf *out_why) {
    for (size_t i = 0; i < ps->n; i++) {
        char path[128];
        if (ps->p[i].id != PARAM_DISK) continue;
        snprintf(path, sizeof path, "/sys/class/block/%s", ps->p[i].name);
        if (!exists(path)) {
            buf_add_fmt(out_why, "there is no disk %s here", ps->p[i].name);
            return ERR_NOTFOUND;
        }
    }
    return ERR_OK;
}
