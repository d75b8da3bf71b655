#include "agent/runner/kernel.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "common/base/auto.h"
#include "common/base/buf.h"
#include "common/sys/fds.h"

enum {
    SYMBOLS_BYTES = 64 << 20,
    HEADER_BYTES = 1 << 20,
    NAME_BYTES = 128,
    PATH_BYTES = 320,
    PARANOID_PERFMON = 2 /* the highest that CAP_PERFMON opens */
};

/* All are read when they are first asked for: they cost a tenth of a second, and most rows need none. */
struct kernel {
    bool btf_read, symbols_read, traceable_read;
    struct btf *btf;      /* NULL: it has none */
    struct buf symbols;   /* /proc/kallsyms */
    struct buf traceable; /* what ftrace can trace; empty: it does not tell */
};

static const char BTF_FILE[] = "/sys/kernel/btf/vmlinux";

static bool exists(const char *path) { return access(path, F_OK) == 0; }

struct kernel *kernel_new(void) {
    struct kernel *k = calloc(1, sizeof *k);
    if (!k) return NULL;
    buf_init(&k->symbols, SYMBOLS_BYTES);
    buf_init(&k->traceable, SYMBOLS_BYTES);
    return k;
}

void kernel_free(struct kernel *k) {
    if (!k) return;
    btf__free(k->btf);
    buf_done(&k->symbols);
    buf_done(&k->traceable);
    free(k);
}

static const struct btf *types_of(struct kernel *k) {
    if (!k->btf_read) {
        k->btf_read = true;
        k->btf = btf__parse(BTF_FILE, NULL);
        if (libbpf_get_error(k->btf)) k->btf = NULL;
    }
    return k->btf;
}

static struct span symbols_of(struct kernel *k) {
    if (!k->symbols_read) {
        k->symbols_read = true;
        IGNORED(fds_read_file("/proc/kallsyms", &k->symbols)); /* then it has no functions: rather incapable than wrong */
    }
    return buf_span(&k->symbols);
}

bool kernel_has_btf(void) { return exists(BTF_FILE); }

bool kernel_has_kprobes(void) {
    return exists("/sys/bus/event_source/devices/kprobe") || exists("/sys/kernel/tracing/kprobe_events") ||
           exists("/sys/kernel/debug/tracing/kprobe_events");
}

bool kernel_guards_perf_events(void) {
    struct buf text;
    int64_t level = 0;
    buf_init(&text, NAME_BYTES);
    bool known = fds_read_file("/proc/sys/kernel/perf_event_paranoid", &text) == ERR_OK && span_i64(span_trim(buf_span(&text)), &level);
    buf_done(&text);
    return known && level > PARANOID_PERFMON;
}

/* A line is "ADDRESS TYPE NAME", with "\t[MODULE]" behind it when it is one's. */
bool kernel_has_function(struct kernel *k, struct span name) {
    char text[NAME_BYTES + 2];
    int n = snprintf(text, sizeof text, " %.*s", (int)name.n, name.p);
    if (n < 0 || (size_t)n >= sizeof text) return false;
    struct span rest = symbols_of(k), what = span_of(text, (size_t)n);
    for (size_t at; (at = span_find_span(rest, what)) < rest.n; rest = span_drop(rest, at + what.n)) {
        char type = at > 0 ? rest.p[at - 1] : '\0';
        char after = at + what.n < rest.n ? rest.p[at + what.n] : '\n';
        if ((after == '\n' || after == '\t') && (type == 't' || type == 'T')) return true;
    }
    return false;
}

/* A line is "NAME", with " [MODULE]" behind it when it is one's. */
bool kernel_lets_probe(struct kernel *k, struct span name) {
    if (!k->traceable_read) {
        k->traceable_read = true;
        IGNORED(fds_read_file("/sys/kernel/tracing/available_filter_functions", &k->traceable)); /* then it does not tell */
    }
    struct span rest = buf_span(&k->traceable), line;
    if (rest.n == 0) return true;
    while (span_line(&rest, &line))
        if (span_starts(line, name) && (line.n == name.n || line.p[name.n] == ' ')) return true;
    return false;
}

