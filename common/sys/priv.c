#include "common/sys/priv.h"

#include <cap-ng.h>
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "common/base/auto.h"
#include "common/base/span.h"

enum { CAPABILITIES = 64 }; /* as many as fit a mask; the kernel has fewer */

static bool wanted(uint64_t mask, unsigned capability) { return mask >> capability & 1; }

enum err priv_user(const char *name, uid_t *out_uid, gid_t *out_gid) {
    uint64_t number;
    bool by_number = span_u64(span_str(name), &number);
    if (by_number && number >= UINT32_MAX) return ERR_NOTFOUND;
    for (size_t size = 4096;; size *= 2) {
        struct passwd entry, *found = NULL;
        AUTO_FREE char *room = malloc(size);
        if (!room) return ERR_NOMEM;
        int error = by_number ? getpwuid_r((uid_t)number, &entry, room, size, &found) : getpwnam_r(name, &entry, room, size, &found);
        if (error == ERANGE && size < 1 << 20) continue;
        if (!found) return ERR_NOTFOUND;
        *out_uid = found->pw_uid;
        *out_gid = found->pw_gid;
        return ERR_OK;
    }
}

/* What an exec could ever give back.  Needs CAP_SETPCAP for what is to go. */
static bool bound(uint64_t mask) {
    for (unsigned c = 0; c < CAPABILITIES; c++) {
        int has = prctl(PR_CAPBSET_READ, (unsigned long)c, 0UL, 0UL, 0UL);
        if (has == 1 && !wanted(mask, c) && prctl(PR_CAPBSET_DROP, (unsigned long)c, 0UL, 0UL, 0UL) != 0) return false;
    }
    return true;
}

static bool change_user(uid_t uid, gid_t gid) {
    return prctl(PR_SET_KEEPCAPS, 1UL, 0UL, 0UL, 0UL) == 0 && setgroups(0, NULL) == 0 && setresgid(gid, gid, gid) == 0 &&
           setresuid(uid, uid, uid) == 0 && prctl(PR_SET_KEEPCAPS, 0UL, 0UL, 0UL, 0UL) == 0;
}

static bool keep_only(uint64_t mask) {
    const capng_type_t sets = (capng_type_t)(CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_INHERITABLE | CAPNG_AMBIENT);
    capng_setpid(0); /* this task, also where /proc shows another PID namespace's numbers */
    capng_clear(CAPNG_SELECT_ALL);
    for (unsigned c = 0; c < CAPABILITIES; c++)
        if (wanted(mask, c) && capng_update(CAPNG_ADD, sets, c) != 0) {
            errno = EINVAL;
            return false;
        }
    return capng_apply(CAPNG_SELECT_CAPS) == 0 && capng_apply(CAPNG_SELECT_AMBIENT) == 0;
}

/* Asked of the kernel, not of the library that was to bring it about. */
static bool is_so(uid_t uid, gid_t gid, uint64_t mask) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct d[2] = {{0}};
    uid_t u[3];
    gid_t g[3];
    const uint32_t low = (uint32_t)mask, high = (uint32_t)(mask >> 32);
    if (syscall(SYS_capget, &header, d) != 0 || getresuid(&u[0], &u[1], &u[2]) != 0 || getresgid(&g[0], &g[1], &g[2]) != 0) return false;
    bool ok = d[0].effective == low && d[0].permitted == low && d[0].inheritable == low && d[1].effective == high &&
              d[1].permitted == high && d[1].inheritable == high && getgroups(0, NULL) == 0;
    for (size_t i = 0; i < COUNT_OF(u); i++) ok = ok && u[i] == uid && g[i] == gid;
    for (unsigned c = 0; c < CAPABILITIES; c++) {
        int bounding = prctl(PR_CAPBSET_READ, (unsigned long)c, 0UL, 0UL, 0UL);
        int ambient = prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, (unsigned long)c, 0UL, 0UL);
        ok = ok && (bounding == 1) == wanted(mask, c) && (ambient == 1) == wanted(mask, c);
    }
    if (!ok) errno = EPERM;
    return ok && prctl(PR_GET_NO_NEW_PRIVS, 0UL, 0UL, 0UL, 0UL) == 1;
}

enum err priv_become(uid_t uid, gid_t gid, uint64_t capabilities) {
    bool ok = bound(capabilities) && change_user(uid, gid) && keep_only(capabilities) &&
              prctl(PR_SET_NO_NEW_PRIVS, 1UL, 0UL, 0UL, 0UL) == 0 && is_so(uid, gid, capabilities);
    return ok ? ERR_OK : ERR_SYS;
}
