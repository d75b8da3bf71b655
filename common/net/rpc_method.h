/* The methods beside protobuf-c's service descriptors: who may call them, how messages flow, how large they may be.
 * Private to common/net. */
#pragma once

#include "common/net/rpc.h"

enum rpc_kind { RPC_UNARY, RPC_SERVER_STREAM, RPC_BIDI };

struct rpc_method_info {
    enum rpc_kind kind;
    enum role role;                       /* that may call it */
    enum authority least;                 /* that an operator needs for it */
    size_t request_bytes, response_bytes; /* of one message, at most */
};

const struct rpc_method_info *rpc_method_info(enum rpc_method m);
/* False: there is no such method. */
bool rpc_method_find(struct span name, enum rpc_method *out);
