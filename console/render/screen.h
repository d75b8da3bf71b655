/* What an answer is written on: a terminal, a pipe or a file.  Colour only on a terminal (and not with NO_COLOR); bars of
 * Unicode blocks only where the locale's character set is UTF-8. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "common/base/span.h"

struct screen {
    FILE *to;
    bool colour, unicode;
    unsigned width; /* columns; 80 when it is not a terminal */
};

enum tone { TONE_PLAIN, TONE_BOLD, TONE_DIM, TONE_GOOD, TONE_WARNING, TONE_BAD };

struct screen screen_on(FILE *to);
/* The escape sequence that begins a tone, "" without colour; TONE_PLAIN ends one. */
const char *screen_tone(const struct screen *s, enum tone t);
/* The tone of a verdict ("good", "warning", "critical") or of a coverage name; TONE_PLAIN for others and NULL. */
enum tone screen_tone_of(const char *word);
/* Text of a tool or a peer for a person's eyes, NUL-terminated: what could drive the terminal is \x.. (quotes and backslashes stay as they
 * are).  4 × text.n + 1 bytes are enough; cut when smaller. */
void screen_escape(struct span text, char *out, size_t out_size);
/* The same onto the screen, cut at 1 KiB. */
void screen_print(const struct screen *s, struct span text);
