/* Why nothing may run on this host: the fleet's lockdown, as an admin signed it, remembered on disk beside the spool; and this host's own
 * kill switch, which the runner watches and enforces.  Thread: the loop's. */
#pragma once

#include "common/order/lockdown.h"

struct locked {
    int dir_fd; /* of the spool */
    struct lockdown fleet;
    bool switched;                    /* the host's kill switch is thrown */
    char why[LIMIT_REASON_BYTES + 1]; /* "": nothing is locked */
};

/* ERR_SYS: the folder.  *out_sound false: the record was damaged, which counts as a lockdown. */
NODISCARD enum err locked_open(struct locked *l, const char *dir, bool *out_sound);
void locked_close(struct locked *l);
/* A statement has come.  ERR_OK: it holds from now on; ERR_EXISTS: it does already.  ERR_SYS: it could not be written down; a lockdown
 * holds all the same, a lift does not.  Otherwise as lockdown_verify and lockdown_is_newer, with why. */
NODISCARD enum err locked_take(struct locked *l, const struct signed_order *so, const struct order_check *check, char *why,
                               size_t why_size);
/* The runner says how the kill switch is.  path: its name, for the sentence. */
void locked_switch(struct locked *l, bool thrown, const char *path);
