#include "agent/runner/attach.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>

#include "common/base/auto.h"
#include "common/base/clock.h"
#include "common/base/span.h"

/* As readlink shows them; the spelling of links changed over the years. */
static bool is_probe(struct span link) {
    static const char *const names[] = {"anon_inode:[perf_event]", "anon_inode:bpf_link", "anon_inode:bpf-link",
                                        "anon_inode:bpf-raw-tracepoint", "anon_inode:[bpf_link]", "anon_inode:bpf-tracing-prog"};
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (span_eq_str(link, names[i])) return true;
    return false;
}

/* Without a program there is nothing to attach: perf events are then the buffers that events will come through. */
static size_t count_probes(pid_t tool) {
    char path[64], link[128];
    snprintf(path, sizeof path, "/proc/%d/fd", (int)tool);
    DIR *d = opendir(path);
    if (!d) return 0;
    size_t n = 0;
    bool program = false;
    for (struct dirent *e = readdir(d); e; e = readdir(d)) {
        ssize_t len = readlinkat(dirfd(d), e->d_name, link, sizeof link);
        struct span what = span_of(link, len > 0 ? (size_t)len : 0);
        program = program || span_eq_str(what, "anon_inode:bpf-prog");
        n += is_probe(what);
    }
    closedir(d);
    return program ? n : 0;
}

bool attach_settled(struct attach *a, size_t probes, uint64_t now_ns) {
    if (probes != a->probes || probes == 0) {
        a->probes = probes;
        a->since_ns = now_ns;
        return false;
    }
    uint64_t same_ns = now_ns - a->since_ns;
    return same_ns >= ATTACH_STABLE_MS * NS_PER_MS && same_ns >= (now_ns - a->began_ns) / ATTACH_STABLE_PART;
}

bool attach_look(struct attach *a, pid_t tool, uint64_t now_ns) { return attach_settled(a, count_probes(tool), now_ns); }

unsigned attach_stretch(uint64_t took_ns, unsigned usual_ms, unsigned most) {
    uint64_t times = took_ns / (usual_ms * NS_PER_MS);
    return times < 1 ? 1 : times > most ? most : (unsigned)times;
}
