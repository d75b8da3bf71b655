#include "common/net/gate.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"

struct gate_source {
    struct gate_source *next, **at;
    struct gate_source *next_turn, **at_turn; /* at NULL: nobody of it waits for a turn */
    char key[GATE_SOURCE_BYTES];
    unsigned waiting;
    struct gate_list begun, queued;
};

static void key_of(const nng_sockaddr *from, char out[GATE_SOURCE_BYTES]) {
    memset(out, 0, GATE_SOURCE_BYTES);
    if (from->s_family == NNG_AF_INET) memcpy(out, &from->s_in.sa_addr, sizeof from->s_in.sa_addr);
    if (from->s_family == NNG_AF_INET6) memcpy(out, from->s_in6.sa_addr, GATE_SOURCE_BYTES);
}

static struct gate_source *find(const struct gate *g, const nng_sockaddr *from) {
    char key[GATE_SOURCE_BYTES];
    key_of(from, key);
    struct gate_source *s = g->sources;
    while (s && memcmp(s->key, key, sizeof key) != 0) s = s->next;
    return s;
}

bool gate_admits(const struct gate *g, const nng_sockaddr *from, unsigned most, unsigned most_of_one, struct gate_place **out_goes) {
    const struct gate_source *own = find(g, from), *heaviest = g->sources;
    unsigned has = own ? own->waiting : 0;
    *out_goes = NULL;
    if (has >= most_of_one) return false;
    if (g->waiting < most) return true;
    for (const struct gate_source *s = g->sources; s; s = s->next)
        if (s->waiting > heaviest->waiting) heaviest = s;
    if (!heaviest || heaviest->waiting <= has + 1) return false; /* nobody has more than it would have */
    *out_goes = heaviest->begun.first ? heaviest->begun.first : heaviest->queued.first;
    return true;
}

/* ---- lists ---- */
static void append(struct gate_list *l, struct gate_place *p) {
    if (!l->first) l->last = &l->first;
    p->next = NULL;
    p->at = l->last;
    *l->last = p;
    l->last = &p->next;
}

static void take_out(struct gate_list *l, struct gate_place *p) {
    *p->at = p->next;
    if (p->next)
        p->next->at = p->at;
    else
        l->last = p->at;
}

static void age(struct gate *g, struct gate_place *p) {
    if (!p->at_young) return;
    *p->at_young = p->next_young;
    if (p->next_young)
        p->next_young->at_young = p->at_young;
    else
        g->begun.last = p->at_young;
    p->at_young = NULL;
    g->young--;
}

static void take_turns(struct gate *g, struct gate_source *s) {
    if (s->at_turn) return;
    if (!g->turns) g->last_turn = &g->turns;
    s->next_turn = NULL;
    s->at_turn = g->last_turn;
    *g->last_turn = s;
    g->last_turn = &s->next_turn;
}

static void leave_turns(struct gate *g, struct gate_source *s) {
    if (!s->at_turn) return;
    *s->at_turn = s->next_turn;
    if (s->next_turn)
        s->next_turn->at_turn = s->at_turn;
    else
        g->last_turn = s->at_turn;
    s->at_turn = NULL;
}

/* ---- coming, beginning, going ---- */
enum err gate_enter(struct gate *g, const nng_sockaddr *from, uint64_t now_ns, struct gate_place *p) {
    struct gate_source *s = find(g, from);
    if (!s) {
        s = calloc(1, sizeof *s);
        if (!s) return ERR_NOMEM;
        key_of(from, s->key);
        s->next = g->sources;
        s->at = &g->sources;
        if (s->next) s->next->at = &s->next;
        g->sources = s;
    }
    *p = (struct gate_place){.source = s, .entered_ns = now_ns};
    append(&s->queued, p);
    take_turns(g, s);
    s->waiting++;
    g->waiting++;
    return ERR_OK;
}

static uint64_t old_at(const struct gate_place *p) { return p->begun_ns + GATE_YOUNG_MS * NS_PER_MS; }

static struct gate_place *choose(const struct gate_list *queued, uint64_t now_ns, uint64_t patience_ns) {
    uint64_t waited_ns = now_ns - queued->first->entered_ns;
    bool passed_over = waited_ns >= GATE_STALE_MS * NS_PER_MS && waited_ns < patience_ns;
    return passed_over ? container_of(queued->last, struct gate_place, next) : queued->first;
}

struct gate_place *gate_next(struct gate *g, uint64_t now_ns, uint64_t patience_ns) {
    while (g->begun.first && now_ns >= old_at(g->begun.first)) age(g, g->begun.first);
    struct gate_source *s = g->turns;
    if (!s || g->young >= GATE_AT_ONCE) return NULL;
    struct gate_place *p = choose(&s->queued, now_ns, patience_ns);
    leave_turns(g, s);
    take_out(&s->queued, p);
    if (s->queued.first) take_turns(g, s); /* behind the others */
    append(&s->begun, p);
    p->begun = true;
    p->begun_ns = now_ns;
    if (!g->begun.first) g->begun.last = &g->begun.first;
    p->next_young = NULL;
    p->at_young = g->begun.last;
    *g->begun.last = p;
    g->begun.last = &p->next_young;
    g->young++;
    return p;
}

uint64_t gate_again_ns(const struct gate *g) { return g->turns && g->begun.first ? old_at(g->begun.first) : 0; }

void gate_leave(struct gate *g, struct gate_place *p) {
    struct gate_source *s = p->source;
    if (!s) return;
    age(g, p);
    take_out(p->begun ? &s->begun : &s->queued, p);
    if (!s->queued.first) leave_turns(g, s);
    p->source = NULL;
    g->waiting--;
    if (--s->waiting) return;
    *s->at = s->next;
    if (s->next) s->next->at = s->at;
    free(s);
}
