/* What the verbs share: settings, a connection, one question and its answer, and complaints that say what to do next. */
#pragma once

#include "common/catalog/bands.h"
#include "console/cli/args.h"
#include "console/client/client.h"

struct ask {
    const char *verb;
    struct settings settings;
    struct bands bands; /* of the settings */
    struct client *client;
    struct arena *mem; /* the answer's */
    struct buf request, reply;
};

/* False: said why on stderr.  ask_close in any case. */
bool ask_open(struct ask *a, const char *verb);
void ask_close(struct ask *a);
/* The collector is gone: try again for so long.  False: it did not come back; nothing is said. */
bool ask_again(struct ask *a, unsigned seconds);
/* One call: encoded request in a->request, the answer's bytes in a->reply.  False: said why. */
bool ask_call(struct ask *a, enum rpc_method m);
/* A question about one campaign into a->request.  False: said why. */
bool ask_query(struct ask *a, enum query_kind kind, const struct query *q);
/* Which campaign it is, in full (so that "last" stays the same one), and what its tool prints. */
struct ask_campaign {
    char id[2 * CAMPAIGN_ID_BYTES + 1], tool[LIMIT_NAME_BYTES + 1];
    enum result_kind kind;
    uint32_t rounds;
};
/* False: said why. */
bool ask_campaign(struct ask *a, const char *campaign, struct ask_campaign *out);
/* Says err on stderr, returns EXIT_FAILED. */
int ask_failed(const struct ask *a, enum err e);
/* 0, 1 or 3, by where the targeted hosts ended. */
int ask_exit_code(const struct campaign_info *i);
