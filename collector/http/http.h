/* The listener for callers from outside, over TLS: alerts, calls, metrics, health.  Off unless it is configured.  It decides nothing: what
 * it has read goes to core, which answers.  libmicrohttpd.
 *
 *   POST /v1/alertmanager/TRIGGER   what Alertmanager's webhook sends (version 4)
 *   POST /v1/triggers/TRIGGER       a plain call; body {"on", "why"} or none
 *   GET  /metrics                   OpenMetrics
 *   GET  /healthz                   this listener answers
 *   GET  /readyz                    so does core, and the store can be written
 *
 * All but the last two need the token.  One request a connection; head, body, time and number of connections are bounded.
 * Thread: the loop's.  Core reaches it through its inbox only. */
#pragma once

#include "collector/message/message.h"
#include "common/base/loop.h"

struct http;

enum {
    HTTP_HEAD_BYTES = 32 * 1024, /* of a connection: its request line, headers, and what libmicrohttpd needs */
    HTTP_BODY_BYTES = 1024 * 1024,
    HTTP_REQUEST_S = 10, /* from its connection to its last byte, and again for core's answer */
    HTTP_CONNECTIONS = 128,
    HTTP_CONNECTIONS_PER_ADDRESS = 64
};

struct http_options {
    struct loop *loop;
    const char *listen;     /* HOST:PORT */
    const char *cert, *key; /* PEM */
    const char *token_file;
    struct queue *inbox; /* keeps: REPLY, QUIT (which stops the loop) */
    struct queue *core;  /* keeps: CALL, AUDIT */
};

/* why: a sentence.  ERR_SYS, ERR_SYNTAX (the address), ERR_UNTRUSTED, ERR_LIMIT, ERR_NOMEM. */
NODISCARD enum err http_new(const struct http_options *opt, char *why, size_t why_size, struct http **out);
void http_free(struct http *h);
AUTO_TYPE(struct http, http_free)
int http_port(const struct http *h);
