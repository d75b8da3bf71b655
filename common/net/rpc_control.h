/* Payloads of the frames that are not a service's messages: plain structs ⇄ proto/rpc.proto.  Pure.  Private to common/net.
 * Writers: out has FRAME_CONTROL_BYTES; texts are cut to LIMIT_REASON_BYTES.  Readers: ERR_SYNTAX or ERR_NOMEM (mem's budget). */
#pragma once

#include "common/base/arena.h"
#include "common/net/frame.h"
#include "common/net/rpc.h"

struct rpc_control_hello {
    uint32_t version_low, version_high;
};
struct rpc_control_welcome {
    uint32_t version, heartbeat_ms;
    uint64_t session, wall_ns;
};
struct rpc_control_reason { /* Refuse, Status */
    enum rpc_status status;
    struct span text; /* in mem */
};
struct rpc_control_call {
    struct span method; /* in mem */
    uint32_t deadline_ms;
};

struct span rpc_control_put_hello(struct rpc_control_hello h, const char *software, char *out);
struct span rpc_control_put_welcome(struct rpc_control_welcome w, const char *software, char *out);
struct span rpc_control_put_refuse(enum rpc_status status, const char *text, char *out);
struct span rpc_control_put_status(enum rpc_status status, const char *text, char *out);
struct span rpc_control_put_call(const char *method, uint32_t deadline_ms, char *out);
struct span rpc_control_put_credit(uint64_t bytes, char *out);

NODISCARD enum err rpc_control_get_hello(struct span bytes, struct arena *mem, struct rpc_control_hello *out);
NODISCARD enum err rpc_control_get_welcome(struct span bytes, struct arena *mem, struct rpc_control_welcome *out);
NODISCARD enum err rpc_control_get_refuse(struct span bytes, struct arena *mem, struct rpc_control_reason *out);
NODISCARD enum err rpc_control_get_status(struct span bytes, struct arena *mem, struct rpc_control_reason *out);
NODISCARD enum err rpc_control_get_call(struct span bytes, struct arena *mem, struct rpc_control_call *out);
NODISCARD enum err rpc_control_get_credit(struct span bytes, struct arena *mem, uint64_t *out);