bool kernel_has_fentry(struct kernel *k, struct span name) {
    static const struct bpf_insn nothing[] = {{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0}, {.code = BPF_JMP | BPF_EXIT}};
    char text[NAME_BYTES];
    int n = snprintf(text, sizeof text, "%.*s", (int)name.n, name.p);
    if (n < 0 || (size_t)n >= sizeof text) return false;
    const struct btf *types = types_of(k);
    int id = types ? btf__find_by_name_kind(types, text, BTF_KIND_FUNC) : -1;
    if (id < 0) return false;
    LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_TRACE_FENTRY, .attach_btf_id = (__u32)id);
    int fd = bpf_prog_load(BPF_PROG_TYPE_TRACING, "trawl_probe", "GPL", nothing, COUNT_OF(nothing), &opts);
    if (fd < 0) return false;
    close(fd);
    return true;
}

bool kernel_has_field(struct kernel *k, struct span type_member) {
    char text[NAME_BYTES];
    struct span type, member;
    span_cut(type_member, '.', &type, &member);
    int n = snprintf(text, sizeof text, "%.*s", (int)type.n, type.p);
    if (n < 0 || (size_t)n >= sizeof text) return false;
    const struct btf *types = types_of(k);
    int id = types ? btf__find_by_name_kind(types, text, BTF_KIND_STRUCT) : -1;
    const struct btf_type *t = id < 0 ? NULL : btf__type_by_id(types, (__u32)id);
    if (!t) return false;
    const struct btf_member *m = btf_members(t);
    for (unsigned i = 0; i < btf_vlen(t); i++)
        if (span_eq_str(member, btf__name_by_offset(types, m[i].name_off))) return true;
    return false;
}

bool kernel_has_tracepoint(struct span name) {
    static const char *const roots[] = {"/sys/kernel/tracing", "/sys/kernel/debug/tracing"};
    struct span group, event;
    span_cut(name, ':', &group, &event);
    for (size_t i = 0; i < COUNT_OF(roots); i++) {
        char path[PATH_BYTES];
        snprintf(path, sizeof path, "%s/events/%.*s/%.*s", roots[i], (int)group.n, group.p, (int)event.n, event.p);
        if (exists(path)) return true;
    }
    return false;
}

bool kernel_has_headers(void) {
    struct utsname uts;
    char path[PATH_BYTES];
    if (uname(&uts) != 0) return false;
    snprintf(path, sizeof path, "/lib/modules/%s/build", uts.release);
    return exists(path) || exists("/sys/kernel/kheaders.tar.xz");
}

bool kernel_defines(struct span header, struct span name) {
    static const struct span define = SPAN_LIT("#define ");
    struct span line;
    while (span_line(&header, &line)) {
        if (!span_starts(line, define)) continue;
        line = span_drop(line, define.n);
        if (span_starts(line, name) && (line.n == name.n || line.p[name.n] == '(' || line.p[name.n] == ' ' || line.p[name.n] == '\t'))
            return true;
    }
    return false;
}

/* Debian keeps what is made for a kernel in build, and the rest in source. */
bool kernel_has_macro(struct span file_macro) {
    static const char *const folders[] = {"build", "source"};
    struct utsname uts;
    struct span file, macro;
    bool has = false;
    span_cut(file_macro, ':', &file, &macro);
    if (uname(&uts) != 0) return false;
    for (size_t i = 0; i < COUNT_OF(folders) && !has; i++) {
        char path[PATH_BYTES];
        struct buf text;
        snprintf(path, sizeof path, "/lib/modules/%s/%s/include/%.*s", uts.release, folders[i], (int)file.n, file.p);
        buf_init(&text, HEADER_BYTES);
        has = fds_read_file(path, &text) == ERR_OK && kernel_defines(buf_span(&text), macro);
        buf_done(&text);
    }
    return has;
}
