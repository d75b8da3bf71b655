/* The store thread: takes all that waits in its inbox, makes it durable in one transaction, and hands it on to core.  When the
 * store fails (a full disk) it says so, keeps what it has and tries again every second: nothing is acknowledged meanwhile, so
 * agents wait.  Only a campaign's start is not retried: its console is told, and core is told so that it refuses others.
 * An op that can never be written is dropped, with a line in the log. */
#pragma once

#include "collector/message/message.h"

struct writer;
/* takes s.  keeps the queues.  Starts the thread.  ERR_NOMEM, ERR_SYS. */
NODISCARD enum err writer_start(struct store *s, struct queue *inbox, struct queue *core, struct writer **out);
/* All that was pushed before is written first, unless the store fails.  Closes the store. */
void writer_stop(struct writer *w);
