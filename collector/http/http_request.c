#include <stdio.h>

#include "collector/http/http_internal.h"
#include "common/base/clock.h"
#include "common/base/log.h"

enum { ARENA_BYTES = 8 * 1024 * 1024 };

static const struct route {
    const char *method, *path;
    bool named; /* a trigger's name follows */
    bool open;  /* needs no token */
    enum message_call_kind kind;
} ROUTES[] = {{"POST", "/v1/alertmanager/", true, false, CALL_ALERTS},
              {"POST", "/v1/triggers/", true, false, CALL_TRIGGER},
              {"GET", "/metrics", false, false, CALL_METRICS},
              {"GET", "/healthz", false, true, CALL_HEALTH},
              {"GET", "/readyz", false, true, CALL_READY}};

static bool is_name(struct span s) {
    for (size_t i = 0; i < s.n; i++)
        if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-", s.p[i])) return false;
    return s.n > 0 && s.n <= LIMIT_NAME_BYTES;
}

/* Paths are compared as they were sent: nothing is decoded, joined or cleaned up. */
static const struct route *route_of(const char *url, struct span *out_name) {
    for (size_t i = 0; i < COUNT_OF(ROUTES); i++) {
        size_t n = strlen(ROUTES[i].path);
        *out_name = span_str("");
        if (!ROUTES[i].named && strcmp(url, ROUTES[i].path) == 0) return &ROUTES[i];
        if (!ROUTES[i].named || strncmp(url, ROUTES[i].path, n) != 0) continue;
        *out_name = span_str(url + n);
        if (is_name(*out_name)) return &ROUTES[i];
    }
    return NULL;
}

void http_request_refused(struct http *h, const struct http_conn *c, const char *what, const char *why) {
    struct message *m = message_new(MESSAGE_AUDIT, strlen(what) + strlen(why) + 256);
    LOG(LOG_WARNING, "http.refused", KV("address", c->address), KV("what", what), KV("why", why));
    if (!m) return; /* it stands in the log */
    m->audit = (struct message_audit){.event = "http.refused",
                                      .address = arena_copy(m->mem, span_str(c->address)),
                                      .what = arena_copy(m->mem, span_str(what)),
                                      .why = arena_copy(m->mem, span_str(why))};
    queue_push_always(h->opt.core, &m->item);
}

