#include "common/net/rpc_stream.h"

#include <assert.h>
#include <stdio.h>

#include "common/base/clock.h"
#include "common/net/rpc_control.h"

/* ---- life ---- */

static void on_deadline(struct loop_timer *t);

_Static_assert((LIMIT_STREAMS & (LIMIT_STREAMS - 1)) == 0, "the table grows by doubling");
/* A place in the table.  Most connections have one call. */
static enum err take_slot(struct rpc_conn *c, unsigned *out_slot) {
    unsigned slot = 0;
    while (slot < c->n_streams && c->streams[slot]) slot++;
    if (slot == LIMIT_STREAMS) return ERR_LIMIT;
    if (slot == c->n_streams) {
        unsigned want = slot ? 2 * slot : 1;
        struct rpc_stream_state **p = reallocarray(c->streams, want, sizeof(struct rpc_stream_state *));
        if (!p) return ERR_NOMEM;
        memset(p + slot, 0, (want - slot) * sizeof(struct rpc_stream_state *));
        c->streams = p;
        c->n_streams = want;
    }
    *out_slot = slot;
    return ERR_OK;
}

enum err rpc_stream_open(struct rpc_conn *c, enum rpc_method m, uint32_t number, bool caller, uint32_t deadline_ms,
                         struct rpc_stream_state **out) {
    unsigned slot;
    enum err e = take_slot(c, &slot);
    if (e) return e;
    struct rpc_stream_state *st = calloc(1, sizeof *st);
    if (!st) return ERR_NOMEM;
    *st = (struct rpc_stream_state){
        .conn = c, .info = rpc_method_info(m), .number = number, .slot = slot, .caller = caller, .deadline.fired = on_deadline};
    credit_init(&st->credit, LIMIT_STREAM_CREDIT_BYTES);
    for (int lane = 0; lane < 2; lane++) buf_init(&st->partial[lane], caller ? st->info->response_bytes : st->info->request_bytes);
    if (deadline_ms && loop_timer_set(net_loop(c->link.net), &st->deadline, clock_mono_ns() + deadline_ms * NS_PER_MS)) {
        free(st);
        return ERR_NOMEM;
    }
    c->streams[slot] = st;
    *out = st;
    return ERR_OK;
}

/* What has come in bulk, of whatever call, is consumed. */
static void consumed_bulk(struct rpc_conn *c, uint64_t n) {
    char payload[FRAME_CONTROL_BYTES];
    uint64_t back = credit_consumed(&c->bulk_credit, n);
    if (back) link_send(&c->link, FRAME_CREDIT, 0, false, rpc_control_put_credit(back, payload));
}

/* Out of the table; freed when the turn is over because frames further up the stack may still hold it. */
static void retire(struct rpc_stream_state *st) {
    struct rpc_conn *c = st->conn;
    loop_timer_clear(net_loop(c->link.net), &st->deadline);
    consumed_bulk(c, st->bulk_held);
    c->streams[st->slot] = NULL;
    st->next_dead = c->dead;
    c->dead = st;
    if (st->stream) st->stream->state = NULL;
    st->stream = NULL;
}

/* Only from the loop. */
static void finish(struct rpc_stream_state *st, enum rpc_status status, struct span text) {
    struct rpc_stream *s = st->stream;
    retire(st);
    if (s) s->ops->ended(s, status, text);
}

void rpc_stream_bury(struct rpc_conn *c) {
    for (struct rpc_stream_state *st = c->dead, *next; st; st = next) {
        next = st->next_dead;
        buf_done(&st->partial[0]);
        buf_done(&st->partial[1]);
        free(st);
    }
    c->dead = NULL;
}

void rpc_stream_end_all(struct rpc_conn *c, enum rpc_status status, struct span text) {
    for (unsigned i = 0; i < c->n_streams; i++) {
        struct rpc_stream_state *st = c->streams[i];
        if (st && st->ending)
            finish(st, st->status, span_str(st->text));
        else if (st)
            finish(st, status, text);
    }
}

void rpc_stream_abandon_all(struct rpc_conn *c) {
    for (unsigned i = 0; i < c->n_streams; i++)
        if (c->streams[i]) retire(c->streams[i]);
}

void rpc_stream_wake(struct rpc_conn *c) {
    for (unsigned i = 0; i < c->n_streams; i++) {
        struct rpc_stream_state *st = c->streams[i];
        if (st && st->ending) finish(st, st->status, span_str(st->text));
    }
}

