#include "common/base/err.h"

#include <stdarg.h>
#include <stdio.h>

static const struct {
    const char *name, *text;
} ERRORS[ERR__COUNT] = {
#define ERR_ROW(name, text) [ERR_##name] = {#name, text},
    ERR_LIST(ERR_ROW)
#undef ERR_ROW
};

const char *err_name(enum err e) { return e < ERR__COUNT ? ERRORS[e].name : "UNKNOWN"; }
const char *err_text(enum err e) { return e < ERR__COUNT ? ERRORS[e].text : "unknown error"; }

enum err err_because(char *why, size_t why_size, enum err e, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    vsnprintf(why, why_size, fmt, args);
    va_end(args);
    return e;
}
