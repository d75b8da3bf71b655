/* What a peer sends on a connection: headers, each with its payload, up to the first that is refused or cut.  Held to: a header that
 * is taken is written as it was read; a control message that is taken is written and read to the same again. */
#include <assert.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/utf8.h"
#include "common/net/rpc_control.h"
#include "common/net/rpc_method.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARENA_BYTES = 64 * 1024 };

static void check_hello(struct span bytes, struct arena *mem, char *room) {
    struct rpc_control_hello h, again;
    if (rpc_control_get_hello(bytes, mem, &h)) return;
    enum err e = rpc_control_get_hello(rpc_control_put_hello(h, "fuzz", room), mem, &again);
    assert(!e && h.version_low == again.version_low && h.version_high == again.version_high);
}

static void check_welcome(struct span bytes, struct arena *mem, char *room) {
    struct rpc_control_welcome w, again;
    if (rpc_control_get_welcome(bytes, mem, &w)) return;
    enum err e = rpc_control_get_welcome(rpc_control_put_welcome(w, "fuzz", room), mem, &again);
    assert(!e && w.version == again.version && w.heartbeat_ms == again.heartbeat_ms && w.session == again.session &&
           w.wall_ns == again.wall_ns);
}

/* Refuse and Status.  A text that is not UTF-8 is read, and cut when it is written. */
static void check_reason(bool status, struct span bytes, struct arena *mem, char *room) {
    struct rpc_control_reason r, again;
    if (status ? rpc_control_get_status(bytes, mem, &r) : rpc_control_get_refuse(bytes, mem, &r)) return;
    char text[LIMIT_REASON_BYTES + 1];
    assert(r.text.n <= LIMIT_REASON_BYTES && r.status <= RPC_UNAUTHENTICATED);
    memcpy(text, r.text.p, r.text.n);
    text[r.text.n] = '\0';
    struct span written = status ? rpc_control_put_status(r.status, text, room) : rpc_control_put_refuse(r.status, text, room);
    enum err e = status ? rpc_control_get_status(written, mem, &again) : rpc_control_get_refuse(written, mem, &again);
    assert(!e && again.status == r.status && span_starts(r.text, again.text) && utf8_valid(again.text));
    if (utf8_valid(r.text)) assert(span_eq(r.text, again.text));
}

static void check_call(struct span bytes, struct arena *mem, char *room) {
    struct rpc_control_call c, again;
    enum rpc_method m;
    char name[64];
    if (rpc_control_get_call(bytes, mem, &c) || !rpc_method_find(c.method, &m)) return;
    rpc_method_name(m, name, sizeof name);
    assert(span_eq_str(c.method, name));
    enum err e = rpc_control_get_call(rpc_control_put_call(name, c.deadline_ms, room), mem, &again);
    assert(!e && span_eq(c.method, again.method) && c.deadline_ms == again.deadline_ms);
}

static void check_credit(struct span bytes, struct arena *mem, char *room) {
    uint64_t credit, again;
    if (rpc_control_get_credit(bytes, mem, &credit)) return;
    enum err e = rpc_control_get_credit(rpc_control_put_credit(credit, room), mem, &again);
    assert(!e && credit == again);
}

static void check_payload(const struct frame *f, struct span bytes) {
    char room[FRAME_CONTROL_BYTES];
    struct arena *mem = arena_new(ARENA_BYTES);
    assert(mem);
    if (f->type == FRAME_HELLO) check_hello(bytes, mem, room);
    if (f->type == FRAME_WELCOME) check_welcome(bytes, mem, room);
    if (f->type == FRAME_REFUSE || f->type == FRAME_STATUS) check_reason(f->type == FRAME_STATUS, bytes, mem, room);
    if (f->type == FRAME_CALL) check_call(bytes, mem, room);
    if (f->type == FRAME_CREDIT) check_credit(bytes, mem, room);
    arena_free(mem);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct span rest = span_of((const char *)data, size);
    struct frame f;
    const char *what = NULL;
    char header[FRAME_HEADER_BYTES];
    while (rest.n >= FRAME_HEADER_BYTES) {
        if (frame_decode(rest.p, &f, &what) != ERR_OK) {
            assert(what && what[0]);
            break;
        }
        assert(!what && frame_type_name(f.type)[0] != '?');
        frame_encode(&f, header);
        assert(memcmp(header, rest.p, sizeof header) == 0);
        rest = span_drop(rest, FRAME_HEADER_BYTES);
        if (f.length > rest.n) break;
        check_payload(&f, span_head(rest, f.length));
        rest = span_drop(rest, f.length);
    }
    return 0;
}
