#include "console/cli/bundles.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "common/base/clock.h"
#include "common/bundle/bundle.h"
#include "common/order/order.h"
#include "console/export/remerge.h"

enum { WHY_BYTES = 1024 };
#define PART_NAME "part:"

/* ---- writing ---- */
static bool add(const struct ask *k, struct buf *to, const char *name, struct span bytes) {
    enum err e = bundle_add(to, span_str(name), bytes);
    if (e) ask_failed(k, e);
    return !e;
}

static enum err add_part(struct buf *to, struct remerge *r, struct arena *scratch, const struct query_part *p) {
    char name[BUNDLE_NAME_BYTES];
    struct part_body body = {0};
    snprintf(name, sizeof name, PART_NAME "%.*s:%u:%u", (int)p->host.n, p->host.p, p->round, p->part);
    enum err e = part_decode(p->body, scratch, &body);
    if (!e) e = remerge_add(r, p->host, &body);
    return e ? e : bundle_add(to, span_str(name), p->body);
}

/* False: said why. */
static bool add_parts(struct ask *k, const char *id, struct buf *to, struct remerge *r) {
    char after[LIMIT_NAME_BYTES + 1] = "";
    do {
        AUTO(arena_free) struct arena *mem = arena_new(LIMIT_ANSWER_ARENA_BYTES), *scratch = arena_new(LIMIT_PART_ARENA_BYTES);
        struct query_parts q = {.campaign = span_str(id), .after = span_str(after)}, piece = {.n = 0};
        buf_reset(&k->request);
        enum err e = mem && scratch ? query_parts_encode(&q, &k->request) : ERR_NOMEM;
        if (!e && !ask_call(k, RPC_CONSOLE_PARTS)) return false;
        if (!e) e = query_parts_decode(buf_span(&k->reply), mem, &piece);
        if (!e && !after[0]) e = bundle_add(to, SPAN_LIT("order"), piece.order);
        for (size_t i = 0; i < piece.n && !e; i++) {
            arena_reset(scratch);
            e = add_part(to, r, scratch, &piece.parts[i]);
        }
        if (e) {
            ask_failed(k, e);
            return false;
        }
        snprintf(after, sizeof after, "%.*s", (int)piece.last.n, piece.last.p);
    } while (after[0]);
    return true;
}

/* Does the answer whose bytes these are come out again?  *out is it. */
static enum err merge_again(struct remerge *r, enum query_kind kind, struct span bytes, struct arena *mem, struct answer *out) {
    struct buf again;
    buf_init(&again, 0);
    enum err e = query_decode_answer(kind, bytes, mem, out);
    if (!e) e = remerge_answer(r, kind, out);
    if (!e) e = query_encode_answer(kind, out, &again);
    if (!e && !span_eq(buf_span(&again), bytes)) e = ERR_DAMAGED;
    buf_done(&again);
    return e;
}

static bool add_answer(struct ask *k, const char *id, struct span tool, struct buf *to, struct remerge *r) {
    const struct tool *t = catalog_find(tool);
    struct query q;
    struct answer answer;
    enum query_kind kind = remerge_question(t ? t->kind : RESULT_EVENTS, &q);
    q.campaign = span_str(id);
    enum rpc_method method = kind == QUERY_HIST ? RPC_CONSOLE_HIST : kind == QUERY_STACKS ? RPC_CONSOLE_STACKS : RPC_CONSOLE_EVENTS;
    if (!ask_query(k, kind, &q) || !ask_call(k, method)) return false;
    enum err e = merge_again(r, kind, buf_span(&k->reply), k->mem, &answer);
    if (e == ERR_DAMAGED) args_complain(k->verb, "the collector's answer is not what its parts say: nothing was written");
    if (e && e != ERR_DAMAGED) ask_failed(k, e);
    return !e && add(k, to, "answer", buf_span(&k->reply));
}

