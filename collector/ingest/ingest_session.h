/* One agent's session: the call Agents/Session from its first message to its end.  Private to this folder. */
#pragma once

#include "collector/ingest/ingest.h"
#include "common/base/map.h"

enum {
    INGEST_RETRY_MS = 20, /* how often held messages are tried again */
    INGEST_TAKEOVERS = 3, /* of a host's session by a newer one within INGEST_TAKEOVERS_S; then the newer is refused: they are two */
    INGEST_TAKEOVERS_S = 60,
    INGEST_CORE_WAITING_MAX = 8192, /* messages that wait for core before agents must wait too */
    INGEST_SLICE = 128              /* messages of the other threads that are taken at once */
};

struct ingest_held {
    struct ingest_held *next;
    size_t n;
    char bytes[];
};

struct ingest_list {
    struct ingest_held *first, **last;
    size_t bytes;
};

struct ingest_session {
    struct rpc_stream stream;
    struct ingest *in;
    struct rpc_conn *conn;
    uint64_t id; /* slot in the low half, a running number above */
    bool known;  /* Facts have come, core knows */
    bool ending; /* we have ended it; whatever still comes is not looked at */
    char host[LIMIT_NAME_BYTES + 1];
    char address[64];
    uint64_t takeovers_ns[INGEST_TAKEOVERS]; /* when this host's session was taken over, the latest first; 0: never */
    bool twice;                              /* another agent with this name was refused for its sake */
    struct ingest_list held;                 /* came while the store or core was behind: raw, in order, their credit kept */
    struct ingest_list out;                  /* waits for the agent's credit */
};

struct ingest {
    struct ingest_options opt;
    struct net *net;
    struct rpc_server *server;
    struct rpc_server_ops server_ops;
    struct loop_watch inbox;
    struct loop_timer retry; /* armed while some session holds messages */
    bool retrying;
    struct map *by_host;
    struct ingest_session **slots;
    size_t n_slots;
    uint32_t *free_slots; /* as many may be free as there are */
    size_t n_free;
    uint32_t running_number;
};

NODISCARD enum err ingest_session_new(struct ingest *in, struct rpc_conn *c, struct ingest_session **out);
/* NULL: gone. */
struct ingest_session *ingest_session_find(struct ingest *in, uint64_t id);
/* May another connection of this host begin a session?  False: two agents have its name, why (≥ 256 bytes) says it. */
bool ingest_session_gives_way(struct ingest *in, const char *host, struct span address, char *why, size_t why_size);
/* Send or keep for later; over a megabyte kept the agent is disconnected. */
void ingest_session_send(struct ingest_session *s, struct span message);
/* The message that held n bytes of credit is done with. */
void ingest_session_done(struct ingest_session *s, size_t n);
/* Try the held messages again.  False: some are still held. */
bool ingest_session_pump(struct ingest_session *s);
void ingest_session_end(struct ingest_session *s, enum rpc_status status, const char *text);
/* Without a word to anybody: when the server is gone. */
void ingest_session_free(struct ingest_session *s);
