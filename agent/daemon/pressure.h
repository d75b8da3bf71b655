/* How much the host's processes wait for its CPUs: the kernel's PSI, "some", over the last ten seconds. */
#pragma once

#include <stdbool.h>

#include "common/base/span.h"

/* Of the text of /proc/pressure/cpu.  False: it is not that. */
bool pressure_parse(struct span text, uint32_t *out_permille);
/* False: this kernel does not say. */
bool pressure_read(uint32_t *out_permille);
