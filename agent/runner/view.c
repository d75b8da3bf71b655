#include "agent/runner/view.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/auto.h"

/* Room for what a compiler keeps on the way, and for nothing that could fill the host. */
static const char tmp_options[] = "mode=1777,size=64m,nr_inodes=1024";

struct view view_of(const struct policy *p) {
    return (struct view){.hidden = {p->tls_key, p->spool_dir}};
}

static bool hide(const char *path) {
    struct stat st;
    if (stat(path, &st) != 0) return errno == ENOENT || errno == ENOTDIR;
    if (S_ISDIR(st.st_mode))
        return mount("none", path, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY, "mode=000,size=4k,nr_inodes=2") == 0;
    return mount("/dev/null", path, NULL, MS_BIND, NULL) == 0;
}

/* Every mount, and all at once, where the kernel can (5.12); the root alone before that. */
static bool make_read_only(void) {
    struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID};
    if (mount_setattr(-1, "/", AT_RECURSIVE, &attr, sizeof attr) == 0) return true;
    return errno == ENOSYS && mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID, NULL) == 0;
}

/* STATX_ATTR_MOUNT_ROOT: since Linux 5.8; not known: as if it were one. */
static bool is_mount(const char *path) {
    struct statx x;
    if (statx(AT_FDCWD, path, AT_NO_AUTOMOUNT, STATX_BASIC_STATS, &x) != 0 || !(x.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT)) return true;
    return (x.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

enum err view_root(void) {
    if (is_mount("/")) return ERR_OK;
    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/proc", NULL, MS_PRIVATE, NULL) != 0 ||
        mount("/", "/proc", NULL, MS_BIND | MS_REC, NULL) != 0)
        return ERR_SYS;
    if (chroot("/proc") == 0) return chdir("/") == 0 ? ERR_OK : ERR_SYS;
    int why = errno; /* without CAP_SYS_CHROOT, as under our unit: all as it was */
    IGNORED(umount2("/proc", MNT_DETACH) != 0);
    errno = why;
    return ERR_SYS;
}

enum err view_enter(const struct view *v) {
    /* What is mounted from here on is nobody else's; what the host mounts later is not ours. */
    bool ok = unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
    for (size_t i = 0; ok && i < COUNT_OF(v->hidden); i++) ok = !v->hidden[i] || !v->hidden[i][0] || hide(v->hidden[i]);
    ok = ok && make_read_only() && mount("none", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, tmp_options) == 0;
    return ok ? ERR_OK : ERR_SYS;
}
