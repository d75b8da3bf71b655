#include "collector/daemon/consoles.h"

#include <stdio.h>

#include "common/base/clock.h"
#include "common/base/log.h"

/* One call. */
struct call {
    struct rpc_stream stream;
    struct consoles *cs;
    uint64_t id; /* slot in the low half, a running number above */
    enum rpc_method method;
    enum authority authority;
    char operator_name[LIMIT_NAME_BYTES + 1];
    bool asked, ending;
    bool answered; /* the status is known; it goes out behind waiting */
    enum rpc_status status;
    char text[2048];
    struct message *waiting; /* an answer that the stream had no room for; a later one of a Watch takes its place */
};

struct consoles {
    struct consoles_options opt;
    struct net *net;
    struct rpc_server *server;
    struct rpc_server_ops ops;
    struct loop_watch inbox;
    struct call **slots;
    size_t n_slots;
    uint32_t running_number;
};

static struct call *of(struct rpc_stream *s) { return container_of(s, struct call, stream); }

static void end(struct call *c, enum rpc_status status, const char *text) {
    if (c->ending) return;
    c->ending = true;
    rpc_end(&c->stream, status, text);
}

/* ---- answers ---- */
/* Sends what waits, then the status if it is known. */
static void push(struct call *c) {
    if (c->ending) return;
    if (c->waiting) {
        enum err e = rpc_send(&c->stream, buf_span(&c->waiting->answer.bytes), RPC_BULK);
        if (e == ERR_AGAIN || e == ERR_GONE) return;
        message_free(TAKE(c->waiting));
        if (e != ERR_OK) {
            end(c, RPC_INTERNAL, err_text(e));
            return;
        }
    }
    if (c->answered) end(c, c->status, c->text);
}

/* takes m. */
static void take_answer(struct consoles *cs, struct message *m) {
    size_t slot = m->answer.id & UINT32_MAX;
    struct call *c = slot < cs->n_slots ? cs->slots[slot] : NULL;
    if (!c || c->id != m->answer.id || c->answered) {
        message_free(m); /* the console did not wait */
        return;
    }
    if (!m->answer.more) {
        c->answered = true;
        c->status = m->answer.status;
        snprintf(c->text, sizeof c->text, "%.*s", (int)m->answer.text.n, m->answer.text.p ? m->answer.text.p : "");
    }
    bool has_bytes = m->answer.more || (m->answer.status == RPC_OK && c->method != RPC_CONSOLE_WATCH);
    if (has_bytes) {
        message_free(c->waiting);
        c->waiting = m;
    } else {
        message_free(m);
    }
    push(c);
}

static void on_inbox(struct loop_watch *w, uint32_t events) {
    struct consoles *cs = container_of(w, struct consoles, inbox);
    (void)events;
    for (struct queue_item *next, *item = queue_take_all(cs->opt.inbox); item; item = next) {
        next = item->next;
        struct message *m = message_of(item);
        if (m->kind == MESSAGE_ANSWER)
            take_answer(cs, m);
        else
            message_free(m);
    }
}

/* ---- questions ---- */
static void on_message(struct rpc_stream *stream, struct span bytes) {
    struct call *c = of(stream);
    if (c->ending) return;
    if (c->asked) {
        end(c, RPC_INVALID_ARGUMENT, "one request, please");
        return;
    }
    struct message *m = message_new(MESSAGE_QUESTION, bytes.n + LIMIT_NAME_BYTES + 64);
    if (m) {
        m->question.id = c->id;
        m->question.method = c->method;
        m->question.authority = c->authority;
        m->question.operator_name = arena_copy(m->mem, span_str(c->operator_name));
        m->question.bytes = arena_copy(m->mem, bytes);
    }
    if (!m || !m->question.operator_name.p || !m->question.bytes.p) {
        message_free(m);
        end(c, RPC_RESOURCE_EXHAUSTED, "the collector is out of memory");
        return;
    }
    c->asked = true;
    queue_push_ahead(c->cs->opt.core, &m->item);
}

static void on_half_closed(struct rpc_stream *stream) {
    struct call *c = of(stream);
    if (!c->asked) end(c, RPC_INVALID_ARGUMENT, "the call has no request");
}

static void on_writable(struct rpc_stream *stream) { push(of(stream)); }

static void call_free(struct call *c) {
    c->cs->slots[c->id & UINT32_MAX] = NULL;
    message_free(c->waiting);
    free(c);
}

static void on_ended(struct rpc_stream *stream, enum rpc_status status, struct span text) {
    struct call *c = of(stream);
    (void)status, (void)text;
    struct message *m = c->asked && c->method == RPC_CONSOLE_WATCH ? message_new(MESSAGE_UNWATCH, 0) : NULL;
    if (m) {
        m->question.id = c->id;
        queue_push_ahead(c->cs->opt.core, &m->item);
    }
    call_free(c);
}

static const struct rpc_stream_ops call_ops = {
    .message = on_message, .half_closed = on_half_closed, .writable = on_writable, .ended = on_ended};

/* ---- the listener ---- */
static struct consoles *server_of(struct rpc_server_ops *self) { return container_of(self, struct consoles, ops); }

