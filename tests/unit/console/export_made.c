/* export_made FORM: the answers below in one form, for export_check.py to read back. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/wire/limits.h"
#include "console/export/folded.h"
#include "console/export/openmetrics.h"
#include "console/export/pprof.h"
#include "console/export/speedscope.h"
#include "console/render/flame.h"

static const struct {
    const char *frames[4]; /* root first; the third is of the kernel */
    const char *comm;
    uint64_t count;
} rows[] = {
    {{"main", "work", NULL}, "curl", 600},
    {{"main", "work", "do;syscall", NULL}, "curl", 300},
    {{"<script>alert('1')</script>&\"", "\x1b[2J\xff\n9", NULL}, "<&>\"'\x01\xc2\x85\xef\xbf\xbe]]>", 90},
    {{NULL}, "no frames", 9},
    {{"tiny", NULL}, "curl", 1},
};

static enum err make_stacks(struct arena *mem, uint64_t times, struct stacks *out) {
    enum err e = stacks_init(out, SPAN_LIT("samples"), mem);
    for (size_t i = 0; !e && i < COUNT_OF(rows); i++) {
        uint32_t at = STACKS_ROOT;
        for (size_t d = 0; !e && rows[i].frames[d]; d++)
            e = stacks_node(out, at, span_str(rows[i].frames[d]), d < 2 ? FRAME_USER : FRAME_KERNEL, &at);
        if (!e) e = stacks_add(out, at, span_str(rows[i].comm), STACKS_NO_PID, rows[i].count * (rows[i].count == 1 ? 1 : times));
    }
    return e;
}

static struct answer answer_of(const char *tool) {
    struct answer a = {.info = {.id = SPAN_LIT("1234567890123456789012345678abcd"),
                                .spec = {.tool = span_str(tool), .duration_s = 10},
                                .created_wall_ns = 1700000000000000000,
                                .state = SPAN_LIT("done"),
                                .targeted = 3,
                                .ledger = {.kernel = 12, .cap = 4096}}};
    a.info.coverage[COVERAGE_OK] = 2;
    a.info.coverage[COVERAGE_OFFLINE] = 1;
    return a;
}

/* A tool with sections of hostile names, another with another unit, gaps, an open end. */
static enum err make_metrics(const char *form, struct buf *out) {
    struct answer a = answer_of("biolatency");
    struct hist_slot fast[] = {{0, 1, 3}, {2, 3, 0}, {1048576, 2097151, 7}, {2097152, HIST_OPEN, 1}}, few[] = {{4, 7, 5}};
    struct hist hists[] = {{.unit = SPAN_LIT("usecs"),
                            .section = {{SPAN_LIT("disk"), SPAN_LIT("a\"b\\c\nd\xff")}},
                            .n_section = 1,
                            .slots = fast,
                            .n_slots = 4},
                           {.unit = SPAN_LIT("Kbytes"), .slots = few, .n_slots = 1},
                           {.unit = SPAN_LIT("usecs"),
                            .scale = HIST_LINEAR,
                            .section = {{SPAN_LIT("a-b"), SPAN_LIT("1")}, {SPAN_LIT("a.b"), SPAN_LIT("2")}},
                            .n_section = 2,
                            .slots = few,
                            .n_slots = 1},
                           {.unit = SPAN_LIT("msecs"), .slots = few, .n_slots = 1}};
    struct host_hist hosts[] = {{SPAN_LIT("web-1"), {hists, 2}}, {SPAN_LIT("web-2"), {&hists[2], 2}}};
    a.merged = (struct hist_set){hists, COUNT_OF(hists)};
    a.host_hists = hosts;
    a.n_host_hists = COUNT_OF(hosts);
    if (strcmp(form, "openmetrics") == 0) return openmetrics_write(&a, false, out);
    if (strcmp(form, "openmetrics-hosts") == 0) return openmetrics_write(&a, true, out);
    return ERR_NOTFOUND;
}

static enum err make(const char *form, struct arena *mem, struct buf *out) {
    struct answer a = answer_of("profile"), before = answer_of("profile");
    enum err e = make_stacks(mem, 1000, &a.stacks);
    if (!e) e = make_stacks(mem, 1, &before.stacks);
    if (e) return e;
    if (strcmp(form, "flame") == 0) return flame_svg(&a, NULL, out);
    if (strcmp(form, "versus") == 0) return flame_svg(&a, &before, out);
    if (strcmp(form, "folded") == 0) return folded_write(&a, out);
    if (strcmp(form, "pprof") == 0) return pprof_write(&a, out);
    if (strcmp(form, "speedscope") == 0) return speedscope_write(&a, out);
    return make_metrics(form, out);
}

int main(int argc, char **argv) {
    struct arena *mem = arena_new(LIMIT_ANSWER_ARENA_BYTES);
    struct buf out;
    buf_init(&out, 0);
    enum err e = mem && argc == 2 ? make(argv[1], mem, &out) : ERR_NOTFOUND;
    if (e) fprintf(stderr, "export_made: %s\n", err_text(e));
    if (!e) fwrite(out.p, 1, out.n, stdout);
    buf_done(&out);
    arena_free(mem);
    return e ? EXIT_FAILURE : EXIT_SUCCESS;
}
