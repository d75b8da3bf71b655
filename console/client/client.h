/* The console's line to the collector: connect once, ask, wait for the answer.
 * Errors carry a sentence for people: what failed, why, what to do next (client_why).  Thread: one. */
#pragma once

#include "common/net/rpc.h"
#include "common/wire/query.h"
#include "console/client/settings.h"

struct client;

/* ERR_GONE: not reachable or refused; else as net_new.  *out is set even on failure, so that client_why can be asked (NULL
 * when out of memory). */
NODISCARD enum err client_open(const struct settings *s, struct client **out);
void client_close(struct client *c);
const char *client_why(const struct client *c);
enum rpc_status client_status(const struct client *c); /* with which the last call ended */
/* Who the collector is, and how far its clock was ahead of ours (negative: behind) when it greeted.  Connected only. */
const struct identity *client_peer(const struct client *c);
int64_t client_clock_ahead_ns(const struct client *c);

/* One unary call.  The answer's bytes are copied into answer (emptied first).
 * ERR_NOTFOUND, ERR_SYNTAX (invalid argument), ERR_REFUSED, ERR_TIMEOUT, ERR_GONE …: client_why has the sentence. */
NODISCARD enum err client_call(struct client *c, enum rpc_method m, struct span request, struct buf *answer);

/* A stream of messages until it ends; each goes to fn.  fn returns false to leave it (then ERR_OK).  interrupted is looked at
 * between messages: when it is set by a signal handler the stream is left with ERR_AGAIN. */
typedef bool client_message_fn(void *arg, struct span bytes);
NODISCARD enum err client_stream(struct client *c, enum rpc_method m, struct span request, client_message_fn *fn, void *arg,
                                 const volatile sig_atomic_t *interrupted);