static bool make(struct ask *k, const char *id, struct buf *to) {
    AUTO(remerge_free) struct remerge *r = remerge_new(k->mem);
    struct campaign_detail d;
    struct query q = {.campaign = span_str(id)};
    if (!r || bundle_begin(to)) return ask_failed(k, ERR_NOMEM) == EXIT_OK;
    if (!add_parts(k, id, to, r) || !ask_query(k, QUERY_REF, &q) || !ask_call(k, RPC_CONSOLE_SHOW)) return false;
    enum err e = query_decode_detail(buf_span(&k->reply), k->mem, &d);
    if (e) return ask_failed(k, e) == EXIT_OK;
    if (!d.info.ended_wall_ns) {
        args_complain(k->verb, "campaign %.12s has not ended: evidence does not change any more (trawl watch %.12s)", id, id);
        return false;
    }
    if (!add(k, to, "detail", buf_span(&k->reply)) || !add_answer(k, id, d.info.spec.tool, to, r)) return false;
    e = bundle_end(to);
    return e ? ask_failed(k, e) == EXIT_OK : true;
}

/* Its owner's alone: what tools print may be private. */
static bool save(const struct ask *k, const struct buf *bytes, const char *path) {
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "wb");
    bool good = f && fwrite(bytes->p, 1, bytes->n, f) == bytes->n && fflush(f) == 0 && fsync(fd) == 0;
    if (!good) args_complain(k->verb, "%s: %s", path, strerror(errno));
    if (f) fclose(f);
    if (!good && fd >= 0) unlink(path);
    return good;
}

int bundles_write(struct ask *k, const char *id, const char *path) {
    struct buf bytes;
    buf_init(&bytes, 0);
    bool good = make(k, id, &bytes) && save(k, &bytes, path);
    buf_done(&bytes);
    return good ? EXIT_OK : EXIT_FAILED;
}

/* ---- reading ---- */
struct reading {
    const char *path, *trust;
    struct arena *mem;
    struct remerge *r;
    struct span order, detail, answer;
    size_t parts, hosts;
    char host[LIMIT_NAME_BYTES + 1];
};

static bool refuse(const char *path, const char *why) {
    args_complain("merge", "%s: %s", path, why);
    return false;
}

static enum err take_part(struct reading *t, const struct bundle_piece *p, struct arena *scratch) {
    struct span host, rest;
    struct part_body body = {0};
    if (!span_cut(span_drop(p->name, sizeof PART_NAME - 1), ':', &host, &rest) || host.n > LIMIT_NAME_BYTES) return ERR_SYNTAX;
    arena_reset(scratch);
    enum err e = part_decode(p->bytes, scratch, &body);
    if (!e) e = remerge_add(t->r, host, &body);
    t->parts++;
    t->hosts += !span_eq_str(host, t->host);
    snprintf(t->host, sizeof t->host, "%.*s", (int)host.n, host.p);
    return e;
}

static enum err take_piece(struct reading *t, const struct bundle_piece *p, struct arena *scratch) {
    if (span_starts(p->name, SPAN_LIT(PART_NAME))) return take_part(t, p, scratch);
    struct span *to = span_eq_str(p->name, "order")    ? &t->order
                      : span_eq_str(p->name, "detail") ? &t->detail
                      : span_eq_str(p->name, "answer") ? &t->answer
                                                       : NULL;
    if (to) *to = p->bytes; /* others are of a trawl to come */
    return ERR_OK;
}

