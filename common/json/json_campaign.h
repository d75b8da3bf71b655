/* Inside common/json: what every answer says about its campaign. */
#pragma once

#include "common/json/json_make.h"
#include "common/wire/query.h"

/* "campaign", "coverage", "ledger" into object. */
void json_campaign_put(struct json_maker *m, json_t *object, const struct campaign_info *i);
/* The states add up to the hosts targeted. */
bool json_campaign_adds_up(const struct campaign_info *i);
/* {"host", "state", "reason", "outcome"}; outcome null until there is one. */
json_t *json_campaign_target(struct json_maker *m, const struct target_info *t);
