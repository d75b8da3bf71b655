#include "console/render/chart.h"

#include "common/merge/percentile.h"

enum { BAR_MIN = 10, BAR_MAX = 60, NUMBERS_WIDTH = 36 };

void chart_section(const struct hist *h, char *out, size_t size) {
    size_t n = 0;
    out[0] = '\0';
    for (size_t i = 0; i < h->n_section && n < size; i++) {
        char key[256], value[256];
        screen_escape(span_head(h->section[i].key, 60), key, sizeof key);
        screen_escape(span_head(h->section[i].value, 60), value, sizeof value);
        int w = snprintf(out + n, size - n, "%s%s=%s", i ? " " : "", key, value);
        n += w > 0 ? (size_t)w : 0;
    }
}

static void print_bar(const struct screen *s, uint64_t count, uint64_t most, unsigned width) {
    static const char *const eighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    unsigned __int128 units = (unsigned __int128)count * width * 8 / (most ? most : 1);
    if (count > 0 && units == 0) units = 1;
    unsigned whole = (unsigned)(units / 8), part = (unsigned)(units % 8);
    for (unsigned i = 0; i < whole; i++) fputs(s->unicode ? "█" : "*", s->to);
    if (part) fputs(s->unicode ? eighths[part] : (whole == 0 ? "." : ""), s->to);
}

/* "16 … 31", right-aligned. */
static void print_range(const struct hist_slot *slot, const struct screen *s) {
    enum { COLUMNS = 21, ELLIPSIS_BYTES_MORE = 2 };
    char range[64];
    int width = COLUMNS;
    if (slot->high == HIST_OPEN) {
        snprintf(range, sizeof range, "%llu and above", (unsigned long long)slot->low);
    } else if (slot->high == slot->low) {
        snprintf(range, sizeof range, "%llu", (unsigned long long)slot->low);
    } else {
        snprintf(range, sizeof range, "%llu %s %llu", (unsigned long long)slot->low, s->unicode ? "…" : "..",
                 (unsigned long long)slot->high);
        if (s->unicode) width += ELLIPSIS_BYTES_MORE;
    }
    fprintf(s->to, "%*s", width, range);
}

static void print_slots(const struct hist *h, const struct screen *s) {
    uint64_t most = 0;
    for (size_t i = 0; i < h->n_slots; i++)
        if (h->slots[i].count > most) most = h->slots[i].count;
    unsigned width = s->width > NUMBERS_WIDTH + BAR_MIN ? s->width - NUMBERS_WIDTH : BAR_MIN;
    if (width > BAR_MAX) width = BAR_MAX;
    char unit[256];
    screen_escape(span_head(h->unit, 60), unit, sizeof unit);
    fprintf(s->to, "%s%21s   %10s%s\n", screen_tone(s, TONE_DIM), unit, "count", screen_tone(s, TONE_PLAIN));
    for (size_t i = 0; i < h->n_slots; i++) {
        print_range(&h->slots[i], s);
        fprintf(s->to, "   %10llu  ", (unsigned long long)h->slots[i].count);
        print_bar(s, h->slots[i].count, most, width);
        fputc('\n', s->to);
    }
}

void chart_value(const struct percentile *p, char *out, size_t size) {
    if (!p->known)
        snprintf(out, size, "-");
    else
        snprintf(out, size, "%.15g", p->value);
}

static void print_percentiles(const struct hist *h, const struct tool *tool, const struct bands *own, const struct screen *s) {
    static const struct {
        unsigned permille;
        const char *name;
    } wanted[] = {{500, "p50"}, {900, "p90"}, {990, "p99"}, {999, "p999"}};
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        struct percentile p = percentile_of(h, wanted[i].permille);
        char value[40], high[40];
        chart_value(&p, value, sizeof value);
        snprintf(high, sizeof high, "%llu", (unsigned long long)p.high);
        fprintf(s->to, "  %s%-4s%s %s", screen_tone(s, TONE_BOLD), wanted[i].name, screen_tone(s, TONE_PLAIN), value);
        if (p.known) fprintf(s->to, " [%llu, %s]", (unsigned long long)p.low, p.high == HIST_OPEN ? "and above" : high);
    }
    fputs("  ", s->to);
    screen_print(s, h->unit);
    fputc('\n', s->to);
    const char *verdict = tool ? bands_verdict(tool, h, own) : NULL;
    fprintf(s->to, "  total %llu", (unsigned long long)hist_total(h));
    if (verdict) fprintf(s->to, "  reading: %s%s%s", screen_tone(s, screen_tone_of(verdict)), verdict, screen_tone(s, TONE_PLAIN));
    fputc('\n', s->to);
}

void chart_print(const struct hist *h, const struct tool *tool, const struct bands *own, const struct screen *s) {
    char section[512];
    chart_section(h, section, sizeof section);
    if (section[0]) fprintf(s->to, "%s%s%s\n", screen_tone(s, TONE_BOLD), section, screen_tone(s, TONE_PLAIN));
    print_slots(h, s);
    print_percentiles(h, tool, own, s);
}
