#include "tests/bench/sim_recording.h"

#include <stdio.h>

#include "common/sys/fds.h"
#include "tests/support/gen.h"

enum { FILE_MAX_BYTES = 4 * 1024 * 1024 };

struct sim_recording {
    const struct tool *tool;
    const struct flavour *flavour;
    struct arena *mem; /* holds capture */
    struct capture capture;
};

/* tests/golden/runqlat/6.1.txt → runqlat */
static struct span folder_of(const char *path) {
    struct span s = span_str(path);
    size_t file = span_rfind(s, '/');
    if (file == s.n) return SPAN_NONE;
    s.n = file;
    size_t folder = span_rfind(s, '/');
    return folder == s.n ? s : span_drop(s, folder + 1);
}

static enum err understand(struct sim_recording *r, struct span text, const char *path, char *why, size_t why_size) {
    r->flavour = catalog_guess(r->tool, text);
    const struct parse_input in = {.out = text, .err = SPAN_NONE};
    enum err e = parse_output(&r->flavour->parse, &in, r->mem, &r->capture);
    bool empty = r->capture.hists.n == 0 && r->capture.events.n_rows == 0 && r->capture.stacks.n_rows == 0;
    if (!e && (r->capture.failed || empty)) e = ERR_SYNTAX;
    if (e) snprintf(why, why_size, "%s: there is nothing of %s in it that could be read", path, r->tool->name);
    return e;
}

enum err sim_recording_load(const char *path, const char *tool, char *why, size_t why_size, struct sim_recording **out) {
    struct span name = tool ? span_str(tool) : folder_of(path);
    AUTO(sim_recording_free) struct sim_recording *r = calloc(1, sizeof *r);
    snprintf(why, why_size, "%s", err_text(ERR_NOMEM));
    if (!r) return ERR_NOMEM;
    r->tool = catalog_find(name);
    if (!r->tool) {
        snprintf(why, why_size, "%s: there is no tool \"%.*s\"; name it with --tool", path, (int)name.n, name.p ? name.p : "");
        return ERR_NOTFOUND;
    }
    r->mem = arena_new(LIMIT_CAPTURE_ARENA_BYTES);
    if (!r->mem) return ERR_NOMEM;
    r->capture.kind = r->tool->kind;
    struct buf text;
    buf_init(&text, FILE_MAX_BYTES);
    enum err e = fds_read_file(path, &text);
    if (e)
        snprintf(why, why_size, "%s: cannot be read", path);
    else
        e = understand(r, buf_span(&text), path, why, why_size);
    buf_done(&text);
    r->capture.tool = span_str(r->tool->name);
    r->capture.flavour = sim_recording_flavour(r);
    if (!e) *out = TAKE(r);
    return e;
}

void sim_recording_free(struct sim_recording *r) {
    if (r->mem) arena_free(r->mem);
    free(r);
}

const struct tool *sim_recording_tool(const struct sim_recording *r) { return r->tool; }
struct span sim_recording_flavour(const struct sim_recording *r) {
    return r->flavour ? span_str(catalog_flavour_name(r->flavour->id)) : SPAN_LIT("any");
}

static enum err vary(const struct hist_set *from, uint64_t seed, struct arena *mem, struct hist_set *out) {
    struct gen g;
    gen_seed(&g, seed);
    struct hist *hists = arena_array(mem, from->n, sizeof *hists);
    if (!hists) return ERR_NOMEM;
    for (size_t i = 0; i < from->n; i++) {
        hists[i] = from->hists[i];
        hists[i].slots = arena_array(mem, hists[i].n_slots, sizeof *hists[i].slots);
        if (!hists[i].slots) return ERR_NOMEM;
        for (size_t j = 0; j < hists[i].n_slots; j++) {
            struct hist_slot slot = from->hists[i].slots[j];
            slot.count = slot.count / 2 + gen_below(&g, slot.count + 1);
            hists[i].slots[j] = slot;
        }
    }
    *out = (struct hist_set){.hists = hists, .n = from->n};
    return ERR_OK;
}

enum err sim_recording_split(const struct sim_recording *r, uint64_t seed, const struct outcome *o, part_sink_fn *sink, void *arg) {
    AUTO(arena_free) struct arena *mem = arena_new(LIMIT_CAPTURE_ARENA_BYTES);
    if (!mem) return ERR_NOMEM;
    struct capture mine = r->capture;
    enum err e = mine.hists.n ? vary(&r->capture.hists, seed, mem, &mine.hists) : ERR_OK;
    return e ? e : part_split(&mine, o, LIMIT_PART_BODY_BYTES, sink, arg);
}
