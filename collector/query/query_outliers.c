#include <math.h>

#include "collector/query/query_body.h"
#include "common/base/map.h"
#include "common/base/num.h"
#include "common/catalog/catalog.h"
#include "common/merge/outliers.h"

enum { PROFILE_MIN = 20 };    /* samples that a host's profile needs to be one */
#define PROFILE_NEAR     0.01 /* profiles are never nearer to each other than this */
#define PROFILE_VARIANCE 0.02

static const struct outliers_rule rule = {.rate = 0.05, .least = 0.5};

/* One host as it is compared, by what its tool prints. */
struct subject {
    struct span host;
    struct hist hist;
    uint64_t rows;
    /* stacks */
    uint64_t *frames; /* samples by leaf frame */
    size_t n_frames;
    uint64_t samples;
    struct span frame; /* the one that stands out, and how much */
    double times;
};

struct outliers_work {
    struct query_work *w;
    struct map *groups; /* label's value → number */
    struct span *group_names;
    size_t cap_names;
    struct subject *subjects;
    struct outlier_host *hosts;
    struct hist_set *wholes; /* by cluster */
    size_t n;
};

/* ---- who is compared with whom ---- */
static struct span group_of(const struct query_work *w, struct span host) {
    struct span label = w->of->query->by.n ? w->of->query->by : SPAN_LIT("role");
    const struct fleet_host *h = w->of->fleet ? fleet_find(w->of->fleet, host) : NULL;
    for (size_t i = 0; h && i < h->facts.n_labels; i++)
        if (span_eq(h->facts.labels[i].key, label)) return h->facts.labels[i].value;
    return SPAN_LIT("");
}

/* Hosts without the label are looked through for clusters. */
static enum err add_subject(struct outliers_work *t, const struct subject *s, double at, double variance) {
    struct span value = group_of(t->w, s->host);
    const uint64_t *known = map_get(t->groups, value);
    uint64_t group = known ? *known : map_count(t->groups);
    enum err e = ERR_OK;
    if (!known) {
        e = arena_grow(t->w->mem, &t->group_names, &t->cap_names, group + 1, sizeof *t->group_names);
        if (e == ERR_OK) e = map_put(t->groups, value, group);
        if (e == ERR_OK) t->group_names[group] = value;
    }
    if (e != ERR_OK) return e;
    t->subjects[t->n] = *s;
    t->hosts[t->n++] = (struct outlier_host){.at = at, .variance = variance, .group = (uint32_t)group, .split = value.n == 0};
    return ERR_OK;
}

/* ---- words ---- */
static void time_text(double v, struct span unit, char *out, size_t size) {
    double ns = v * hist_unit_ns(unit);
    if (ns >= 1e9)
        snprintf(out, size, "%.3g s", ns / 1e9);
    else if (ns >= 1e6)
        snprintf(out, size, "%.3g ms", ns / 1e6);
    else if (ns >= 1e3)
        snprintf(out, size, "%.3g us", ns / 1e3);
    else
        snprintf(out, size, "%.3g %.*s", v, (int)unit.n, unit.p);
}

static void write_sentence(struct answer_outlier *o, bool profile, char *out, size_t size) {
    char low[40], high[40];
    int n = snprintf(out, size, "%.*s: ", (int)o->host.n, o->host.p);
    size_t at = n > 0 ? (size_t)n : 0;
    if (o->times > 0 && o->name.n)
        n = snprintf(out + at, size - at, "%.2g× its peers in %.*s, ", o->times, (int)(o->name.n < 100 ? o->name.n : 100), o->name.p);
    else if (o->times > 0 && o->high == HIST_OPEN) {
        time_text((double)o->low, o->unit, low, sizeof low);
        n = snprintf(out + at, size - at, "%.2g× its peers from %s on, ", o->times, low);
    } else if (o->times > 0 && o->unit.n) {
        time_text((double)o->low, o->unit, low, sizeof low);
        time_text((double)o->high + 1, o->unit, high, sizeof high);
        n = snprintf(out + at, size - at, "%.2g× its peers in %s – %s, ", o->times, low, high);
    } else if (o->times > 0)
        n = snprintf(out + at, size - at, "%.2g× the events of its peers, ", o->times);
    else
        n = 0;
    at += n > 0 ? (size_t)n : 0;
    if (at < size)
        snprintf(out + at, size - at,
                 profile ? "its profile %.1f octaves farther from theirs than is usual, q=%.2g" : "%+.1f octaves, q=%.2g", o->octaves,
                 o->q);
}

static int farthest_first(const void *a, const void *b) {
    const struct answer_outlier *x = a, *y = b;
    double dx = fabs(x->octaves), dy = fabs(y->octaves);
    return dx > dy ? -1 : dx < dy ? 1 : span_cmp(x->host, y->host);
}

