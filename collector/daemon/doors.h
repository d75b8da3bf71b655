/* For --check: could it listen where its configuration says?  Nothing is accepted, and nothing stays open. */
#pragma once

#include <stdio.h>

#include "collector/daemon/settings.h"

/* Tries listen, console_listen and http_listen.  One that is taken is noted on to: by the collector that runs meanwhile, in all likelihood.
 * ERR_SYNTAX: not HOST:PORT; ERR_NOTFOUND: the name is not known; ERR_SYS: refused; why says which and what. */
NODISCARD enum err doors_check(const struct settings *set, FILE *to, char *why, size_t why_size);
