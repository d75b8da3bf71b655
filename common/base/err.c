#include "common/base/err.h"

static const struct {
    const char *name, *text;
} ERRORS[ERR__COUNT] = {
#define ERR_ROW(name, text) [ERR_##name] = {#name, text},
    ERR_LIST(ERR_ROW)
#undef ERR_ROW
};

const char *err_name(enum err e) { return e < ERR__COUNT ? ERRORS[e].name : "UNKNOWN"; }
const char *err_text(enum err e) { return e < ERR__COUNT ? ERRORS[e].text : "unknown error"; }
