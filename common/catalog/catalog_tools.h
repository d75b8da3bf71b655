/* The rows themselves.  Data only. */
#pragma once

#include "common/catalog/catalog.h"

extern const struct tool catalog_tools[TOOL__COUNT]; /* [TOOL_NONE] is empty */
extern const struct param_info catalog_tools_params[PARAM__COUNT];