/* ---- answers ---- */
static enum MHD_Result reply(struct http_request *r) {
    struct MHD_Response *answer = MHD_create_response_from_buffer(r->answer.n, r->answer.p, MHD_RESPMEM_MUST_COPY);
    if (!answer) return MHD_NO;
    MHD_add_response_header(answer, MHD_HTTP_HEADER_CONTENT_TYPE, r->type);
    MHD_add_response_header(answer, MHD_HTTP_HEADER_CONNECTION, "close");
    MHD_add_response_header(answer, "X-Content-Type-Options", "nosniff");
    if (r->status == MHD_HTTP_UNAUTHORIZED) MHD_add_response_header(answer, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer");
    enum MHD_Result result = MHD_queue_response(r->connection, r->status, answer);
    MHD_destroy_response(answer);
    return result;
}

static void set(struct http_request *r, unsigned status, const char *type, struct span bytes) {
    r->status = status;
    r->type = type;
    buf_reset(&r->answer);
    buf_add(&r->answer, bytes);
}

static enum MHD_Result refuse(struct http_request *r, unsigned status, const char *what, const char *why) {
    char text[512];
    http_request_refused(r->http, r->conn, what, why);
    snprintf(text, sizeof text, "%s\n", why);
    set(r, status, "text/plain; charset=utf-8", span_str(text));
    return reply(r);
}

static void leave(struct http_request *r) {
    if (!r->at) return;
    *r->at = r->next;
    if (r->next) r->next->at = r->at;
    r->at = NULL;
}

void http_request_answer(struct http_request *r, unsigned status, const char *type, struct span bytes) {
    leave(r);
    set(r, status, type, bytes);
    if (r->suspended) MHD_resume_connection(r->connection);
    r->suspended = false;
}

/* ---- to core ---- */
static const char *read_body(struct http_request *r, struct message *m) {
    enum err e = ERR_OK;
    if (r->kind == CALL_ALERTS) e = json_alert_read(buf_span(&r->body), m->mem, &m->call.notice);
    if (r->kind == CALL_TRIGGER) e = json_alert_read_call(buf_span(&r->body), m->mem, &m->call.call);
    if (e == ERR_VERSION) return "only Alertmanager's notifications of version 4 are understood";
    if (e == ERR_LIMIT || e == ERR_NOMEM) return "the notification is larger than the limits";
    return e ? "the body is not what this path takes" : NULL;
}

static enum MHD_Result dispatch(struct http_request *r, const char *url) {
    AUTO(message_free) struct message *m = message_new(MESSAGE_CALL, r->body.n ? ARENA_BYTES : 1024);
    if (!m) return refuse(r, MHD_HTTP_SERVICE_UNAVAILABLE, url, "the collector is out of memory");
    const char *bad = read_body(r, m);
    if (bad) return refuse(r, MHD_HTTP_BAD_REQUEST, url, bad);
    r->id = ++r->http->last_id;
    r->asked_ns = clock_mono_ns();
    m->call.id = r->id;
    m->call.kind = r->kind;
    m->call.trigger = arena_copy(m->mem, span_str(r->trigger));
    m->call.address = arena_copy(m->mem, span_str(r->conn->address));
    if (!m->call.trigger.p || !m->call.address.p) return refuse(r, MHD_HTTP_SERVICE_UNAVAILABLE, url, "the collector is out of memory");
    r->next = r->http->waiting;
    r->at = &r->http->waiting;
    if (r->next) r->next->at = &r->next;
    r->http->waiting = r;
    r->suspended = true;
    MHD_suspend_connection(r->connection);
    queue_push_ahead(r->http->opt.core, &TAKE(m)->item);
    return MHD_YES;
}

/* ---- what comes ---- */
struct lengths {
    unsigned content, transfer;
};

static enum MHD_Result count_length(void *cls, enum MHD_ValueKind kind, const char *key, const char *value) {
    struct lengths *l = cls;
    (void)kind, (void)value;
    l->content += strcasecmp(key, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0;
    l->transfer += strcasecmp(key, MHD_HTTP_HEADER_TRANSFER_ENCODING) == 0;
    return MHD_YES;
}

/* What one program in front of us takes for the end of a request, another may not. */
static bool length_is_clear(struct MHD_Connection *c) {
    struct lengths l = {0};
    MHD_get_connection_values(c, MHD_HEADER_KIND, count_length, &l);
    return l.content + l.transfer <= 1;
}

static enum MHD_Result check(struct http_request *r, const char *url, const char *method) {
    struct span name;
    const struct route *route = route_of(url, &name);
    const char *token = MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_AUTHORIZATION);
    const char *length = MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
    uint64_t n = 0;
    if (!length_is_clear(r->connection)) return refuse(r, MHD_HTTP_BAD_REQUEST, url, "the request has two lengths");
    if (!route) return refuse(r, MHD_HTTP_NOT_FOUND, url, "there is no such path");
    if (strcmp(method, route->method) != 0) return refuse(r, MHD_HTTP_METHOD_NOT_ALLOWED, url, "this path has another method");
    if (!route->open && !http_token_fits(&r->http->token, span_str(token ? token : "")))
        return refuse(r, MHD_HTTP_UNAUTHORIZED, url, token ? "the token is wrong" : "there is no token");
    if (length && (!span_u64(span_str(length), &n) || n > HTTP_BODY_BYTES))
        return refuse(r, MHD_HTTP_CONTENT_TOO_LARGE, url, "the body is too large");
    r->kind = route->kind;
    snprintf(r->trigger, sizeof r->trigger, "%.*s", (int)name.n, name.p);
    return MHD_YES;
}

static struct http_conn *conn_of(struct MHD_Connection *c) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

static struct http_request *begin(struct http *h, struct MHD_Connection *c) {
    struct http_request *r = calloc(1, sizeof *r);
    if (!r) return NULL;
    *r = (struct http_request){.http = h, .conn = conn_of(c), .connection = c};
    buf_init(&r->body, HTTP_BODY_BYTES);
    buf_init(&r->answer, 0);
    if (r->conn) r->conn->asked = true;
    return r;
}

enum MHD_Result http_request_handle(void *cls, struct MHD_Connection *c, const char *url, const char *method, const char *version,
                                    const char *upload, size_t *upload_size, void **con_cls) {
    struct http_request *r = *con_cls;
    (void)version;
    if (!r) {
        r = *con_cls = begin(cls, c);
        return r && r->conn ? check(r, url, method) : MHD_NO;
    }
    if (*upload_size) {
        buf_add(&r->body, span_of(upload, *upload_size)); /* over its cap it fails, which is looked at in the end */
        *upload_size = 0;
        return MHD_YES;
    }
    if (r->status) return reply(r);
    if (buf_failed(&r->body)) return refuse(r, MHD_HTTP_CONTENT_TOO_LARGE, url, "the body is too large");
    return dispatch(r, url);
}

void http_request_done(void *cls, struct MHD_Connection *c, void **con_cls, enum MHD_RequestTerminationCode code) {
    struct http_request *r = *con_cls;
    (void)cls, (void)c;
    if (!r) return;
    if (code != MHD_REQUEST_TERMINATED_COMPLETED_OK && !r->status && r->conn)
        http_request_refused(r->http, r->conn, r->trigger, "the request was not finished");
    leave(r);
    buf_done(&r->body);
    buf_done(&r->answer);
    free(r);
    *con_cls = NULL;
}
