/* Certificates and revocation lists that end soon: a line in the log at the start, after a reload, and once a day.  Thread: the loop's. */
#pragma once

#include "agent/runner/policy.h"
#include "common/base/loop.h"

struct expiry {
    struct loop *loop;
    const struct policy *policy;
    struct loop_timer daily;
};

/* keeps loop and policy.  Looks at once. */
void expiry_start(struct expiry *e, struct loop *loop, const struct policy *policy);
void expiry_look(struct expiry *e);
void expiry_stop(struct expiry *e); /* harmless when it was not started */
