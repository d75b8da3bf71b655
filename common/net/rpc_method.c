#include "common/net/rpc_method.h"

#include <agents.pb-c.h>
#include <assert.h>
#include <console.pb-c.h>
#include <stdio.h>

enum { NAME_BYTES = 64, AGENT_BYTES = LIMIT_FRAME_BYTES, ASK_BYTES = LIMIT_REQUEST_BYTES, ANSWER_BYTES = LIMIT_ANSWER_BYTES };

#define CONSOLE(name_, kind, least)                                                                                                        \
    {                                                                                                                                      \
        &trawl__console__descriptor, name_, { kind, ROLE_OPERATOR, least, ASK_BYTES, ANSWER_BYTES }                                        \
    }

static const struct row {
    const ProtobufCServiceDescriptor *service;
    const char *name;
    struct rpc_method_info info;
} rows[RPC_METHOD__COUNT] = {
    [RPC_AGENTS_SESSION] = {&trawl__agents__descriptor, "Session", {RPC_BIDI, ROLE_AGENT, AUTHORITY_NONE, AGENT_BYTES, AGENT_BYTES}},
    [RPC_CONSOLE_START] = CONSOLE("Start", RPC_UNARY, AUTHORITY_RUNNER),
    [RPC_CONSOLE_STOP] = CONSOLE("Stop", RPC_UNARY, AUTHORITY_RUNNER),
    [RPC_CONSOLE_HOSTS] = CONSOLE("Hosts", RPC_UNARY, AUTHORITY_VIEWER),
    [RPC_CONSOLE_CAMPAIGNS] = CONSOLE("Campaigns", RPC_UNARY, AUTHORITY_VIEWER),
    [RPC_CONSOLE_SHOW] = CONSOLE("Show", RPC_UNARY, AUTHORITY_VIEWER),
    [RPC_CONSOLE_WATCH] = CONSOLE("Watch", RPC_SERVER_STREAM, AUTHORITY_VIEWER),
    [RPC_CONSOLE_HIST] = CONSOLE("Hist", RPC_UNARY, AUTHORITY_VIEWER),
    [RPC_CONSOLE_TOP] = CONSOLE("Top", RPC_UNARY, AUTHORITY_VIEWER),
    [RPC_CONSOLE_STACKS] = CONSOLE("Stacks", RPC_UNARY, AUTHORITY_VIEWER),
    [RPC_CONSOLE_EVENTS] = CONSOLE("Events", RPC_UNARY, AUTHORITY_VIEWER),
    [RPC_CONSOLE_SET_LOCKDOWN] = CONSOLE("SetLockdown", RPC_UNARY, AUTHORITY_ADMIN),
    [RPC_CONSOLE_GET_LOCKDOWN] = CONSOLE("GetLockdown", RPC_UNARY, AUTHORITY_VIEWER),
    [RPC_CONSOLE_AUDIT] = CONSOLE("Audit", RPC_UNARY, AUTHORITY_VIEWER),
    [RPC_CONSOLE_PAUSE] = CONSOLE("Pause", RPC_UNARY, AUTHORITY_RUNNER),
    [RPC_CONSOLE_RESUME] = CONSOLE("Resume", RPC_UNARY, AUTHORITY_RUNNER),
    [RPC_CONSOLE_CONNECTIONS] = CONSOLE("Connections", RPC_UNARY, AUTHORITY_VIEWER),
    [RPC_CONSOLE_OUTLIERS] = CONSOLE("Outliers", RPC_UNARY, AUTHORITY_VIEWER),
    [RPC_CONSOLE_PLAN] = CONSOLE("Plan", RPC_UNARY, AUTHORITY_VIEWER),
    [RPC_CONSOLE_ADD_TRIGGER] = CONSOLE("AddTrigger", RPC_UNARY, AUTHORITY_RUNNER),
    [RPC_CONSOLE_TRIGGERS] = CONSOLE("Triggers", RPC_UNARY, AUTHORITY_VIEWER),
    [RPC_CONSOLE_REMOVE_TRIGGER] = CONSOLE("RemoveTrigger", RPC_UNARY, AUTHORITY_RUNNER),
    [RPC_CONSOLE_PARTS] = CONSOLE("Parts", RPC_UNARY, AUTHORITY_VIEWER),
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
