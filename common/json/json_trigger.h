/* The JSON of docs/json.md: triggers.  As json_fleet.h. */
#pragma once

#include "common/wire/trigger.h"

NODISCARD enum err json_trigger_list(const struct trigger_list *l, struct buf *out); /* trawl trigger list, show, add, remove */
