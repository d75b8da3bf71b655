#include "common/net/gate.h"

#include <stdlib.h>
#include <string.h>

struct gate_source {
    struct gate_source *next, **at;
    char key[GATE_SOURCE_BYTES];
    unsigned waiting;
    struct gate_place *first, **last; /* who has waited longest is first */
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
    *out_goes = heaviest->first;
    return true;
}

enum err gate_enter(struct gate *g, const nng_sockaddr *from, struct gate_place *p) {
    struct gate_source *s = find(g, from);
    if (!s) {
        s = calloc(1, sizeof *s);
        if (!s) return ERR_NOMEM;
        key_of(from, s->key);
        s->last = &s->first;
        s->next = g->sources;
        s->at = &g->sources;
        if (s->next) s->next->at = &s->next;
        g->sources = s;
    }
    *p = (struct gate_place){.at = s->last, .source = s};
    *s->last = p;
    s->last = &p->next;
    s->waiting++;
    g->waiting++;
    return ERR_OK;
}

void gate_leave(struct gate *g, struct gate_place *p) {
    struct gate_source *s = p->source;
    if (!s) return;
    *p->at = p->next;
    if (p->next)
        p->next->at = p->at;
    else
        s->last = p->at;
    p->source = NULL;
    g->waiting--;
    if (--s->waiting) return;
    *s->at = s->next;
    if (s->next) s->next->at = s->at;
    free(s);
}
