#include "agent/daemon/refresh.h"

#include <sys/stat.h>
#include <sys/utsname.h>

#include "agent/runner/verify.h"
#include "common/base/clock.h"

enum { PATH_BYTES = 320, SMALL_RATE = 100 };
static const uint64_t FNV_PRIME = 1099511628211U, FNV_START = 14695981039346656037U;

static void mix(uint64_t *print, uint64_t value) { *print = (*print ^ value) * FNV_PRIME; }

/* Of a folder: which it is (a mount shows), when names in it changed, how many folders are in it (a module is one). */
static void mix_path(uint64_t *print, const char *path) {
    struct stat st;
    if (!path || !path[0] || stat(path, &st) != 0) {
        mix(print, 0);
        return;
    }
    mix(print, st.st_dev);
    mix(print, st.st_ino);
    mix(print, st.st_nlink);
    mix(print, (uint64_t)st.st_ctim.tv_sec);
    mix(print, (uint64_t)st.st_ctim.tv_nsec);
}

static uint64_t take_print(const struct policy *p) {
    static const char *const paths[] = {"/var/lib/dpkg/status", "/sys/module", "/sys/kernel/tracing", "/sys/kernel/debug"};
    uint64_t print = FNV_START;
    struct utsname uts;
    char path[PATH_BYTES] = "";
    if (uname(&uts) == 0) snprintf(path, sizeof path, "/lib/modules/%s", uts.release);
    mix_path(&print, path);
    for (size_t i = 0; i < COUNT_OF(paths); i++) mix_path(&print, paths[i]);
    for (size_t i = 0; verify_dirs[i]; i++) mix_path(&print, verify_dirs[i]);
    mix_path(&print, p->tool_dir);
    return print;
}

static bool has_moved(uint64_t was, uint64_t is) {
    uint64_t more = was > is ? was - is : is - was;
    return (was == 0) != (is == 0) || (more > SMALL_RATE && more > was / 4);
}

static bool is_worth_saying(const struct refresh *r, uint64_t now_ns) {
    if (now_ns - r->said_ns < REFRESH_SAY_MS * NS_PER_MS) return false;
    for (size_t c = 0; c < COUNTER__COUNT; c++)
        if (has_moved(r->said[c], r->rates[c])) return true;
    return false;
}

void refresh_look(struct refresh *r) {
    struct rates_look now;
    struct cost_rates rates;
    rates_look("/proc", clock_mono_ns(), &now);
    rates_between(&r->last, &now, &rates);
    r->last = now;
    r->cpus = now.cpus;
    for (unsigned c = 0; c < COUNTER__COUNT; c++) r->rates[c] = rates.known >> c & 1 ? rates.per_s[c] + 1 : 0;
}

void refresh_beat(struct refresh *r) {
    uint64_t now_ns = clock_mono_ns();
    if (now_ns - r->last.at_ns < REFRESH_LEAST_MS * NS_PER_MS) return;
    uint64_t print = take_print(r->policy);
    refresh_look(r);
    if (is_worth_saying(r, now_ns)) {
        memcpy(r->said, r->rates, sizeof r->said);
        r->said_ns = now_ns;
        r->ops->busy(r->ops);
    }
    if (print == r->print) return;
    r->print = print;
    r->ops->other(r->ops);
}

void refresh_start(struct refresh *r, const struct policy *policy, struct refresh_ops *ops) {
    *r = (struct refresh){.policy = policy, .ops = ops, .print = take_print(policy)};
    rates_look("/proc", clock_mono_ns(), &r->last);
}
