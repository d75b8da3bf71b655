/* JSON as bpftrace prints it, taken apart from the left.  Not jansson: bpftrace before 0.18 prints clock times without quotes and
 * the byte 0xff as "\uffffffff", a JSON library would refuse the one and misread the other, and a whole map is one line (ADR 0012). */
#pragma once

#include "common/parse/parse_job.h"

struct parse_json {
    struct span rest;
    struct arena *mem;
    char *text; /* of the last parse_json_text, reused */
    size_t text_cap;
};

/* Behind blanks: the next byte is c, and is taken. */
bool parse_json_take(struct parse_json *j, char c);
bool parse_json_next_is(struct parse_json *j, char c);
/* "text", unescaped; *out dies with the next call.  ERR_SYNTAX; ERR_NOMEM. */
NODISCARD enum err parse_json_text(struct parse_json *j, struct span *out);
/* A text and the colon behind it. */
NODISCARD enum err parse_json_key(struct parse_json *j, struct span *out);
/* A number, or a clock time without quotes.  False: there is none. */
bool parse_json_bare(struct parse_json *j, struct span *out);
