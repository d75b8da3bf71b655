/* agentd's end of the pair to the runner: requests out, reports and descriptors in.  Thread: the loop's. */
#pragma once

#include "agent/runner/request.h"
#include "common/base/loop.h"

struct channel {
    struct loop *loop;
    struct loop_watch watch;
    /* takes the descriptors (-1: none came). */
    void (*report)(struct channel *c, const struct report *r, int out_fd, int err_fd);
    void (*gone)(struct channel *c); /* the runner is no more: nothing can be done without it */
};

/* borrows fd.  report and gone are set by the caller. */
NODISCARD enum err channel_start(struct channel *c, struct loop *loop, int fd);
/* ERR_GONE: the runner is no more; ERR_AGAIN: it does not read (it is stuck: treat as refused). */
NODISCARD enum err channel_run(struct channel *c, uint64_t run, enum tool_id tool, enum flavour_id flavour, uint32_t seconds,
                               const struct params *params);
NODISCARD enum err channel_stop(struct channel *c, uint64_t run);
/* Alarms are numbered apart from runs. */
NODISCARD enum err channel_watch(struct channel *c, uint64_t alarm, const struct alarm_request *r);
NODISCARD enum err channel_unwatch(struct channel *c, uint64_t alarm);
NODISCARD enum err channel_probe(struct channel *c, uint64_t run, enum tool_id tool, enum flavour_id flavour);
