/* Merged histograms as OpenMetrics text, which Prometheus' text format reads as well.  Names: trawl_TOOL_UNIT; times are in seconds, Kbytes
 * in bytes, other units as the tool has them.  A slot [low, high] of integers becomes the bucket le="high": both are inclusive at the upper
 * edge, and tools cut off what is behind the point, so le is the largest value that the tool prints for it.  There is no _sum (the tools
 * print none), and without it the format has no _count either: the bucket +Inf is the count. Labels: scale, printed (the tool's own unit),
 * section_KEY for each key of its section. Gauges carry coverage and ledger: trawl_coverage_hosts, trawl_lost_events, trawl_lost_bytes, and
 * trawl_campaign names what was asked. */
#pragma once

#include "common/base/buf.h"
#include "common/wire/query.h"

/* per_host: each host's histograms, with the label host, instead of the merged ones.  Errors: ERR_NOMEM; ERR_LIMIT out's cap. */
NODISCARD enum err openmetrics_write(const struct answer *a, bool per_host, struct buf *out);
