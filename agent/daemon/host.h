/* What this host says about itself: its name and labels (from agent.conf), its kernel. */
#pragma once

#include <sys/utsname.h>

#include "common/base/arena.h"
#include "common/model/histogram.h"
#include "common/wire/limits.h"

struct host {
    char name[LIMIT_NAME_BYTES + 1];
    struct utsname uts;
    struct label *labels;
    size_t n_labels;
};

/* configured: host of agent.conf, "" for the machine's own name.  labels: "k=v,k=v".  In mem.
 * ERR_SYNTAX: a name or label that does not fit common/wire/limits.h or its alphabet; why says which. */
NODISCARD enum err host_read(const char *configured, const char *labels, struct arena *mem, char *why, size_t why_size, struct host *out);
