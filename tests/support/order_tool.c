/* Orders that a console would never make, for tests/e2e/60-bad-input.bats.
 *   order_tool make FILE [WORD=VALUE…]     sign an order into FILE.  cert, key: who signs (as in $TRAWL_CONFIG); id: the campaign, 32
 * hexadecimal digits; fleet, tool, flavour, on, for, version; issued, expires: seconds from now, or from base (milliseconds since 1970);
 * flip: spec, signature or chain, one bit of which is changed; say=lockdown or say=lift: an admin's statement instead, with counter and
 * reason; say=trigger: a trigger instead, with name, when, cooldown, per-hour and budget; say=firing: a firing of such a trigger, with
 * number, where, at (seconds from now), and widen=SECONDS, which the trigger does not know of.  order_tool submit FILE send it as the
 * console of $TRAWL_CONFIG; prints what the collector says order_tool serve FILE HOST:PORT FLEET CA CERT KEY be a collector that was
 * stolen: every agent that comes gets the order (or the statement); prints the first outcome (of a statement: sent) */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>

#include "common/base/clock.h"
#include "common/crypto/digest.h"
#include "common/order/lockdown.h"
#include "common/order/rule.h"
#include "common/sys/fds.h"
#include "common/wire/session.h"
#include "console/client/client.h"

enum { MS_PER_S = 1000, WHY_BYTES = 1024, SERVE_S = 30 };

__attribute__((noreturn, format(printf, 1, 2))) static void give_up(const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
    exit(1);
}

static const char *word(char **words, const char *name, const char *otherwise) {
    size_t n = strlen(name);
    for (; *words; words++)
        if (strncmp(*words, name, n) == 0 && (*words)[n] == '=') return *words + n + 1;
    return otherwise;
}

static int64_t number(char **words, const char *name, int64_t otherwise) {
    const char *text = word(words, name, NULL);
    int64_t n = otherwise;
    if (text && !span_i64(span_str(text), &n)) give_up("%s is not a number", name);
    return n;
}

/* ---- make ---- */

static void flip(struct buf *order, const char *where) {
    struct arena *mem = arena_new(LIMIT_FRAME_ARENA_BYTES);
    struct signed_order so;
    if (!mem || spec_decode_signed(buf_span(order), mem, &so) != ERR_OK) give_up("cannot read my own order");
    const struct span parts[] = {so.spec, so.signature, so.certificates};
    static const char *const names[] = {"spec", "signature", "chain"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (strcmp(where, names[i]) != 0) continue;
        size_t at = span_find_span(buf_span(order), parts[i]) + (i ? parts[i].n - 1 : parts[i].n / 2);
        order->p[at] = (char)(order->p[at] ^ 1);
    }
    arena_free(mem);
}

static enum err make_statement(const struct settings *set, const struct signer *me, char **words, struct buf *out) {
    uint64_t now_ms = clock_wall_ns() / NS_PER_MS;
    const struct statement s = {.version = LOCKDOWN_VERSION,
                                .fleet = span_str(word(words, "fleet", set->fleet)),
                                .counter = (uint64_t)number(words, "counter", (int64_t)now_ms),
                                .lifted = strcmp(word(words, "say", ""), "lift") == 0,
                                .reason = span_str(word(words, "reason", "")),
                                .issued_wall_ms = now_ms};
    return lockdown_sign(&s, me, out);
}

static enum err make_trigger(const struct spec *what, const struct signer *me, char **words, struct buf *out) {
    struct trigger t = {.version = TRIGGER_VERSION,
                        .name = span_str(word(words, "name", "crafted")),
                        .when = span_str(word(words, "when", "call")),
                        .what = *what,
                        .cooldown_s = (uint32_t)number(words, "cooldown", 60),
                        .per_hour = (uint32_t)number(words, "per-hour", 4),
                        .budget_s = (uint32_t)number(words, "budget", 600)};
    t.id = what->campaign;
    memset(t.what.campaign.b, 0, sizeof t.what.campaign.b);
    return rule_sign(&t, me, out);
}

