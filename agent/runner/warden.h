/* A PID namespace for one run, and its init, which does nothing.  When the warden dies, and it dies with the runner, the kernel
 * kills every process of the namespace, whatever it forked, daemonised or ignored: nothing survives its run. */
#pragma once

#include <sys/types.h>

#include "common/base/err.h"

struct warden {
    pid_t pid;
    int pidfd; /* readable when nothing of the namespace is left (its processes that are our children must be reaped first) */
};

/* The runner's own PID namespace, to come back to.  -1: errno says why. */
int warden_own_namespace(void);
/* Makes a warden.  From here to warden_leave() every fork() is born in its namespace, as our child.
 * ERR_SYS: nothing was made and forks are what they were; errno says why. */
NODISCARD enum err warden_enter(int own_namespace, struct warden *out);
/* Forks are born in our own namespace again.  Ends the program when the kernel says no: nothing would be where it belongs. */
void warden_leave(int own_namespace);
void warden_kill(const struct warden *w); /* and with it all of its namespace */
void warden_reap(struct warden *w);       /* waits for its end and closes the descriptor; harmless when done */
