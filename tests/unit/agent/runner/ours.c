#include "tests/unit/agent/runner/ours.h"

#include "common/base/auto.h"

bool ours_is(const struct flavour *f, const char *arg) {
    for (size_t i = 0; i < COUNT_OF(f->argv) && f->argv[i]; i++)
        if (strcmp(arg, f->argv[i]) == 0) return true;
    for (size_t i = 0; i < COUNT_OF(f->defaults) && f->defaults[i]; i++)
        if (strcmp(arg, f->defaults[i]) == 0) return true;
    for (size_t i = 0; i < f->n_params; i++)
        if (f->params[i].flag && strcmp(arg, f->params[i].flag) == 0) return true;
    if (strcmp(arg, "-4") == 0 || strcmp(arg, "-6") == 0) return true; /* the address family, a value that is an option */
    if (strncmp(arg, "/sys/fs/cgroup/", 15) == 0)                      /* a path below it */
        return !strstr(arg, "/.") && !strstr(arg, "//") &&
               strspn(arg, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-/@:") == strlen(arg);
    /* A value: it starts with a letter or a digit, so it is no option, and it cannot leave its argument. */
    size_t n = strlen(arg), plain = strspn(arg, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");
    return n > 0 && n == plain && arg[0] != '-' && arg[0] != '.';
}
