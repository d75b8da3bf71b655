#include "common/merge/hist_merge.h"

#include <stdlib.h>

#include "common/base/buf.h"
#include "common/base/map.h"
#include "common/base/num.h"

/* One unit, scale and section.  text holds the bytes of hist's spans. */
struct merged {
    struct hist hist;
    char *text;
    size_t cap_slots;
};

struct hist_merge {
    struct map *index; /* key → all[] */
    struct merged *all;
    size_t n, cap, bytes;
};

struct hist_merge *hist_merge_new(void) {
    AUTO(hist_merge_free) struct hist_merge *m = calloc(1, sizeof *m);
    if (!m) return NULL;
    m->index = map_new();
    if (!m->index) return NULL;
    return TAKE(m);
}

void hist_merge_free(struct hist_merge *m) {
    if (!m) return;
    for (size_t i = 0; i < m->n; i++) {
        free(m->all[i].text);
        free(m->all[i].hist.slots);
    }
    free(m->all);
    map_free(m->index);
    free(m);
}

static int label_cmp(const struct label *a, const struct label *b) {
    int c = span_cmp(a->key, b->key);
    return c ? c : span_cmp(a->value, b->value);
}

/* Flavours of a tool print the labels of a section in different orders. */
static void sort_section(struct hist *h) {
    for (size_t i = 1; i < h->n_section; i++)
        for (size_t j = i; j > 0 && label_cmp(&h->section[j - 1], &h->section[j]) > 0; j--) {
            struct label l = h->section[j];
            h->section[j] = h->section[j - 1];
            h->section[j - 1] = l;
        }
}

static void add_text(struct buf *key, struct span s) {
    buf_add(key, span_of((const char *)&s.n, sizeof s.n));
    buf_add(key, s);
}

/* What two histograms must share to be added up. */
static enum err make_key(const struct hist *h, struct buf *key) {
    buf_add_char(key, (char)('0' + h->scale));
    add_text(key, h->unit);
    for (size_t i = 0; i < h->n_section; i++) {
        add_text(key, h->section[i].key);
        add_text(key, h->section[i].value);
    }
    return buf_failed(key);
}

static struct span copy_text(char **to, struct span s) {
    char *p = *to;
    if (s.n) memcpy(p, s.p, s.n);
    *to += s.n;
    return span_of(p, s.n);
}

/* A new, empty entry for h's kind, in the array but not yet counted.  ERR_NOMEM leaves nothing behind. */
static enum err make_merged(struct hist_merge *m, const struct hist *h, struct merged **out) {
    if (m->n == m->cap) {
        size_t cap = m->cap ? m->cap * 2 : 8;
        struct merged *all = reallocarray(m->all, cap, sizeof *all);
        if (!all) return ERR_NOMEM;
        m->bytes += (cap - m->cap) * sizeof *all;
        m->all = all;
        m->cap = cap;
    }
    size_t bytes = h->unit.n;
    for (size_t i = 0; i < h->n_section; i++) bytes += h->section[i].key.n + h->section[i].value.n;
    char *text = malloc(bytes ? bytes : 1);
    if (!text) return ERR_NOMEM;
    struct merged *new = &m->all[m->n];
    *new = (struct merged){.text = text, .hist = {.scale = h->scale, .n_section = h->n_section}};
    char *to = text;
    new->hist.unit = copy_text(&to, h->unit);
    for (size_t i = 0; i < h->n_section; i++)
        new->hist.section[i] = (struct label){copy_text(&to, h->section[i].key), copy_text(&to, h->section[i].value)};
    *out = new;
    return ERR_OK;
}

static bool well_formed(const struct hist *h) {
    for (size_t i = 0; i < h->n_slots; i++) {
        if (h->slots[i].low > h->slots[i].high) return false;
        if (i && h->slots[i].low <= h->slots[i - 1].high) return false;
    }
    return true;
}

/* How many slots of b are not among a's.  False when one overlaps without being equal. */
static bool agree(const struct hist *a, const struct hist *b, size_t *out_new) {
    size_t n_new = 0, i = 0;
    for (size_t j = 0; j < b->n_slots; j++) {
        const struct hist_slot *s = &b->slots[j];
        while (i < a->n_slots && a->slots[i].high < s->low) i++;
        if (i == a->n_slots || a->slots[i].low > s->high)
            n_new++;
        else if (a->slots[i].low != s->low || a->slots[i].high != s->high)
            return false;
    }
    *out_new = n_new;
    return true;
}

static enum err reserve(struct hist_merge *m, struct merged *a, size_t more) {
    size_t want = a->hist.n_slots + more;
    if (want <= a->cap_slots) return ERR_OK;
    size_t cap = a->cap_slots * 2 > want ? a->cap_slots * 2 : want;
    struct hist_slot *slots = reallocarray(a->hist.slots, cap, sizeof *slots);
    if (!slots) return ERR_NOMEM;
    m->bytes += (cap - a->cap_slots) * sizeof *slots;
    a->hist.slots = slots;
    a->cap_slots = cap;
    return ERR_OK;
}