/* ---- ending ---- */

/* Nobody wants what of this call waits to be sent.  True: not even its Call had left.  Others may have room then. */
static bool drop_queued(struct rpc_stream_state *st) {
    struct rpc_conn *c = st->conn;
    struct txq_dropped d = txq_drop(&c->link.queue, st->number);
    if (d.bulk_bytes && !credit_left(&c->bulk_credit)) rpc_conn_wake(c);
    bool spent = credit_again(&c->bulk_credit, d.bulk_bytes);
    assert(spent);
    return d.call;
}

/* Tell the peer that this side is through with the call. */
static void tell_end(struct rpc_stream_state *st, enum rpc_status status, const char *text) {
    struct link *l = &st->conn->link;
    char payload[FRAME_CONTROL_BYTES];
    if (st->caller) {
        if (!drop_queued(st)) link_send(l, FRAME_CANCEL, st->number, false, SPAN_NONE);
    } else {
        if (status == RPC_DEADLINE_EXCEEDED || status == RPC_CANCELLED) drop_queued(st);
        link_send(l, FRAME_STATUS, st->number, st->used_bulk, rpc_control_put_status(status, text, payload));
    }
}

void rpc_stream_end(struct rpc_stream_state *st, enum rpc_status status, const char *text) {
    if (st->ending) return;
    tell_end(st, status, text);
    st->ending = true;
    st->status = status;
    snprintf(st->text, sizeof st->text, "%s", text ? text : "");
    rpc_conn_wake(st->conn);
}

void rpc_stream_abandon(struct rpc_stream_state *st) {
    if (!st->ending) tell_end(st, RPC_CANCELLED, "given up");
    struct rpc_conn *c = st->conn;
    retire(st);
    rpc_conn_wake(c); /* buries it */
}

static void on_deadline(struct loop_timer *t) {
    struct rpc_stream_state *st = container_of(t, struct rpc_stream_state, deadline);
    struct rpc_conn *c = st->conn;
    if (!st->ending) {
        tell_end(st, RPC_DEADLINE_EXCEEDED, "the deadline has passed");
        finish(st, RPC_DEADLINE_EXCEEDED, SPAN_LIT("the deadline has passed"));
    }
    rpc_conn_settle(c);
}

/* ---- sending ---- */

enum err rpc_stream_send(struct rpc_stream_state *st, struct span message, enum rpc_lane lane) {
    bool one = st->info->kind == RPC_UNARY || (st->caller && st->info->kind == RPC_SERVER_STREAM);
    if (st->ending || st->said_all) return ERR_GONE;
    if (message.n > (st->caller ? st->info->request_bytes : st->info->response_bytes) || (one && st->sent_one)) return ERR_LIMIT;
    bool bulk = lane == RPC_BULK, may = credit_left(&st->credit) && (!bulk || credit_left(&st->conn->bulk_credit));
    enum err e = may ? link_send_message(&st->conn->link, st->number, bulk, message) : ERR_AGAIN;
    if (e == ERR_AGAIN) {
        st->wants_bulk = bulk && (st->wants_bulk || !st->wants_room);
        st->wants_room = true;
    }
    if (e) return e;
    credit_spend(&st->credit, message.n);
    if (bulk) credit_spend(&st->conn->bulk_credit, message.n);
    st->sent_one = true;
    if (bulk) st->used_bulk = true;
    if (one && st->caller) rpc_stream_half_close(st);
    return ERR_OK;
}

void rpc_stream_half_close(struct rpc_stream_state *st) {
    if (st->ending || st->said_all || !st->caller) return;
    st->said_all = true;
    link_send(&st->conn->link, FRAME_HALF_CLOSE, st->number, st->used_bulk, SPAN_NONE);
}

static void offer_room(struct rpc_stream_state *st) {
    const struct rpc_conn *c = st->conn;
    if (!st->wants_room || st->ending || !st->stream || !credit_left(&st->credit) || !link_has_room(&c->link)) return;
    if (st->wants_bulk && !credit_left(&c->bulk_credit)) return;
    st->wants_room = st->wants_bulk = false;
    if (st->stream->ops->writable) st->stream->ops->writable(st->stream);
}

