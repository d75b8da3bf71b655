/* Rows: processes and their stacks. */
#pragma once

#include "common/catalog/catalog.h"

extern const struct tool catalog_process_execsnoop, catalog_process_offcputime, catalog_process_profile;
