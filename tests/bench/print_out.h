/* Print-outs of tools in any length, for measuring: the tools' own formats, libbpf flavour; the same seed gives the same bytes. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "common/base/span.h"

struct print_out {
    const char *name;
    const char *tool;                                      /* in the catalogue */
    const char *awk;                                       /* prints "COUNT SUM" of the same print-out; SUM in the last decimal */
    void (*write)(FILE *to, uint64_t size, uint64_t seed); /* size: bytes of folded stacks, else rows or sections */
};

/* NULL: there is none of that name. */
const struct print_out *print_out_find(struct span name);