void rpc_stream_room(struct rpc_conn *c) {
    unsigned first = c->first_room++;
    for (unsigned i = 0; i < c->n_streams; i++) {
        struct rpc_stream_state *st = c->streams[(first + i) % c->n_streams];
        if (st) offer_room(st);
    }
}

/* ---- receiving ---- */

static void broke(struct rpc_conn *c, const char *what) { rpc_conn_refuse(c, ERR_SYNTAX, RPC_INVALID_ARGUMENT, what); }

void rpc_stream_consumed(struct rpc_stream_state *st, uint64_t n) {
    char payload[FRAME_CONTROL_BYTES];
    uint64_t bulk = n < st->bulk_held ? n : st->bulk_held; /* by which lane it came is not told */
    st->bulk_held -= bulk;
    consumed_bulk(st->conn, bulk);
    uint64_t back = st->ending ? 0 : credit_consumed(&st->credit, n);
    if (back) link_send(&st->conn->link, FRAME_CREDIT, st->number, false, rpc_control_put_credit(back, payload));
}

/* A whole message.  Its owner may end or abandon the call in the callback. */
static void deliver(struct rpc_stream_state *st, struct span message) {
    bool one = st->info->kind == RPC_UNARY || (!st->caller && st->info->kind == RPC_SERVER_STREAM);
    if (st->heard_all || (one && st->got_one)) {
        broke(st->conn, "a message too many in a call");
        return;
    }
    st->got_one = true;
    credit_come(&st->credit, message.n);
    if (st->ending || !st->stream) return;
    bool automatic = !st->stream->manual_credit;
    st->stream->ops->message(st->stream, message);
    if (automatic && st->stream) rpc_stream_consumed(st, message.n);
}

static void on_message(struct rpc_stream_state *st, const struct frame *f, struct span payload) {
    bool bulk = f->flags & FRAME_BULK;
    struct buf *partial = &st->partial[bulk];
    size_t most = st->caller ? st->info->response_bytes : st->info->request_bytes;
    if (partial->n + payload.n > most) {
        broke(st->conn, "a message larger than its method allows");
        return;
    }
    if (bulk) {
        st->bulk_held += payload.n;
        credit_come(&st->conn->bulk_credit, payload.n);
    }
    /* A sender may overdraw by one message, and lanes may bring two of them in the other order. */
    if (credit_over(&st->credit) > 2 * most || credit_over(&st->conn->bulk_credit) > 2 * most) {
        broke(st->conn, "more bytes than there was credit for");
        return;
    }
    if (partial->n == 0 && !(f->flags & FRAME_MORE)) {
        deliver(st, payload);
        return;
    }
    buf_add(partial, payload);
    if (buf_failed(partial)) {
        link_fail(&st->conn->link, ERR_NOMEM, err_text(ERR_NOMEM));
        return;
    }
    if (f->flags & FRAME_MORE) return;
    struct buf whole = *partial; /* lives through the callback, whatever that does to the call */
    buf_init(partial, most);
    deliver(st, buf_span(&whole));
    buf_done(&whole);
}

static void on_half_close(struct rpc_stream_state *st) {
    if (st->caller || st->heard_all) {
        broke(st->conn, "a half-close that has no place");
        return;
    }
    st->heard_all = true;
    if (!st->ending && st->stream && st->stream->ops->half_closed) st->stream->ops->half_closed(st->stream);
}

static void on_status(struct rpc_stream_state *st, struct span payload) {
    struct rpc_control_reason r;
    if (!st->caller || rpc_control_get_status(payload, net_scratch(st->conn->link.net), &r)) {
        broke(st->conn, "a status that has no place or cannot be read");
        return;
    }
    drop_queued(st);
    if (st->ending)
        finish(st, st->status, span_str(st->text));
    else
        finish(st, r.status, r.text);
}

static void on_cancel(struct rpc_stream_state *st) {
    if (st->caller) {
        broke(st->conn, "a cancel from the side that was called");
        return;
    }
    drop_queued(st);
    if (st->ending)
        finish(st, st->status, span_str(st->text));
    else
        finish(st, RPC_CANCELLED, SPAN_LIT("cancelled by the caller"));
}

static bool take_credit(struct rpc_conn *c, struct credit *credit, struct span payload) {
    uint64_t bytes = 0;
    enum err e = rpc_control_get_credit(payload, net_scratch(c->link.net), &bytes);
    if (!e && credit_again(credit, bytes)) return true;
    broke(c, "a credit that cannot be");
    return false;
}