/* What stands out about subject i, for the sentence. */
typedef enum err describe_fn(struct outliers_work *t, size_t i, struct answer_outlier *out);

static enum err give(struct outliers_work *t, const char *what, describe_fn *describe) {
    struct answer *a = t->w->a;
    bool profile = strcmp(what, "stacks") == 0;
    struct span label = t->w->of->query->by.n ? t->w->of->query->by : SPAN_LIT("role");
    a->outliers = arena_array(t->w->mem, t->n + 1, sizeof *a->outliers);
    if (!a->outliers) return ERR_NOMEM;
    for (size_t i = 0; i < t->n; i++) {
        const struct outlier_host *h = &t->hosts[i];
        char text[LIMIT_NOTE_BYTES], group[2 * LIMIT_LABEL_BYTES] = "";
        struct span value = t->group_names[h->group];
        a->tested += h->q < 1 || h->peers + 1 >= OUTLIERS_PEERS_MIN;
        if (!h->found) continue;
        struct answer_outlier *o = &a->outliers[a->n_outliers++];
        if (value.n) snprintf(group, sizeof group, "%.*s=%.*s", (int)label.n, label.p, (int)value.n, value.p);
        *o = (struct answer_outlier){.host = t->subjects[i].host,
                                     .group = arena_copy(t->w->mem, span_str(group)),
                                     .octaves = h->octaves,
                                     .q = h->q,
                                     .unit = SPAN_LIT(""),
                                     .what = span_str(what),
                                     .name = SPAN_LIT(""),
                                     .peers = h->peers};
        enum err e = describe(t, i, o);
        if (e != ERR_OK) return e;
        write_sentence(o, profile, text, sizeof text);
        o->sentence = arena_copy(t->w->mem, span_str(text));
        if (!o->sentence.p || !o->group.p) return ERR_NOMEM;
    }
    qsort(a->outliers, a->n_outliers, sizeof *a->outliers, farthest_first);
    return ERR_OK;
}

/* "role=db: 40 hosts, centre …" is said of every cluster. */
static enum err give_groups(struct outliers_work *t) {
    struct answer *a = t->w->a;
    struct span label = t->w->of->query->by.n ? t->w->of->query->by : SPAN_LIT("role");
    AUTO_FREE uint32_t *hosts = calloc(t->n + 1, sizeof *hosts), *first = calloc(t->n + 1, sizeof *first);
    a->groups_compared = arena_array(t->w->mem, t->n + 1, sizeof *a->groups_compared);
    if (!hosts || !first || !a->groups_compared) return ERR_NOMEM;
    for (size_t i = 0; i < t->n; i++)
        if (hosts[t->hosts[i].cluster]++ == 0) first[t->hosts[i].cluster] = (uint32_t)i;
    for (size_t c = 0; c < t->n; c++) {
        char text[LIMIT_NOTE_BYTES];
        if (!hosts[c]) continue;
        struct span value = t->group_names[t->hosts[first[c]].group];
        if (value.n)
            snprintf(text, sizeof text, "%.*s=%.*s: %u hosts%s", (int)label.n, label.p, (int)value.n, value.p, hosts[c],
                     hosts[c] < OUTLIERS_PEERS_MIN ? ", too few to tell" : "");
        else
            snprintf(text, sizeof text, "without %.*s, around 2^%.1f: %u hosts%s", (int)label.n, label.p, t->hosts[first[c]].centre,
                     hosts[c], hosts[c] < OUTLIERS_PEERS_MIN ? ", too few to tell" : "");
        struct span copy = arena_copy(t->w->mem, span_str(text));
        if (!copy.p) return ERR_NOMEM;
        a->groups_compared[a->n_groups_compared++] = copy;
    }
    return ERR_OK;
}

static enum err judge(struct outliers_work *t, const struct outliers_rule *by, const char *what, describe_fn *describe) {
    enum err e = outliers_find(t->hosts, t->n, by);
    if (e == ERR_OK) e = give(t, what, describe);
    return e == ERR_OK ? give_groups(t) : e;
}

/* ---- histograms ---- */
/* The histograms of a cluster's hosts in one, made when the first of them is described. */
static enum err whole_of(struct outliers_work *t, uint32_t cluster) {
    if (t->wholes[cluster].n) return ERR_OK;
    AUTO(hist_merge_free) struct hist_merge *m = hist_merge_new();
    if (!m) return ERR_NOMEM;
    for (size_t k = 0; k < t->n; k++) {
        struct hist h = t->subjects[k].hist;
        if (t->hosts[k].cluster != cluster) continue;
        h.n_section = 0;
        enum err e = hist_merge_add(m, &h);
        if (e == ERR_NOMEM) return e;
    }
    return hist_merge_get(m, true, t->w->mem, &t->wholes[cluster]);
}

