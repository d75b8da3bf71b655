/* What an agentd in anybody's hands can send to the runner.  What is admitted is in the catalogue and within the policy, its argv is
 * plain text, and it is admitted again when it is asked for again. */
#include <assert.h>
#include <stdint.h>

#include "agent/runner/admit.h"
#include "common/base/arena.h"
#include "common/base/clock.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SECONDS_MOST = 60, ARENA_BYTES = 64 * 1024 };

static char all[] = "all", none[] = "";
static const struct policy policy = {
    .tools = all, .quiet_hours = none, .pins = none, .tool_dir = none, .max_duration_ns = SECONDS_MOST * NS_PER_S, .max_concurrent = 2};

static bool admit(const struct request *r, struct admitted *out) {
    struct buf why;
    buf_init(&why, 0);
    enum err e = admit_run(r, &policy, 0, 0, out, &why);
    assert(!e || (e == ERR_REFUSED && why.n > 0));
    buf_done(&why);
    return !e;
}

static size_t check_argv(const struct admitted *a) {
    struct arena *mem = arena_new(ARENA_BYTES);
    const char *const *argv = NULL;
    size_t n = 0;
    assert(mem);
    enum err e = catalog_argv(a->flavour, "tool", &a->params, a->seconds, mem, &argv);
    assert(!e && strcmp(argv[0], "tool") == 0);
    for (; argv[n]; n++)
        for (const char *c = argv[n]; *c; c++) assert(*c >= ' ' && *c < 0x7f);
    arena_free(mem);
    return n;
}

static void ask_again(const struct request *r, const struct admitted *a) {
    struct request q = {
        .magic = r->magic, .kind = r->kind, .run = r->run, .tool = a->tool->id, .flavour = a->flavour->id, .seconds = a->seconds};
    struct admitted again;
    for (size_t i = 0; i < a->params.n; i++) {
        const struct param *p = &a->params.p[i];
        assert(memchr(p->name, '\0', sizeof p->name) && catalog_param(p->id));
        q.params[i] = (struct request_param){.id = p->id, .number = p->number};
        memcpy(q.params[i].name, p->name, sizeof p->name);
    }
    bool yes = admit(&q, &again);
    assert(yes && again.tool == a->tool && again.flavour == a->flavour && again.seconds == a->seconds && again.params.n == a->params.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct request r = {0};
    struct admitted a, probed;
    struct buf why;
    memcpy(&r, data, size < sizeof r ? size : sizeof r);
    bool admitted = admit(&r, &a);
    buf_init(&why, 0);
    enum err e = admit_probe(&r, &policy, &probed, &why);
    assert(!e || (e == ERR_REFUSED && why.n > 0));
    assert(!admitted || !e); /* what may run may be asked about */
    buf_done(&why);
    if (!admitted) return 0;
    assert(a.tool == catalog_tool(a.tool->id) && a.seconds > 0 && a.seconds <= SECONDS_MOST);
    assert(check_argv(&a) > 0);
    ask_again(&r, &a);
    return 0;
}
