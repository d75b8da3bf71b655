/* Rows of tools that print both ends of connections (tcpconnlat, tcpstates, tcpretrans, tcpdrop, …) as rows of one shape:
 * SOURCE, the end that the tool prints first, DESTINATION, the other, and the time, if there is one.
 *
 * An end is "ADDRESS" or "ADDRESS:PORT" ("[ADDRESS]:PORT" for IPv6).  IPv4 addresses mapped into IPv6 (::ffff:10.0.0.1) are the IPv4
 * addresses, and IPv6 is written in its shortest form.  Of the two ports only the service's is kept: a port of
 * CONNECTIONS_EPHEMERAL or above gives way to one below, else the larger to the smaller; equal ones stay.  A tool that prints only one
 * port prints the service's.  Pure. */
#pragma once

#include "common/model/events.h"

enum { CONNECTIONS_EPHEMERAL = 32768 }; /* the lowest that Linux gives to a client by itself */

/* In mem.  of: the column to carry along, "" for the one that the tools have: LAT(ms) or MS.  ERR_NOTFOUND: e has no two ends, or not that
 * column; ERR_NOMEM. */
NODISCARD enum err connections_of(const struct events *e, struct span of, struct arena *mem, struct events *out);
/* One end.  port < 0: none.  Appended to out. */
void connections_end(struct span address, int64_t port, struct buf *out);
