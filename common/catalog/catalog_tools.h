/* The table itself, for catalog.c. */
#pragma once

#include "common/catalog/catalog.h"

extern const struct tool *const catalog_tools[TOOL__COUNT]; /* [TOOL_NONE] is NULL */
