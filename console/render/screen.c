#include "console/render/screen.h"

#include <sys/ioctl.h>

#include "common/base/log.h"

static bool locale_is_utf8(void) {
    const char *names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *v = getenv(names[i]);
        if (v && v[0]) return strcasestr(v, "utf-8") || strcasestr(v, "utf8");
    }
    return false;
}

struct screen screen_on(FILE *to) {
    struct screen s = {.to = to, .width = 80, .unicode = locale_is_utf8()};
    int fd = fileno(to);
    if (fd < 0 || !isatty(fd)) return s;
    const char *no_colour = getenv("NO_COLOR"), *term = getenv("TERM");
    struct winsize size;
    s.colour = !(no_colour && no_colour[0]) && term && strcmp(term, "dumb") != 0;
    if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col >= 40) s.width = size.ws_col;
    return s;
}

const char *screen_tone(const struct screen *s, enum tone t) {
    static const char *const sequences[] = {
        [TONE_PLAIN] = "\033[0m", [TONE_BOLD] = "\033[1m",     [TONE_DIM] = "\033[2m",
        [TONE_GOOD] = "\033[32m", [TONE_WARNING] = "\033[33m", [TONE_BAD] = "\033[31m",
    };
    return s->colour ? sequences[t] : "";
}

enum tone screen_tone_of(const char *word) {
    static const struct {
        const char *word;
        enum tone tone;
    } words[] = {{"good", TONE_GOOD},       {"warning", TONE_WARNING}, {"critical", TONE_BAD},  {"ok", TONE_GOOD},
                 {"partial", TONE_WARNING}, {"refused", TONE_WARNING}, {"failed", TONE_BAD},    {"timeout", TONE_BAD},
                 {"offline", TONE_BAD},     {"online", TONE_GOOD},     {"cancelled", TONE_DIM}, {"incapable", TONE_WARNING}};
    for (size_t i = 0; word && i < sizeof words / sizeof words[0]; i++)
        if (strcmp(words[i].word, word) == 0) return words[i].tone;
    return TONE_PLAIN;
}

/* As in a log, but there quotes and backslashes have a meaning and are escaped as well; here they are only hard to read so. */
void screen_escape(struct span text, char *out, size_t out_size) {
    if (out_size == 0) return;
    log_escape(text, out, out_size);
    char *to = out;
    for (const char *from = out; *from;) {
        bool quote = strncmp(from, "\\x22", 4) == 0, backslash = strncmp(from, "\\x5c", 4) == 0;
        *to++ = quote ? '"' : *from;
        from += quote || backslash ? 4 : 1;
    }
    *to = '\0';
}

void screen_print(const struct screen *s, struct span text) {
    enum { SHOWN_BYTES = 1024 };
    char safe[4 * SHOWN_BYTES + 1];
    screen_escape(span_head(text, SHOWN_BYTES), safe, sizeof safe);
    fputs(safe, s->to);
}
