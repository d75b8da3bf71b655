/* The rows that a table has room for. */
#pragma once

#include "common/model/events.h"

/* Room for cap_rows rows in all, which are more than there are; in one piece, so that it is there for every column or for none. */
NODISCARD enum err events_room_grow(struct events *e, struct arena *mem, size_t cap_rows);