/* Changed behind its trigger's back. */
static enum err widen(struct signed_order *so, struct arena *mem, uint32_t seconds, struct buf *room) {
    struct spec s;
    enum err e = spec_decode(so->spec, mem, &s);
    s.duration_s = seconds;
    if (!e) e = spec_encode(&s, room);
    so->spec = buf_span(room);
    return e;
}

static enum err make_firing(struct buf *trigger, char **words, struct buf *out) {
    AUTO(arena_free) struct arena *mem = arena_new(LIMIT_FRAME_ARENA_BYTES);
    struct signed_order signed_trigger, so;
    struct buf made, changed;
    const struct rule_firing f = {.number = (uint64_t)number(words, "number", 1),
                                  .where = span_str(word(words, "where", "")),
                                  .why = SPAN_LIT("crafted"),
                                  .at_wall_ms = clock_wall_ns() / NS_PER_MS + (uint64_t)(number(words, "at", 0) * MS_PER_S)};
    buf_init(&made, LIMIT_ORDER_BYTES);
    buf_init(&changed, LIMIT_SPEC_BYTES);
    enum err e = mem ? spec_decode_signed(buf_span(trigger), mem, &signed_trigger) : ERR_NOMEM;
    if (!e) e = rule_fire_order(&signed_trigger, &f, mem, &made);
    if (!e) e = spec_decode_signed(buf_span(&made), mem, &so);
    if (!e && word(words, "widen", NULL)) e = widen(&so, mem, (uint32_t)number(words, "widen", 1), &changed);
    if (!e) e = spec_encode_signed(&so, out);
    buf_done(&made);
    buf_done(&changed);
    return e;
}

/* What is to be made: an order, unless another thing is said. */
static enum err make_what(const struct settings *set, const struct spec *s, const struct signer *me, char **words, struct buf *out) {
    const char *say = word(words, "say", "");
    struct buf trigger;
    if (strcmp(say, "") == 0) return order_sign(s, me, out);
    if (strcmp(say, "trigger") == 0) return make_trigger(s, me, words, out);
    if (strcmp(say, "firing") != 0) return make_statement(set, me, words, out);
    buf_init(&trigger, LIMIT_ORDER_BYTES);
    enum err e = make_trigger(s, me, words, &trigger);
    if (!e) e = make_firing(&trigger, words, out);
    buf_done(&trigger);
    return e;
}

static void make(const char *file, char **words) {
    char why[WHY_BYTES] = "";
    struct settings set;
    struct signer *me = NULL;
    struct buf order;
    if (settings_load(why, sizeof why, &set) != ERR_OK) give_up("%s", why);
    if (sign_load(word(words, "cert", set.cert), word(words, "key", set.key), why, sizeof why, &me) != ERR_OK) give_up("%s", why);
    uint64_t now_ms = (uint64_t)number(words, "base", (int64_t)(clock_wall_ns() / NS_PER_MS));
    struct spec s = {.version = (uint32_t)number(words, "version", SPEC_VERSION),
                     .fleet = span_str(word(words, "fleet", set.fleet)),
                     .tool = span_str(word(words, "tool", "runqlat")),
                     .flavour = span_str(word(words, "flavour", "any")),
                     .duration_s = (uint32_t)number(words, "for", 1),
                     .selector = span_str(word(words, "on", "")),
                     .issued_wall_ms = now_ms + (uint64_t)(number(words, "issued", 0) * MS_PER_S),
                     .expires_wall_ms = now_ms + (uint64_t)(number(words, "expires", 30) * MS_PER_S)};
    const char *id = word(words, "id", NULL);
    if (id ? !part_campaign_from_hex(span_str(id), &s.campaign) : digest_random(s.campaign.b, sizeof s.campaign.b) != ERR_OK) give_up("id");
    buf_init(&order, 0);
    enum err e = make_what(&set, &s, me, words, &order);
    if (e) give_up("the order cannot be signed: %s", err_text(e));
    if (word(words, "flip", NULL)) flip(&order, word(words, "flip", ""));
    int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, order.p, order.n) != (ssize_t)order.n || close(fd) != 0) give_up("%s cannot be written", file);
    buf_done(&order);
    sign_free(me);
    settings_done(&set);
}

