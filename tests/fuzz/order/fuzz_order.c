/* What an operator could sign, and what anybody could send: the bytes are a Spec that is signed here properly, then a certificate
 * chain, then a signature of a good chain.  Nothing but a signed, well-formed order may be obeyed. */
#include <assert.h>
#include <stdint.h>

#include "common/base/clock.h"
#include "common/order/order.h"
#include "tests/support/ca.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* 2026-01-01: specs of the corpus are valid then, whenever this runs. */
#define WALL_NS (1767225600ULL * NS_PER_S)

static struct {
    struct signer *operator_key;
    struct trust *operators;
    struct buf chain;
} world;

static void make_world(void) {
    static struct ca ca;
    ca_make(&ca, "prod");
    ca_run(&ca, "rotate", "operators", "--not-before", "2020-01-01", NULL);
    ca_run(&ca, "operator", "ann", "--not-before", "2020-01-01", "--not-after", "2090-01-01", NULL);
    enum err e = sign_load(ca_file(&ca, "operators/ann.pem"), ca_file(&ca, "operators/ann.key"), NULL, 0, &world.operator_key);
    assert(e == ERR_OK);
    e = sign_trust_load(ca_file(&ca, "operators-ca.pem"), NULL, NULL, 0, &world.operators);
    assert(e == ERR_OK);
    buf_init(&world.chain, 0);
    e = sign_chain(world.operator_key, &world.chain);
    assert(e == ERR_OK);
    ca_done(&ca);
}

static enum err verify(struct span spec, struct span signature, struct span chain) {
    struct arena *mem = arena_new(LIMIT_FRAME_ARENA_BYTES);
    const struct signed_order so = {.spec = spec, .signature = signature, .certificates = chain};
    const struct order_check check = {.operators = world.operators, .fleet = "prod", .wall_ns = WALL_NS, .host = SPAN_LIT("web-1")};
    struct order order = {0};
    char why[256] = "";
    enum err e = mem ? order_verify(&so, &check, mem, why, sizeof why, &order) : ERR_NOMEM;
    if (mem && e) assert(why[0] && !order.tool);
    if (!e) assert(order.tool && order.spec.duration_s <= LIMIT_DURATION_S && order.spec.expires_wall_ms > WALL_NS / NS_PER_MS);
    arena_free(mem);
    return e;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (!world.operators) make_world();
    struct span bytes = {(const char *)data, size};
    struct buf signature;
    buf_init(&signature, 0);
    enum err e = sign_bytes(world.operator_key, ORDER_DOMAIN, bytes, &signature);
    assert(e == ERR_OK);
    IGNORED(verify(bytes, buf_span(&signature), buf_span(&world.chain))); /* good or bad: it is ann's own */
    e = verify(bytes, buf_span(&signature), bytes);
    assert(e != ERR_OK);
    e = verify(bytes, bytes, buf_span(&world.chain));
    assert(e != ERR_OK);
    buf_done(&signature);
    return 0;
}