/* whole without what h has; in mem. */
static enum err without(const struct hist *whole, const struct hist *h, struct arena *mem, struct hist *out) {
    *out = *whole;
    out->slots = arena_array(mem, whole->n_slots + 1, sizeof *out->slots);
    if (!out->slots) return ERR_NOMEM;
    memcpy(out->slots, whole->slots, whole->n_slots * sizeof *out->slots);
    for (size_t i = 0, k = 0; i < out->n_slots && k < h->n_slots; i++) {
        if (out->slots[i].low != h->slots[k].low) continue;
        out->slots[i].count -= h->slots[k].count < out->slots[i].count ? h->slots[k].count : out->slots[i].count;
        k++;
    }
    return ERR_OK;
}

static enum err describe_hist(struct outliers_work *t, size_t i, struct answer_outlier *out) {
    const struct hist *mine = &t->subjects[i].hist;
    struct hist_slot slot = {0};
    enum err e = whole_of(t, t->hosts[i].cluster);
    const struct hist_set *whole = &t->wholes[t->hosts[i].cluster];
    out->unit = mine->unit;
    for (size_t p = 0; e == ERR_OK && p < whole->n; p++) {
        struct hist peers;
        if (whole->hists[p].scale != mine->scale || !span_eq(whole->hists[p].unit, mine->unit)) continue;
        e = without(&whole->hists[p], mine, t->w->mem, &peers);
        if (e != ERR_OK || !outliers_slot(mine, &peers, &slot, &out->times)) continue;
        out->low = slot.low;
        out->high = slot.high;
    }
    return e;
}

static enum err fill_hists(struct outliers_work *t) {
    struct query_work *w = t->w;
    enum err e = query_hist_hosts(w);
    for (size_t i = 0; e == ERR_OK && i < w->a->n_host_hists; i++) {
        const struct host_hist *h = &w->a->host_hists[i];
        struct subject s = {.host = h->host};
        double at, variance;
        if (h->hists.n == 0) continue;
        s.hist = h->hists.hists[0];
        if (outliers_place(&s.hist, &at, &variance)) e = add_subject(t, &s, at, variance);
    }
    w->a->merged = (struct hist_set){0};
    return e == ERR_OK ? judge(t, &rule, "latency", describe_hist) : e;
}

/* ---- rates of events ---- */
struct counted {
    struct map *by_host;
    struct subject *subjects;
};

static enum err count_rows(void *arg, const struct where_source *from, const struct events *e) {
    struct counted *c = arg;
    const uint64_t *at = map_get(c->by_host, from->host);
    if (at) c->subjects[*at].rows += e->n_rows;
    return ERR_OK;
}

static enum err describe_rate(struct outliers_work *t, size_t i, struct answer_outlier *out) {
    out->times = exp2(t->hosts[i].octaves);
    return ERR_OK;
}

/* Every host whose capture came whole has a rate, though it may be nothing. */
static enum err fill_rates(struct outliers_work *t) {
    const struct campaign *c = t->w->of->campaign;
    AUTO(map_free) struct map *by_host = map_new();
    struct counted counted = {.by_host = by_host, .subjects = arena_array(t->w->mem, c->n_targets + 1, sizeof *counted.subjects)};
    enum err e = by_host && counted.subjects ? ERR_OK : ERR_NOMEM;
    for (size_t i = 0; e == ERR_OK && i < c->n_targets; i++) {
        struct span host = span_str(c->targets[i].host);
        if (c->targets[i].coverage != COVERAGE_OK || !query_rows_on(t->w, host)) continue;
        counted.subjects[map_count(by_host)].host = host;
        e = map_put(by_host, host, map_count(by_host));
    }
    if (e == ERR_OK) e = query_rows(t->w, count_rows, &counted);
    for (size_t i = 0; e == ERR_OK && i < map_count(by_host); i++) {
        double rows = (double)counted.subjects[i].rows + 0.5;
        e = add_subject(t, &counted.subjects[i], log2(rows), 1 / (rows * M_LN2 * M_LN2));
    }
    return e == ERR_OK ? judge(t, &rule, "rate", describe_rate) : e;
}

/* ---- profiles ---- */
struct profiles {
    struct outliers_work *t;
    struct arena *scratch;
    struct strings names; /* of leaf frames */
    struct subject *subjects;
    size_t n, cap;
    uint64_t *all; /* by frame, over all hosts */
    size_t cap_all;
    uint64_t samples;
};

