/* What collector/http shares with itself. */
#pragma once

#include <microhttpd.h>

#include "collector/http/http.h"
#include "collector/http/http_token.h"

/* A connection, from its first byte to its last. */
struct http_conn {
    struct http_conn *next, **at;
    struct MHD_Connection *connection;
    int fd;
    uint64_t began_ns;
    char address[64];
    bool asked; /* a request's head has come whole */
};

/* The one request on it. */
struct http_request {
    struct http_request *next, **at; /* among those that wait for core */
    struct http *http;
    struct http_conn *conn;
    struct MHD_Connection *connection;
    uint64_t id, asked_ns;
    enum message_call_kind kind;
    char trigger[LIMIT_NAME_BYTES + 1];
    struct buf body;
    bool suspended;
    unsigned status; /* of the answer; 0: there is none yet */
    const char *type;
    struct buf answer;
};

struct http {
    struct http_options opt;
    struct http_token token;
    struct MHD_Daemon *daemon;
    int listener;
    struct loop_watch watch, inbox;
    struct loop_timer timer, tick;
    bool ticking;
    struct http_conn *conns;
    struct http_request *waiting;
    uint64_t last_id;
};

/* libmicrohttpd's handler. */
enum MHD_Result http_request_handle(void *cls, struct MHD_Connection *c, const char *url, const char *method, const char *version,
                                    const char *upload, size_t *upload_size, void **con_cls);
void http_request_done(void *cls, struct MHD_Connection *c, void **con_cls, enum MHD_RequestTerminationCode code);
/* The answer has come, or nobody waits for it any more. */
void http_request_answer(struct http_request *r, unsigned status, const char *type, struct span bytes);
/* Somebody was turned away: for the audit log. */
void http_request_refused(struct http *h, const struct http_conn *c, const char *what, const char *why);
