/* What would become of an order on a host, by what the host last said of itself.  Pure. */
#pragma once

#include "common/order/order.h"
#include "common/wire/query.h"

/* Of o: tool, flavour, params, and of its spec how long (0: no run in particular) and from when.  The row is in mem; its host is f's.
 * ERR_NOMEM. */
NODISCARD enum err foretell_row(const struct order *o, const struct facts *f, bool online, struct arena *mem, struct plan_row *out);
