/* The host's kill switch: a file that, while it exists, keeps everything from running.  Its folder is watched, never polled.
 * Thread: the loop's. */
#pragma once

#include "common/base/loop.h"

struct killswitch {
    const char *path;
    struct loop *loop;
    bool thrown;
    struct loop_watch watch;
    int fd; /* inotify's; -1: nothing is watched */
    void (*changed)(struct killswitch *k);
};

/* keeps path and loop.  changed is set by the caller and told of every change from now on; k->thrown says how it is.  ERR_SYS: the folder
 * cannot be watched (errno says); the switch is still looked at by killswitch_look. */
NODISCARD enum err killswitch_start(struct killswitch *k, struct loop *loop, const char *path);
/* How is it now?  changed comes when that is news.  A file that cannot be asked about counts as there. */
bool killswitch_look(struct killswitch *k);
void killswitch_stop(struct killswitch *k); /* harmless when it was not started */
