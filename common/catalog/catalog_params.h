#pragma once

#include "common/catalog/catalog.h"

extern const struct param_info catalog_params[PARAM__COUNT];