static void on_credit(struct rpc_stream_state *st, struct span payload) {
    if (take_credit(st->conn, &st->credit, payload)) offer_room(st);
}

void rpc_stream_credit(struct rpc_conn *c, struct span payload) {
    if (take_credit(c, &c->bulk_credit, payload)) rpc_stream_room(c);
}

/* ---- being called ---- */

static void refuse_call(struct rpc_conn *c, uint32_t number, enum rpc_status status, const char *text) {
    char payload[FRAME_CONTROL_BYTES];
    link_send(&c->link, FRAME_STATUS, number, false, rpc_control_put_status(status, text, payload));
}

/* RPC_OK and a new stream, or why not. */
static enum rpc_status accept_call(struct rpc_conn *c, uint32_t number, const struct rpc_control_call *call, char *text, size_t size) {
    enum rpc_method m;
    struct rpc_stream_state *st = NULL;
    struct rpc_stream *s = NULL;
    text[0] = 0;
    if (!rpc_method_find(call->method, &m)) {
        snprintf(text, size, "there is no such method");
        return RPC_UNIMPLEMENTED;
    }
    if (rpc_method_info(m)->role != c->peer.role || rpc_method_info(m)->role != c->serves || !c->owner) {
        snprintf(text, size, "a certificate of role %s cannot call this", identity_role_name(c->peer.role));
        return RPC_PERMISSION_DENIED;
    }
    if (rpc_stream_open(c, m, number, false, call->deadline_ms, &st)) {
        snprintf(text, size, "too many calls on one connection");
        return RPC_RESOURCE_EXHAUSTED;
    }
    enum rpc_status status = c->owner->call(c->owner, c, m, &s, text, size);
    bool forgotten = c->streams[st->slot] != st; /* the listener went away in the callback */
    if (status == RPC_OK) {
        assert(s);
        s->state = forgotten ? NULL : st;
        st->stream = forgotten ? NULL : s;
    } else if (!forgotten) {
        retire(st);
    }
    return status;
}

static void on_call(struct rpc_conn *c, const struct frame *f, struct span payload) {
    struct rpc_control_call call;
    char text[LIMIT_REASON_BYTES + 1];
    if (c->serves == ROLE_NONE || f->stream <= c->last_call) {
        broke(c, "a call that has no place");
        return;
    }
    if (rpc_control_get_call(payload, net_scratch(c->link.net), &call)) {
        broke(c, "a call that cannot be read");
        return;
    }
    c->last_call = f->stream;
    enum rpc_status status = accept_call(c, f->stream, &call, text, sizeof text);
    if (status != RPC_OK) refuse_call(c, f->stream, status, text);
}

static struct rpc_stream_state *find(const struct rpc_conn *c, uint32_t number) {
    for (unsigned i = 0; i < c->n_streams; i++)
        if (c->streams[i] && c->streams[i]->number == number) return c->streams[i];
    return NULL;
}

void rpc_stream_frame(struct rpc_conn *c, const struct frame *f, struct span payload) {
    if (f->type == FRAME_CALL) {
        on_call(c, f, payload);
        return;
    }
    struct rpc_stream_state *st = find(c, f->stream);
    if (!st) { /* frames that were on their way when the call ended are fine */
        if (f->stream > c->last_call) broke(c, "a frame of a call that never was");
        if (f->type == FRAME_MESSAGE && f->flags & FRAME_BULK) {
            credit_come(&c->bulk_credit, payload.n);
            consumed_bulk(c, payload.n);
        }
        return;
    }
    switch (f->type) {
    case FRAME_MESSAGE:
        on_message(st, f, payload);
        break;
    case FRAME_HALF_CLOSE:
        on_half_close(st);
        break;
    case FRAME_STATUS:
        on_status(st, payload);
        break;
    case FRAME_CANCEL:
        on_cancel(st);
        break;
    case FRAME_CREDIT:
        on_credit(st, payload);
        break;
    case FRAME_HELLO:
    case FRAME_WELCOME:
    case FRAME_REFUSE:
    case FRAME_GOODBYE:
    case FRAME_PING:
    case FRAME_PONG:
    case FRAME_CALL:
    case FRAME__COUNT:
        break;
    }
}
