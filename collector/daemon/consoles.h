/* Where consoles arrive: their calls become questions to core, whose answers go back.  Only operators get in.
 * Thread: the loop's (main). */
#pragma once

#include "collector/message/message.h"

struct consoles;

struct consoles_options {
    struct net_options net;     /* with the loop; its CA is the operators' */
    const char *listen;         /* HOST:PORT */
    struct queue *inbox, *core; /* keeps; inbox: ANSWER */
};

NODISCARD enum err consoles_new(const struct consoles_options *opt, char *why, size_t why_size, struct consoles **out);
void consoles_free(struct consoles *cs);
AUTO_TYPE(struct consoles, consoles_free)
int consoles_port(const struct consoles *cs);
/* As net_reload. */
NODISCARD enum err consoles_reload(struct consoles *cs, char *why, size_t why_size);
