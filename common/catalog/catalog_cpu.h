/* Rows: CPUs, run queues, interrupts. */
#pragma once

#include "common/catalog/catalog.h"

extern const struct tool catalog_cpu_runqlat, catalog_cpu_runqlen, catalog_cpu_cpudist, catalog_cpu_hardirqs, catalog_cpu_softirqs;
