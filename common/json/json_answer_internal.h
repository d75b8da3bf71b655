/* Inside common/json: how every merged answer begins. */
#pragma once

#include "common/json/json_make.h"
#include "common/wire/query.h"

/* campaign, coverage, ledger, kind (NULL: none), notes, and the hosts that are not ok. */
json_t *json_answer_head(struct json_maker *m, const struct answer *a, const char *kind);