static bool take_all(struct reading *t, struct span whole) {
    AUTO(arena_free) struct arena *scratch = arena_new(LIMIT_PART_ARENA_BYTES);
    struct bundle b;
    struct bundle_piece piece;
    struct bundle_fault fault = {.what = NULL};
    enum err e = scratch ? bundle_open(whole, &b, &fault) : ERR_NOMEM;
    while (!e) {
        e = bundle_next(&b, &piece, &fault);
        if (!e && (e = take_piece(t, &piece, scratch)) != ERR_OK) fault = (struct bundle_fault){b.at, piece.name, err_text(e)};
    }
    if (e == ERR_AGAIN) return true;
    if (!fault.what) return refuse(t->path, err_text(e));
    args_complain("merge", "%s: byte %zu%s%.*s: %s", t->path, fault.at, fault.name.n ? ", " : "", (int)fault.name.n, fault.name.p,
                  fault.what);
    return false;
}

/* Is the order that of the campaign, and, when there is a CA, signed by one of its operators at the time? */
static bool check_order(const struct reading *t, const struct answer *a, char *signer, size_t size) {
    AUTO(sign_trust_free) struct trust *operators = NULL;
    struct signed_order so;
    struct spec spec;
    struct identity who;
    char why[WHY_BYTES] = "", fleet[LIMIT_NAME_BYTES + 1], hex[2 * CAMPAIGN_ID_BYTES + 1];
    if (spec_decode_signed(t->order, t->mem, &so) != ERR_OK || spec_decode(so.spec, t->mem, &spec) != ERR_OK)
        return refuse(t->path, "its order does not read");
    part_campaign_hex(&spec.campaign, hex);
    if (!span_eq_str(a->info.id, hex)) return refuse(t->path, "its order is that of another campaign");
    if (!t->trust) return true;
    if (sign_trust_load(t->trust, NULL, why, sizeof why, &operators) != ERR_OK) return refuse(t->trust, why);
    snprintf(fleet, sizeof fleet, "%.*s", (int)spec.fleet.n, spec.fleet.p);
    const struct order_check check = {.operators = operators, .fleet = fleet, .wall_ns = spec.issued_wall_ms * NS_PER_MS};
    if (order_verify_signer(&so, ORDER_DOMAIN, &check, why, sizeof why, &who) != ERR_OK) return refuse(t->path, why);
    snprintf(signer, size, "%s", who.name);
    return true;
}

static bool check_answer(struct reading *t, struct bundle_answer *out) {
    struct campaign_detail d;
    struct query q;
    if (!t->order.p || !t->detail.p || !t->answer.p) return refuse(t->path, "the order, the detail or the answer is missing");
    if (query_decode_detail(t->detail, t->mem, &d) != ERR_OK) return refuse(t->path, "its detail does not read");
    const struct tool *tool = catalog_find(d.info.spec.tool);
    out->kind = remerge_question(tool ? tool->kind : RESULT_EVENTS, &q);
    enum err e = merge_again(t->r, out->kind, t->answer, t->mem, &out->answer);
    if (e == ERR_DAMAGED) return refuse(t->path, "its parts do not merge to its answer");
    if (e) return refuse(t->path, err_text(e));
    if (!remerge_adds_up(&out->answer, &d)) return refuse(t->path, "its coverage or ledger is not that of its hosts");
    out->parts = t->parts;
    out->hosts = t->hosts;
    out->bytes = t->answer.n;
    return check_order(t, &out->answer, out->signer, sizeof out->signer);
}

bool bundles_read(const char *path, const char *trust, struct arena *mem, struct bundle_answer *out) {
    AUTO(remerge_free) struct remerge *r = remerge_new(mem);
    struct reading t = {.path = path, .trust = trust, .mem = mem, .r = r};
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    void *whole = MAP_FAILED;
    *out = (struct bundle_answer){.parts = 0};
    if (!r) return refuse(path, err_text(ERR_NOMEM));
    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0)
        whole = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    int error = errno;
    if (fd >= 0) close(fd);
    if (whole == MAP_FAILED) return refuse(path, fd < 0 ? strerror(error) : "it is empty, or no ordinary file");
    bool good = take_all(&t, span_of(whole, (size_t)st.st_size)) && check_answer(&t, out);
    munmap(whole, (size_t)st.st_size);
    return good;
}
