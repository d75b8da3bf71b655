/* The listener for callers from outside, on a thread of its own; nothing when it is not configured. */
#pragma once

#include "collector/daemon/settings.h"
#include "collector/http/http.h"

struct outside;

/* core: where calls go.  *out NULL: http_listen is empty.  Errors as http_new's. */
NODISCARD enum err outside_new(const struct settings *set, struct queue *core, char *why, size_t why_size, struct outside **out);
struct queue *outside_inbox(const struct outside *o); /* NULL when o is NULL */
NODISCARD enum err outside_start(struct outside *o);
void outside_stop(struct outside *o); /* frees it; NULL is fine */
int outside_port(const struct outside *o);
