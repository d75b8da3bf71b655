/* Pressure alarms: the kernel says when a resource was waited for too long (PSI triggers on /proc/pressure), so that nobody has to look.
 * What agentd asks is checked again: windows are whole pairs of seconds, which the kernel takes without CAP_SYS_RESOURCE.
 * Thread: the loop's. */
#pragma once

#include "agent/runner/request.h"
#include "common/base/loop.h"

enum { ALARM_MAX = 32 };

struct alarm_slot {
    struct loop_watch watch;
    struct alarm *owner;
    uint64_t number; /* 0: free */
};

struct alarm {
    struct loop *loop;
    const char *folder; /* /proc/pressure */
    struct alarm_slot slots[ALARM_MAX];
    void (*rang)(struct alarm *a, uint64_t number);
};

/* keeps loop and folder; rang is set by the caller. */
void alarm_init(struct alarm *a, struct loop *loop, const char *folder);
void alarm_done(struct alarm *a);
/* From now on rang(number) comes whenever the kernel says so, at most once a window.  ERR_SYNTAX, ERR_EXISTS, ERR_LIMIT (too many), ERR_SYS
 * (no PSI here), with why. */
NODISCARD enum err alarm_set(struct alarm *a, uint64_t number, const struct alarm_request *r, char *why, size_t why_size);
void alarm_clear(struct alarm *a, uint64_t number); /* harmless when it is not set */
