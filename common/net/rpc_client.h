/* Dialling: connect, greet, and again after a while.  Behind rpc_dial.  Private to common/net. */
#pragma once

#include "common/net/rpc.h"

NODISCARD enum err rpc_client_new(struct net *n, const char *address, const char *server_name, bool retry, struct rpc_client_ops *ops,
                                  struct rpc_client **out);
