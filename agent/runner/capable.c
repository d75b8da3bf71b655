#include "agent/runner/capable.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "common/sys/fds.h"

static bool exists(const char *path) {
    struct stat st;
    return stat(path, &st) == 0;
}

/* One of "a|b|c" is there. */
static bool any_of(struct kernel *k, const char *names, bool (*has)(struct kernel *k, struct span name)) {
    struct span one, rest = span_str(names);
    for (bool more = true; more;) {
        more = span_cut(rest, '|', &one, &rest);
        if (has(k, one)) return true;
    }
    return false;
}

static bool tracepoint(struct kernel *k, struct span name) {
    (void)k;
    return kernel_has_tracepoint(name);
}

/* Python attaches kprobes; a compiled tool fentry where the kernel lets it, else kprobes. */
static enum err check_functions(struct kernel *k, const struct flavour *f, struct buf *why) {
    for (size_t i = 0; i < COUNT_OF(f->functions) && f->functions[i]; i++) {
        const char *name = f->functions[i];
        if (f->id != FLAVOUR_BCC && any_of(k, name, kernel_has_fentry)) continue;
        if (!any_of(k, name, kernel_has_function)) buf_add_fmt(why, "this kernel has no function %s to attach to", name);
        else if (!kernel_has_kprobes()) buf_add_fmt(why, "this kernel has no kprobes%s, and it attaches to %s", f->id == FLAVOUR_BCC ? "" : " and takes no fentry program", name);
        else if (!any_of(k, name, kernel_lets_probe))
            buf_add_fmt(why, "this kernel lets nobody attach to its function %s (notrace)", name);
        else continue;
        return ERR_NOTFOUND;
    }
    return ERR_OK;
}

static enum err check_tracepoints(const struct flavour *f, struct buf *why) {
    if (!exists("/sys/kernel/tracing/events") && !exists("/sys/kernel/debug/tracing/events")) {
        if (!f->needs_tracefs) return ERR_OK; /* raw tracepoints do without */
        buf_add_str(why, "tracefs is not mounted at /sys/kernel/tracing");
        return ERR_NOTFOUND;
    }
    for (size_t i = 0; i < COUNT_OF(f->tracepoints) && f->tracepoints[i]; i++)
        if (!any_of(NULL, f->tracepoints[i], tracepoint)) {
            buf_add_fmt(why, "this kernel has no tracepoint %s", f->tracepoints[i]);
            return ERR_NOTFOUND;
        }
    return ERR_OK;
}

static enum err check_fields(struct kernel *k, const struct flavour *f, struct buf *why) {
    for (size_t i = 0; i < COUNT_OF(f->fields) && f->fields[i]; i++)
        if (!any_of(k, f->fields[i], kernel_has_field)) {
            buf_add_fmt(why, "this kernel has no %s, which its program reads", f->fields[i]);
            return ERR_NOTFOUND;
        }
    return ERR_OK;
}

/* 0.26 is before 0.31; what follows the second number is not compared. */
static bool is_before(struct span version, const char *right) {
    struct span want = span_str(right), a, b;
    for (size_t i = 0; i < 2; i++) {
        uint64_t x = 0, y = 0;
        size_t digits = 0;
        span_cut(version, '.', &a, &version);
        span_cut(want, '.', &b, &want);
        while (digits < a.n && a.p[digits] >= '0' && a.p[digits] <= '9') digits++;
        if (!span_u64(span_head(a, digits), &x) || !span_u64(b, &y)) return false;
        if (x != y) return x < y;
    }
    return false;
}

/* Of the package that the flavour is in, by dpkg; none when it is not installed by it. */
static bool package_is_before(const struct flavour *f, const char *right) {
    struct span line, rest;
    bool ours = false, before = false;
    struct buf status;
    buf_init(&status, 64 << 20);
    enum err e = fds_read_file("/var/lib/dpkg/status", &status);
    rest = e ? SPAN_NONE : buf_span(&status);
    while (span_line(&rest, &line)) {
        if (span_starts(line, SPAN_LIT("Package: "))) ours = span_eq_str(span_drop(line, 9), f->id == FLAVOUR_BCC ? "bpfcc-tools" : "libbpf-tools");
        if (ours && span_starts(line, SPAN_LIT("Version: "))) before = is_before(span_drop(line, 9), right);
    }
    buf_done(&status);
    return before;
}

/* By the headers, and by the package's version. */
static enum err check_headers(const struct flavour *f, struct buf *why) {
    if (f->needs_headers && !kernel_has_headers()) {
        buf_add_str(why, "the headers of this kernel, with which it compiles its program, are not installed");
        return ERR_NOTFOUND;
    }
    if (f->fails_with_macro && kernel_has_macro(span_str(f->fails_with_macro)) && package_is_before(f, f->compiles_from)) {
        buf_add_fmt(why, "before version %s it does not compile with headers that have the macro %s", f->compiles_from, f->fails_with_macro);
        return ERR_NOTFOUND;
    }
    return ERR_OK;
}

bool capable_wrong(struct kernel *k, const struct flavour *f, struct buf *out_why) {
    bool wrong = (f->wrong_with_function && kernel_has_function(k, span_str(f->wrong_with_function))) ||
                 (f->wrong_without && !kernel_has_function(k, span_str(f->wrong_without))) ||
                 (f->right_from && package_is_before(f, f->right_from));
    if (wrong) buf_add_fmt(out_why, "it runs here, and what it says is wrong: %s", f->known_wrong);
    return wrong;
}

uint64_t capable_capabilities(const struct flavour *f) {
    return f->capabilities | (f->perf_events && kernel_guards_perf_events() ? UINT64_C(1) << CAP_SYS_ADMIN : 0);
}

enum err capable_host(struct kernel *k, const struct flavour *f, struct buf *out_why) {
    if (f->needs_btf && !kernel_has_btf()) {
        buf_add_str(out_why, "this kernel has no BTF (/sys/kernel/btf/vmlinux)");
        return ERR_NOTFOUND;
    }
    if (f->fails_with_field && kernel_has_field(k, span_str(f->fails_with_field))) {
        buf_add_fmt(out_why, "it does not load on kernels that have %s", f->fails_with_field);
        return ERR_NOTFOUND;
    }
    enum err e = check_headers(f, out_why);
    if (!e) e = check_functions(k, f, out_why);
    if (!e) e = check_tracepoints(f, out_why);
    if (!e) e = check_fields(k, f, out_why);
    if (e) return e;
    uint64_t wanted = capable_capabilities(f);
    for (unsigned long c = 0; c < 64; c++)
        if ((wanted >> c & 1) && prctl(PR_CAPBSET_READ, c, 0, 0, 0) != 1) {
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