static size_t free_slot(struct consoles *cs) {
    for (size_t i = 0; i < cs->n_slots; i++)
        if (!cs->slots[i]) return i;
    size_t first = cs->n_slots, want = first ? 2 * first : 16;
    struct call **p = reallocarray(cs->slots, want, sizeof(struct call *));
    if (!p) return SIZE_MAX;
    memset(p + first, 0, (want - first) * sizeof(struct call *));
    cs->slots = p;
    cs->n_slots = want;
    return first;
}

static void write_down(struct consoles *cs, const char *event, const struct identity *who, struct span address, const char *what,
                       struct span why) {
    struct message *m = message_new(MESSAGE_AUDIT, LIMIT_NAME_BYTES + address.n + why.n + strlen(what) + 64);
    if (!m) return; /* it stands in the log */
    m->audit = (struct message_audit){.event = event,
                                      .who = who ? arena_copy(m->mem, span_str(who->name)) : SPAN_NONE,
                                      .authority = who ? who->authority : AUTHORITY_NONE,
                                      .address = arena_copy(m->mem, address),
                                      .what = arena_copy(m->mem, span_str(what)),
                                      .why = arena_copy(m->mem, why)};
    queue_push_always(cs->opt.core, &m->item);
}

static enum rpc_status refuse_call(struct consoles *cs, const struct identity *who, enum rpc_method m, char *text, size_t text_size) {
    char method[64];
    rpc_method_name(m, method, sizeof method);
    snprintf(text, text_size, "%s is a %s; this takes authority %s", who->name, identity_authority_name(who->authority),
             identity_authority_name(rpc_method_least(m)));
    LOG(LOG_WARNING, "call.refused", KV("operator", who->name), KV("method", method), KV("why", text));
    write_down(cs, "call.refused", who, SPAN_NONE, method, span_str(text));
    return RPC_PERMISSION_DENIED;
}

static enum rpc_status on_call(struct rpc_server_ops *self, struct rpc_conn *conn, enum rpc_method m, struct rpc_stream **out, char *text,
                               size_t text_size) {
    struct consoles *cs = server_of(self);
    const struct identity *who = rpc_peer(conn);
    if (who->authority < rpc_method_least(m)) return refuse_call(cs, who, m, text, text_size);
    size_t slot = free_slot(cs);
    struct call *c = slot == SIZE_MAX ? NULL : calloc(1, sizeof *c);
    if (!c) {
        snprintf(text, text_size, "the collector is out of memory");
        return RPC_RESOURCE_EXHAUSTED;
    }
    c->stream.ops = &call_ops;
    c->cs = cs;
    c->id = (uint64_t)++cs->running_number << 32 | slot;
    c->method = m;
    c->authority = who->authority;
    snprintf(c->operator_name, sizeof c->operator_name, "%s", who->name);
    cs->slots[slot] = c;
    *out = &c->stream;
    return RPC_OK;
}

static enum rpc_status on_admit(struct rpc_server_ops *self, const struct identity *peer, struct span address, char *text,
                                size_t text_size) {
    (void)self, (void)peer, (void)address, (void)text, (void)text_size;
    return RPC_OK; /* every operator of the fleet; who it is was verified */
}

static void on_opened(struct rpc_server_ops *self, struct rpc_conn *c) {
    (void)self;
    LOG(LOG_INFO, "console.connected", KV("operator", rpc_peer(c)->name), KV("address", rpc_peer_address(c)));
}

static void on_closed(struct rpc_server_ops *self, struct rpc_conn *c, enum err why, struct span text) {
    (void)self, (void)c, (void)why;
    LOG(LOG_DEBUG, "console.disconnected", KV("why", text));
}

static void on_refused(struct rpc_server_ops *self, struct span address, struct span why) {
    write_down(server_of(self), "console.refused", NULL, address, "", why);
    LOG(LOG_WARNING, "console.refused", KV("address", address), KV("why", why));
}

enum err consoles_new(const struct consoles_options *opt, char *why, size_t why_size, struct consoles **out) {
    AUTO(consoles_free) struct consoles *cs = calloc(1, sizeof *cs);
    if (!cs) return ERR_NOMEM;
    cs->opt = *opt;
    cs->ops = (struct rpc_server_ops){.admit = on_admit, .opened = on_opened, .call = on_call, .closed = on_closed, .refused = on_refused};
    cs->inbox = (struct loop_watch){.fd = -1, .ready = on_inbox};
    enum err e = net_new(&opt->net, why, why_size, &cs->net);
    if (e == ERR_OK) e = rpc_listen(cs->net, opt->listen, ROLE_OPERATOR, &cs->ops, why, why_size, &cs->server);
    if (e == ERR_OK) e = loop_add(opt->net.loop, &cs->inbox, queue_fd(opt->inbox), EPOLLIN);
    if (e == ERR_OK) *out = TAKE(cs);
    return e;
}

void consoles_free(struct consoles *cs) {
    if (!cs) return;
    if (cs->server) rpc_server_free(cs->server);
    net_free(cs->net);
    for (size_t i = 0; i < cs->n_slots; i++)
        if (cs->slots[i]) call_free(cs->slots[i]);
    if (cs->inbox.fd >= 0) loop_remove(cs->opt.net.loop, &cs->inbox);
    free(cs->slots);
    free(cs);
}

int consoles_port(const struct consoles *cs) { return rpc_server_port(cs->server); }

enum err consoles_reload(struct consoles *cs, char *why, size_t why_size) { return net_reload(cs->net, why, why_size); }