static void read_order(const char *file, struct buf *out) {
    buf_init(out, LIMIT_ORDER_BYTES);
    if (fds_read_file(file, out) != ERR_OK) give_up("%s cannot be read", file);
}

/* ---- submit ---- */

static bool is_trigger(const struct buf *order) {
    struct arena *mem = arena_new(LIMIT_FRAME_ARENA_BYTES);
    struct signed_order so;
    struct trigger t;
    bool is = mem && spec_decode_signed(buf_span(order), mem, &so) == ERR_OK && trigger_decode(so.spec, mem, &t) == ERR_OK;
    arena_free(mem);
    return is;
}

static bool is_statement(const struct buf *order) {
    struct arena *mem = arena_new(LIMIT_FRAME_ARENA_BYTES);
    struct signed_order so;
    struct spec spec;
    bool is_order = mem && spec_decode_signed(buf_span(order), mem, &so) == ERR_OK && spec_decode(so.spec, mem, &spec) == ERR_OK;
    arena_free(mem);
    return !is_order;
}

static int submit(const char *file) {
    char why[WHY_BYTES] = "";
    struct settings set;
    struct client *c = NULL;
    struct buf order, answer;
    read_order(file, &order);
    buf_init(&answer, LIMIT_ANSWER_BYTES);
    if (settings_load(why, sizeof why, &set) != ERR_OK) give_up("%s", why);
    enum err e = client_open(&set, &c);
    enum rpc_method m = is_trigger(&order) ? RPC_CONSOLE_ADD_TRIGGER : is_statement(&order) ? RPC_CONSOLE_SET_LOCKDOWN : RPC_CONSOLE_START;
    if (!e) e = client_call(c, m, buf_span(&order), &answer);
    puts(e ? client_why(c) : "started");
    client_close(c);
    settings_done(&set);
    buf_done(&order);
    buf_done(&answer);
    return e ? 1 : 0;
}

/* ---- serve ---- */

struct centre {
    struct rpc_server_ops ops;
    struct rpc_stream session; /* of the newest agent */
    struct buf order;
    struct campaign_id campaign;
    bool told;
};

static void send_to_agent(struct centre *c, const struct to_agent *to) {
    struct buf message;
    buf_init(&message, LIMIT_FRAME_BYTES);
    if (session_encode_to(to, &message) != ERR_OK || rpc_send(&c->session, buf_span(&message), RPC_INTERACTIVE) != ERR_OK)
        give_up("the agent does not take what it is sent");
    buf_done(&message);
}

static void send_order(struct centre *c) {
    struct arena *mem = arena_new(LIMIT_FRAME_ARENA_BYTES);
    struct to_agent to = {.kind = TO_AGENT_ORDER};
    struct spec spec = {.version = 0};
    if (!mem || spec_decode_signed(buf_span(&c->order), mem, &to.order) != ERR_OK) give_up("the order cannot be read");
    if (is_trigger(&c->order)) {
        to.kind = TO_AGENT_ARM;
    } else if (is_statement(&c->order)) {
        to.kind = TO_AGENT_LOCKDOWN;
        puts("sent");
        c->told = true;
    } else if (spec_decode(to.order.spec, mem, &spec) == ERR_OK) {
        c->campaign = spec.campaign;
    }
    send_to_agent(c, &to);
    arena_free(mem);
}

/* Whatever waits in the agent's spool is taken; what it says about our order is printed. */
static void take_part(struct centre *c, const struct part_key *key, const struct part_body *body) {
    struct to_agent to = {.kind = TO_AGENT_ACK, .ack = *key};
    to.ack.host = SPAN_LIT("");
    send_to_agent(c, &to);
    if (!body->outcome || memcmp(key->campaign.b, c->campaign.b, CAMPAIGN_ID_BYTES) != 0) return;
    printf("%s: %.*s\n", capture_coverage_name(body->outcome->coverage), (int)body->outcome->reason.n, body->outcome->reason.p);
    c->told = true;
}