/* Both ascending and in agreement, room reserved: merged from the end, in place. */
static void add_slots(struct hist *a, const struct hist *b, size_t n_new) {
    size_t i = a->n_slots, j = b->n_slots, to = a->n_slots + n_new;
    a->n_slots = to;
    while (j > 0) {
        const struct hist_slot *s = &b->slots[j - 1];
        if (i > 0 && a->slots[i - 1].low > s->low) {
            a->slots[--to] = a->slots[--i];
        } else if (i > 0 && a->slots[i - 1].low == s->low) {
            struct hist_slot sum = a->slots[--i];
            sum.count = num_sat_add(sum.count, s->count);
            a->slots[--to] = sum;
            j--;
        } else {
            a->slots[--to] = *s;
            j--;
        }
    }
}

static enum err add_new_kind(struct hist_merge *m, const struct hist *h, struct span key) {
    struct merged *new = NULL;
    enum err e = make_merged(m, h, &new);
    if (e) return e;
    e = reserve(m, new, h->n_slots);
    if (!e) e = map_put(m->index, key, m->n);
    if (e) {
        m->bytes -= new->cap_slots * sizeof *new->hist.slots;
        free(new->hist.slots);
        free(new->text);
        return e;
    }
    m->bytes += 2 * key.n; /* its text, and the map's copy of the key */
    add_slots(&new->hist, h, h->n_slots);
    m->n++;
    return ERR_OK;
}

enum err hist_merge_add(struct hist_merge *m, const struct hist *h) {
    if (!well_formed(h)) return ERR_REFUSED;
    struct hist sorted = *h;
    sort_section(&sorted);
    struct buf key;
    buf_init(&key, 0);
    enum err e = make_key(&sorted, &key);
    if (!e) {
        const uint64_t *at = map_get(m->index, buf_span(&key));
        size_t n_new = 0;
        if (!at)
            e = add_new_kind(m, &sorted, buf_span(&key));
        else if (!agree(&m->all[*at].hist, h, &n_new))
            e = ERR_REFUSED;
        else if (!(e = reserve(m, &m->all[*at], n_new)))
            add_slots(&m->all[*at].hist, h, n_new);
    }
    buf_done(&key);
    return e;
}

static int by_section(const void *pa, const void *pb) {
    const struct hist *a = pa, *b = pb;
    for (size_t i = 0; i < a->n_section && i < b->n_section; i++) {
        int c = label_cmp(&a->section[i], &b->section[i]);
        if (c) return c;
    }
    if (a->n_section != b->n_section) return a->n_section < b->n_section ? -1 : 1;
    int c = span_cmp(a->unit, b->unit);
    return c ? c : (int)a->scale - (int)b->scale;
}

static enum err copy_hist(const struct hist *from, struct arena *mem, struct hist *out) {
    struct hist h = *from;
    h.unit = arena_copy(mem, from->unit);
    h.interval = SPAN_LIT("");
    h.slots = arena_array(mem, h.n_slots ? h.n_slots : 1, sizeof *h.slots);
    if (!h.unit.p || !h.slots) return ERR_NOMEM;
    for (size_t i = 0; i < h.n_section; i++) {
        h.section[i] = (struct label){arena_copy(mem, from->section[i].key), arena_copy(mem, from->section[i].value)};
        if (!h.section[i].key.p || !h.section[i].value.p) return ERR_NOMEM;
    }
    if (h.n_slots) memcpy(h.slots, from->slots, h.n_slots * sizeof *h.slots);
    *out = h;
    return ERR_OK;
}

static enum err copy_all(const struct hist_merge *m, struct arena *mem, struct hist_set *out) {
    struct hist_set set = {.hists = arena_array(mem, m->n ? m->n : 1, sizeof *set.hists), .n = m->n};
    if (!set.hists) return ERR_NOMEM;
    for (size_t i = 0; i < m->n; i++) {
        enum err e = copy_hist(&m->all[i].hist, mem, &set.hists[i]);
        if (e) return e;
    }
    qsort(set.hists, set.n, sizeof *set.hists, by_section);
    *out = set;
    return ERR_OK;
}

enum err hist_merge_get(const struct hist_merge *m, bool drop_sections, struct arena *mem, struct hist_set *out) {
    if (!drop_sections) return copy_all(m, mem, out);
    AUTO(hist_merge_free) struct hist_merge *whole = hist_merge_new();
    if (!whole) return ERR_NOMEM;
    for (size_t i = 0; i < m->n; i++) {
        struct hist h = m->all[i].hist;
        h.n_section = 0;
        enum err e = hist_merge_add(whole, &h);
        if (e) return e;
    }
    return copy_all(whole, mem, out);
}

bool hist_merge_only(const struct hist_merge *m, struct hist *out) {
    if (m->n != 1) return false;
    *out = m->all[0].hist;
    out->interval = SPAN_LIT("");
    return true;
}

size_t hist_merge_bytes(const struct hist_merge *m) { return sizeof *m + m->bytes; }
