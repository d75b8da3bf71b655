/* Rows: TCP and name look-ups. */
#pragma once

#include "common/catalog/catalog.h"

extern const struct tool catalog_net_tcpconnlat, catalog_net_tcpretrans, catalog_net_tcprtt, catalog_net_tcpdrop, catalog_net_tcpstates,
    catalog_net_gethostlatency;
