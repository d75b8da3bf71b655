/* trawl doctor's look at the way to the collector: address, port, TLS and names, clock. */
#pragma once

#include "console/cli/doctor.h"
#include "console/client/client.h"

/* Gives *out, connected, or NULL; what could not be looked at then is said.  listen: the collector's configuration key of that port. */
struct client *doctor_link(struct doctor *d, const struct settings *s, const char *listen);
