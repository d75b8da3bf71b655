#include "console/cli/progress.h"

#include "common/wire/query.h"

void progress_begin(struct progress *p, FILE *to) { *p = (struct progress){.to = to, .terminal = isatty(fileno(to)) == 1}; }

static void describe(const struct campaign_info *i, char *out, size_t size) {
    uint32_t done = 0;
    for (int c = COVERAGE_OK; c < COVERAGE__COUNT; c++) done += i->coverage[c];
    uint32_t failed = done - i->coverage[COVERAGE_OK];
    int n = snprintf(out, size, "%u/%u hosts · %u running · %u done", done + i->coverage[COVERAGE_RUNNING], i->targeted,
                     i->coverage[COVERAGE_RUNNING], done);
    if (failed > 0 && n > 0 && (size_t)n < size) n += snprintf(out + n, size - (size_t)n, " (%u not ok)", failed);
    if (i->waves > 1 && n > 0 && (size_t)n < size) n += snprintf(out + n, size - (size_t)n, " · wave %u of %u", i->wave, i->waves);
    if (span_eq_str(i->state, "paused") && n > 0 && (size_t)n < size) snprintf(out + n, size - (size_t)n, " · paused");
}

bool progress_message(void *arg, struct span bytes) {
    struct progress *p = arg;
    AUTO(arena_free) struct arena *mem = arena_new(LIMIT_FRAME_ARENA_BYTES);
    struct campaign_info info;
    if (!mem || query_decode_info(bytes, mem, &info) != ERR_OK) return true; /* only progress: the answer is asked for afterwards */
    char line[sizeof p->last];
    describe(&info, line, sizeof line);
    if (strcmp(line, p->last) == 0) return true;
    snprintf(p->last, sizeof p->last, "%s", line);
    if (p->terminal)
        fprintf(p->to, "\r\033[K%s", line);
    else
        fprintf(p->to, "%s\n", line);
    p->drawn = true;
    return true;
}

void progress_end(struct progress *p) {
    if (p->terminal && p->drawn) fputs("\r\033[K", p->to);
}
