/* What the ingest bench sends: bodies of parts as an agent makes them, each behind its length (32 bits, little-endian).
 *   ingest_payload hist FILE      64 hosts' captures of a recorded histogram, counts varied
 *   ingest_payload events ROWS    4 batches of so many tcpconnlat events, each cut into parts
 *   ingest_payload stacks BYTES   4 profiles of so many bytes as folded stacks, each cut into parts */
#include <stdio.h>

#include "common/base/auto.h"
#include "tests/bench/print_out.h"
#include "tests/bench/sim_recording.h"

enum { WHY_BYTES = 512, HISTS = 64, BATCHES = 4 };

static enum err write_body(void *arg, uint32_t part, struct span body) {
    FILE *to = arg;
    const unsigned char n[] = {(unsigned char)body.n, (unsigned char)(body.n >> 8), (unsigned char)(body.n >> 16), 0};
    (void)part;
    return fwrite(n, sizeof n, 1, to) == 1 && fwrite(body.p, body.n, 1, to) == 1 ? ERR_OK : ERR_SYS;
}

static const struct outcome fine = {.coverage = COVERAGE_OK, .flavour = {"libbpf", 6}, .wall_ns = 10000000000, .replayed = true};

static enum err write_hists(const char *recording, char *why) {
    AUTO(sim_recording_free) struct sim_recording *r = NULL;
    enum err e = sim_recording_load(recording, NULL, why, WHY_BYTES, &r);
    for (uint64_t i = 0; !e && i < HISTS; i++) e = sim_recording_split(r, i, &fine, write_body, stdout);
    return e;
}

static enum err parse_and_split(const struct tool *tool, struct span text) {
    AUTO(arena_free) struct arena *mem = arena_new(LIMIT_CAPTURE_ARENA_BYTES);
    if (!mem) return ERR_NOMEM;
    const struct flavour *flavour = catalog_flavour(tool, FLAVOUR_LIBBPF);
    const struct parse_input in = {.out = text, .err = SPAN_NONE};
    struct capture c = {.kind = tool->kind, .tool = span_str(tool->name), .flavour = fine.flavour};
    enum err e = parse_output(&flavour->parse, &in, mem, &c);
    return e ? e : part_split(&c, &fine, LIMIT_PART_BODY_BYTES, write_body, stdout);
}

/* Folded stacks are made in one piece of many megabytes: the head of it, in whole lines. */
static struct span head_of(struct span text, uint64_t most) {
    struct span head = span_head(text, most < text.n ? (size_t)most : text.n);
    return span_head(head, span_rfind(head, '\n') + 1);
}

static enum err write_print_out(const char *name, uint64_t size, uint64_t seed) {
    const struct print_out *p = print_out_find(span_str(name));
    char *text = NULL;
    size_t n = 0;
    FILE *to = open_memstream(&text, &n);
    if (!to) return ERR_NOMEM;
    bool stacks = strcmp(name, "folded") == 0;
    p->write(to, stacks ? 1 : size, seed);
    enum err e = fclose(to) == 0 ? ERR_OK : ERR_NOMEM;
    struct span all = span_of(text, n);
    if (!e) e = parse_and_split(catalog_find(span_str(p->tool)), stacks ? head_of(all, size) : all);
    free(text);
    return e;
}

int main(int argc, char **argv) {
    char why[WHY_BYTES] = "";
    uint64_t size = 0;
    enum err e = ERR_SYNTAX;
    if (argc == 3 && strcmp(argv[1], "hist") == 0) {
        e = write_hists(argv[2], why);
    } else if (argc == 3 && span_u64(span_str(argv[2]), &size) && size > 0) {
        const char *name = strcmp(argv[1], "events") == 0 ? "tcpconnlat" : strcmp(argv[1], "stacks") == 0 ? "folded" : NULL;
        if (name) e = ERR_OK;
        for (uint64_t seed = 1; !e && seed <= BATCHES; seed++) e = write_print_out(name, size, seed);
    }
    if (!e) return fflush(stdout) != 0;
    fprintf(stderr, "ingest_payload: %s\n", why[0] ? why : err_text(e));
    return 1;
}
