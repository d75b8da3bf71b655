#include "common/net/rpc_control.h"

#include <assert.h>
#include <rpc.pb-c.h>
#include <stdio.h>

#include "common/base/utf8.h"

/* ---- writing ---- */

static struct span pack(const ProtobufCMessage *m, char *out) {
    size_t n = protobuf_c_message_get_packed_size(m);
    assert(n <= FRAME_CONTROL_BYTES);
    return span_of(out, protobuf_c_message_pack(m, (uint8_t *)out));
}

struct text {
    char z[LIMIT_REASON_BYTES + 1];
};

/* protobuf-c wants char *, and the text must fit and be UTF-8. */
static void fit(const char *from, struct text *out) {
    snprintf(out->z, sizeof out->z, "%s", from ? from : "");
    size_t n = strlen(out->z);
    while (n && !utf8_valid(span_of(out->z, n))) out->z[--n] = 0;
}

struct span rpc_control_put_hello(struct rpc_control_hello h, const char *software, char *out) {
    struct text t;
    fit(software, &t);
    Trawl__Hello m;
    trawl__hello__init(&m);
    m.version_low = h.version_low;
    m.version_high = h.version_high;
    m.software = t.z;
    return pack(&m.base, out);
}

struct span rpc_control_put_welcome(struct rpc_control_welcome w, const char *software, char *out) {
    struct text t;
    fit(software, &t);
    Trawl__Welcome m;
    trawl__welcome__init(&m);
    m.version = w.version;
    m.session = w.session;
    m.heartbeat_ms = w.heartbeat_ms;
    m.wall_ns = w.wall_ns;
    m.software = t.z;
    return pack(&m.base, out);
}

struct span rpc_control_put_refuse(enum rpc_status status, const char *text, char *out) {
    struct text t;
    fit(text, &t);
    Trawl__Refuse m;
    trawl__refuse__init(&m);
    m.status = (uint32_t)status;
    m.why = t.z;
    return pack(&m.base, out);
}

struct span rpc_control_put_status(enum rpc_status status, const char *text, char *out) {
    struct text t;
    fit(text, &t);
    Trawl__Status m;
    trawl__status__init(&m);
    m.status = (uint32_t)status;
    m.message = t.z;
    return pack(&m.base, out);
}

struct span rpc_control_put_call(const char *method, uint32_t deadline_ms, char *out) {
    struct text t;
    fit(method, &t);
    Trawl__Call m;
    trawl__call__init(&m);
    m.method = t.z;
    m.deadline_ms = deadline_ms;
    return pack(&m.base, out);
}

struct span rpc_control_put_credit(uint64_t bytes, char *out) {
    Trawl__Credit m;
    trawl__credit__init(&m);
    m.bytes = bytes;
    return pack(&m.base, out);
}

/* ---- reading ---- */

static void *get_mem(void *mem, size_t n) { return arena_alloc(mem, n); }
static void forget(void *mem, void *p) { (void)mem, (void)p; }

static enum err unpack(const ProtobufCMessageDescriptor *d, struct span bytes, struct arena *mem, ProtobufCMessage **out) {
    ProtobufCAllocator allocator = {.alloc = get_mem, .free = forget, .allocator_data = mem};
    *out = protobuf_c_message_unpack(d, &allocator, bytes.n, (const uint8_t *)bytes.p);
    if (*out) return ERR_OK;
    return arena_exhausted(mem) ? ERR_NOMEM : ERR_SYNTAX;
}

static enum rpc_status status_of(uint32_t code) { return code <= RPC_UNAUTHENTICATED ? (enum rpc_status)code : RPC_UNKNOWN; }

enum err rpc_control_get_hello(struct span bytes, struct arena *mem, struct rpc_control_hello *out) {
    ProtobufCMessage *base;
    enum err e = unpack(&trawl__hello__descriptor, bytes, mem, &base);
    if (e) return e;
    const Trawl__Hello *m = (const Trawl__Hello *)base;
    *out = (struct rpc_control_hello){.version_low = m->version_low, .version_high = m->version_high};
    return ERR_OK;
}

enum err rpc_control_get_welcome(struct span bytes, struct arena *mem, struct rpc_control_welcome *out) {
    ProtobufCMessage *base;
    enum err e = unpack(&trawl__welcome__descriptor, bytes, mem, &base);
    if (e) return e;
    const Trawl__Welcome *m = (const Trawl__Welcome *)base;
    *out =
        (struct rpc_control_welcome){.version = m->version, .heartbeat_ms = m->heartbeat_ms, .session = m->session, .wall_ns = m->wall_ns};
    return ERR_OK;
}

enum err rpc_control_get_refuse(struct span bytes, struct arena *mem, struct rpc_control_reason *out) {
    ProtobufCMessage *base;
    enum err e = unpack(&trawl__refuse__descriptor, bytes, mem, &base);
    if (e) return e;
    const Trawl__Refuse *m = (const Trawl__Refuse *)base;
    *out = (struct rpc_control_reason){.status = status_of(m->status), .text = span_head(span_str(m->why), LIMIT_REASON_BYTES)};
    return ERR_OK;
}

enum err rpc_control_get_status(struct span bytes, struct arena *mem, struct rpc_control_reason *out) {
    ProtobufCMessage *base;
    enum err e = unpack(&trawl__status__descriptor, bytes, mem, &base);
    if (e) return e;
    const Trawl__Status *m = (const Trawl__Status *)base;
    *out = (struct rpc_control_reason){.status = status_of(m->status), .text = span_head(span_str(m->message), LIMIT_REASON_BYTES)};
    return ERR_OK;
}

enum err rpc_control_get_call(struct span bytes, struct arena *mem, struct rpc_control_call *out) {
    ProtobufCMessage *base;
    enum err e = unpack(&trawl__call__descriptor, bytes, mem, &base);
    if (e) return e;
    const Trawl__Call *m = (const Trawl__Call *)base;
    *out = (struct rpc_control_call){.method = span_str(m->method), .deadline_ms = m->deadline_ms};
    return ERR_OK;
}

enum err rpc_control_get_credit(struct span bytes, struct arena *mem, uint64_t *out) {
    ProtobufCMessage *base;
    enum err e = unpack(&trawl__credit__descriptor, bytes, mem, &base);
    if (e) return e;
    *out = ((const Trawl__Credit *)base)->bytes;
    return ERR_OK;
}