static enum err on_profile(void *arg, const struct store_part *p) {
    struct profiles *t = arg;
    struct part_body body = {0};
    struct arena *mem = t->t->w->mem;
    if (!query_wants(t->t->w, p) || !query_rows_on(t->t->w, p->key.host)) return ERR_OK;
    arena_reset(t->scratch);
    enum err e = store_decode(p, t->scratch, &body);
    if (e != ERR_OK) return query_unreadable(t->t->w, p, e);
    if (body.kind != RESULT_STACKS) return ERR_OK;
    if (!t->n || !span_eq(t->subjects[t->n - 1].host, p->key.host)) {
        e = arena_grow(mem, &t->subjects, &t->cap, t->n + 1, sizeof *t->subjects);
        if (e != ERR_OK) return e;
        t->subjects[t->n++] = (struct subject){.host = arena_copy(mem, p->key.host)};
        if (!t->subjects[t->n - 1].host.p) return ERR_NOMEM;
    }
    struct subject *s = &t->subjects[t->n - 1];
    for (size_t i = 0; i < body.stacks.n_rows; i++) {
        const struct stack_row *row = &body.stacks.rows[i];
        uint32_t frame = 0;
        e = strings_add(&t->names, body.stacks.strings.text[body.stacks.nodes[row->leaf].frame], &frame);
        if (e == ERR_OK) e = arena_grow(mem, &s->frames, &s->n_frames, frame + 1, sizeof *s->frames);
        if (e == ERR_OK) e = arena_grow(mem, &t->all, &t->cap_all, frame + 1, sizeof *t->all);
        if (e != ERR_OK) return e;
        s->frames[frame] = num_sat_add(s->frames[frame], row->count);
        s->samples = num_sat_add(s->samples, row->count);
        t->all[frame] = num_sat_add(t->all[frame], row->count);
        t->samples = num_sat_add(t->samples, row->count);
    }
    return ERR_OK;
}

/* Hellinger's distance between a host's profile and that of all the others, without what so few samples would make of it. */
static double distance(const struct profiles *p, const struct subject *s, uint32_t *out_frame, double *out_times) {
    double others = (double)(p->samples - s->samples) + 1, mine = (double)s->samples, sum = 0, best = 0, frames = 0;
    *out_times = 0;
    for (uint32_t f = 0; f < p->names.n && f < p->cap_all; f++) {
        double a = f < s->n_frames ? (double)s->frames[f] / mine : 0, b = ((double)p->all[f] - a * mine + 0.5) / others;
        if (p->all[f] == 0) continue;
        frames++;
        sum += (sqrt(a) - sqrt(b)) * (sqrt(a) - sqrt(b)) / 2;
        if (a <= b || a * log2(a / b) <= best) continue;
        best = a * log2(a / b);
        *out_frame = f;
        *out_times = a / b;
    }
    return sqrt(fmax(sum - frames / (8 * mine), 0) + PROFILE_NEAR * PROFILE_NEAR);
}

static enum err describe_profile(struct outliers_work *t, size_t i, struct answer_outlier *out) {
    out->times = t->subjects[i].times;
    out->name = t->subjects[i].frame;
    return ERR_OK;
}

static enum err fill_profiles(struct outliers_work *t) {
    static const struct outliers_rule farther = {.rate = 0.05, .least = 0.5, .above_only = true};
    struct profiles p = {.t = t, .scratch = arena_new(LIMIT_PART_ARENA_BYTES)};
    enum err e = p.scratch ? strings_init(&p.names, t->w->mem) : ERR_NOMEM;
    if (e == ERR_OK) e = store_parts(t->w->of->store, &t->w->of->campaign->id, SPAN_NONE, on_profile, &p);
    for (size_t i = 0; e == ERR_OK && i < p.n; i++) {
        struct subject *s = &p.subjects[i];
        uint32_t frame = 0;
        if (s->samples < PROFILE_MIN) continue;
        double away = distance(&p, s, &frame, &s->times);
        s->frame = p.names.text[frame];
        e = add_subject(t, s, log2(away), PROFILE_VARIANCE);
    }
    arena_free(p.scratch);
    return e == ERR_OK ? judge(t, &farther, "stacks", describe_profile) : e;
}

enum rpc_status query_outliers_fill(struct query_work *w) {
    size_t room = w->of->campaign->n_targets + aggregate_n_hosts(w->of->aggregate) + 1;
    struct outliers_work t = {.w = w, .groups = map_new()};
    t.subjects = arena_array(w->mem, room, sizeof *t.subjects);
    t.hosts = arena_array(w->mem, room, sizeof *t.hosts);
    t.wholes = arena_array(w->mem, room, sizeof *t.wholes);
    enum err e = t.groups && t.subjects && t.hosts && t.wholes ? ERR_OK : ERR_NOMEM;
    const struct tool *tool = catalog_find(w->of->campaign->spec.tool);
    if (e == ERR_OK && tool) {
        if (tool->kind == RESULT_HISTOGRAM)
            e = fill_hists(&t);
        else
            e = tool->kind == RESULT_EVENTS ? fill_rates(&t) : fill_profiles(&t);
    }
    map_free(t.groups);
    return e == ERR_OK ? RPC_OK : query_failed(w, e);
}
