/* The JSON of docs/json.md: hosts and campaigns.  Each writes one object and a newline, appended to out, which is as it was on failure.
 * Errors: ERR_NOMEM; ERR_LIMIT out's cap. */
#pragma once

#include "common/catalog/catalog.h"
#include "common/wire/query.h"

NODISCARD enum err json_fleet_hosts(const struct host_list *l, struct buf *out);               /* trawl hosts */
NODISCARD enum err json_fleet_campaigns(const struct campaign_list *l, struct buf *out);       /* trawl campaigns */
NODISCARD enum err json_fleet_campaign(const struct campaign_info *i, struct buf *out);        /* trawl stop; a line of trawl watch */
NODISCARD enum err json_fleet_detail(const struct campaign_detail *d, struct buf *out);        /* trawl show */
NODISCARD enum err json_fleet_plan(const struct plan *p, const struct tool *t, struct buf *out); /* trawl plan */
