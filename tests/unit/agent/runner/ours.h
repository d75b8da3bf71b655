/* What may stand in a tool's argv, said a second time and in another way than the catalogue says it. */
#pragma once

#include "common/catalog/catalog.h"

/* arg, behind argv[0], can only come from this row or from a value of the checked alphabet that is no option. */
bool ours_is(const struct flavour *f, const char *arg);
