/* Listening: accept, greet, admit.  Behind rpc_listen.  Private to common/net. */
#pragma once

#include "common/net/rpc.h"

NODISCARD enum err rpc_server_new(struct net *n, const char *address, enum role role, struct rpc_server_ops *ops, char *why,
                                  size_t why_size, struct rpc_server **out);