static void on_message(struct rpc_stream *s, struct span bytes) {
    struct centre *c = container_of(s, struct centre, session);
    struct arena *mem = arena_new(LIMIT_PART_ARENA_BYTES);
    struct from_agent from;
    struct part_body body = {.outcome = NULL};
    if (!mem || session_decode_from(bytes, mem, &from) != ERR_OK) give_up("an agent sent what is no message");
    if (from.kind == FROM_AGENT_FACTS) send_order(c);
    if (from.kind == FROM_AGENT_TRIGGER && is_trigger(&c->order)) {
        printf("%s: %.*s\n", from.trigger.armed ? "armed" : "not armed", (int)from.trigger.note.n, from.trigger.note.p);
        c->told = true;
    }
    if (from.kind == FROM_AGENT_PART && part_decode(from.part.body, mem, &body) == ERR_OK) take_part(c, &from.part.key, &body);
    arena_free(mem);
}

static void on_ended(struct rpc_stream *s, enum rpc_status status, struct span text) { (void)s, (void)status, (void)text; }
static const struct rpc_stream_ops session_ops = {.message = on_message, .ended = on_ended};

static enum rpc_status on_admit(struct rpc_server_ops *self, const struct identity *peer, struct span address, char *text, size_t size) {
    (void)self, (void)peer, (void)address, (void)text, (void)size;
    return RPC_OK;
}
static void on_opened(struct rpc_server_ops *self, struct rpc_conn *c) { (void)self, (void)c; }
static void on_closed(struct rpc_server_ops *self, struct rpc_conn *c, enum err why, struct span text) {
    (void)self, (void)c, (void)why, (void)text;
}
static enum rpc_status on_call(struct rpc_server_ops *self, struct rpc_conn *conn, enum rpc_method m, struct rpc_stream **out, char *text,
                               size_t size) {
    struct centre *c = container_of(self, struct centre, ops);
    (void)conn, (void)m, (void)text, (void)size;
    c->session = (struct rpc_stream){.ops = &session_ops};
    *out = &c->session;
    return RPC_OK;
}

static int serve(const char *file, const char *listen, const char *fleet, const struct net_files *files) {
    char why[WHY_BYTES] = "";
    struct centre c = {.ops = {.admit = on_admit, .opened = on_opened, .call = on_call, .closed = on_closed}};
    struct loop *loop = loop_new();
    struct net *net = NULL;
    struct rpc_server *server = NULL;
    read_order(file, &c.order);
    struct net_options opt = {.loop = loop, .files = *files, .fleet = fleet, .software = "order_tool"};
    if (!loop || net_new(&opt, why, sizeof why, &net) != ERR_OK ||
        rpc_listen(net, listen, ROLE_AGENT, &c.ops, why, sizeof why, &server) != ERR_OK)
        give_up("%s", why);
    uint64_t until = clock_mono_ns() + SERVE_S * NS_PER_S;
    while (!c.told && clock_mono_ns() < until)
        if (loop_turn(loop, 100) != ERR_OK) give_up("the loop failed");
    if (!c.told) puts("no agent said anything");
    for (int i = 0; i < 5; i++) IGNORED(loop_turn(loop, 20)); /* the acknowledgement goes out */
    rpc_server_free(server);
    net_free(net);
    loop_free(loop);
    buf_done(&c.order);
    return c.told ? 0 : 1;
}

int main(int argc, char **argv) {
    const char *verb = argc > 2 ? argv[1] : "";
    if (strcmp(verb, "make") == 0) {
        make(argv[2], argv + 3);
        return 0;
    }
    if (strcmp(verb, "submit") == 0) return submit(argv[2]);
    if (strcmp(verb, "serve") == 0 && argc == 8)
        return serve(argv[2], argv[3], argv[4], &(struct net_files){.ca = argv[5], .cert = argv[6], .key = argv[7]});
    fputs("usage: order_tool make FILE [WORD=VALUE…] | submit FILE | serve FILE HOST:PORT FLEET CA CERT KEY\n", stderr);
    return 2;
}
