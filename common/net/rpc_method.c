#include "common/net/rpc_method.h"

#include <agents.pb-c.h>
#include <assert.h>
#include <console.pb-c.h>
#include <stdio.h>

enum { NAME_BYTES = 64, AGENT_BYTES = LIMIT_FRAME_BYTES, ASK_BYTES = LIMIT_REQUEST_BYTES, ANSWER_BYTES = LIMIT_ANSWER_BYTES };

static const struct row {
    const ProtobufCServiceDescriptor *service;
    const char *name;
    struct rpc_method_info info;
} rows[RPC_METHOD__COUNT] = {
    [RPC_AGENTS_SESSION] = {&trawl__agents__descriptor, "Session", {RPC_BIDI, ROLE_AGENT, AUTHORITY_NONE, AGENT_BYTES, AGENT_BYTES}},
    [RPC_CONSOLE_START] = {&trawl__console__descriptor, "Start", {RPC_UNARY, ROLE_OPERATOR, AUTHORITY_RUNNER, ASK_BYTES, ANSWER_BYTES}},
    [RPC_CONSOLE_STOP] = {&trawl__console__descriptor, "Stop", {RPC_UNARY, ROLE_OPERATOR, AUTHORITY_RUNNER, ASK_BYTES, ANSWER_BYTES}},
    [RPC_CONSOLE_HOSTS] = {&trawl__console__descriptor, "Hosts", {RPC_UNARY, ROLE_OPERATOR, AUTHORITY_VIEWER, ASK_BYTES, ANSWER_BYTES}},
    [RPC_CONSOLE_CAMPAIGNS] = {&trawl__console__descriptor,
                               "Campaigns",
                               {RPC_UNARY, ROLE_OPERATOR, AUTHORITY_VIEWER, ASK_BYTES, ANSWER_BYTES}},
    [RPC_CONSOLE_SHOW] = {&trawl__console__descriptor, "Show", {RPC_UNARY, ROLE_OPERATOR, AUTHORITY_VIEWER, ASK_BYTES, ANSWER_BYTES}},
    [RPC_CONSOLE_WATCH] = {&trawl__console__descriptor,
                           "Watch",
                           {RPC_SERVER_STREAM, ROLE_OPERATOR, AUTHORITY_VIEWER, ASK_BYTES, ANSWER_BYTES}},
    [RPC_CONSOLE_HIST] = {&trawl__console__descriptor, "Hist", {RPC_UNARY, ROLE_OPERATOR, AUTHORITY_VIEWER, ASK_BYTES, ANSWER_BYTES}},
    [RPC_CONSOLE_TOP] = {&trawl__console__descriptor, "Top", {RPC_UNARY, ROLE_OPERATOR, AUTHORITY_VIEWER, ASK_BYTES, ANSWER_BYTES}},
    [RPC_CONSOLE_STACKS] = {&trawl__console__descriptor, "Stacks", {RPC_UNARY, ROLE_OPERATOR, AUTHORITY_VIEWER, ASK_BYTES, ANSWER_BYTES}},
    [RPC_CONSOLE_EVENTS] = {&trawl__console__descriptor, "Events", {RPC_UNARY, ROLE_OPERATOR, AUTHORITY_VIEWER, ASK_BYTES, ANSWER_BYTES}},
    [RPC_CONSOLE_SET_LOCKDOWN] = {&trawl__console__descriptor,
                                  "SetLockdown",
                                  {RPC_UNARY, ROLE_OPERATOR, AUTHORITY_ADMIN, ASK_BYTES, ANSWER_BYTES}},
    [RPC_CONSOLE_GET_LOCKDOWN] = {&trawl__console__descriptor,
                                  "GetLockdown",
                                  {RPC_UNARY, ROLE_OPERATOR, AUTHORITY_VIEWER, ASK_BYTES, ANSWER_BYTES}},
    [RPC_CONSOLE_AUDIT] = {&trawl__console__descriptor, "Audit", {RPC_UNARY, ROLE_OPERATOR, AUTHORITY_VIEWER, ASK_BYTES, ANSWER_BYTES}},
};

const struct rpc_method_info *rpc_method_info(enum rpc_method m) {
    assert((unsigned)m < RPC_METHOD__COUNT);
    return &rows[m].info;
}

void rpc_method_name(enum rpc_method m, char *out, size_t size) {
    assert((unsigned)m < RPC_METHOD__COUNT);
    snprintf(out, size, "%s/%s", rows[m].service->name, rows[m].name);
}

enum authority rpc_method_least(enum rpc_method m) { return rpc_method_info(m)->least; }

bool rpc_method_find(struct span name, enum rpc_method *out) {
    for (enum rpc_method m = 0; m < RPC_METHOD__COUNT; m++) {
        char full[NAME_BYTES];
        rpc_method_name(m, full, sizeof full);
        if (!span_eq_str(name, full)) continue;
        *out = m;
        return true;
    }
    return false;
}
