#include "common/merge/hist_diff.h"

#include <math.h>

#include "common/merge/outliers.h"

/* From the least to the most that a value of p's slot may be; values are cut to integers when they are slotted. */
static double least(const struct percentile *p) { return (double)p->low; }
static double most(const struct percentile *p) { return p->high == HIST_OPEN ? INFINITY : (double)p->high + 1; }

static struct hist_shift shift_of(const struct hist *is, const struct hist *was, unsigned permille) {
    struct hist_shift s = {.is = percentile_of(is, permille), .was = percentile_of(was, permille)};
    s.known = s.is.known && s.was.known && s.is.value > 0 && s.was.value > 0;
    if (!s.known) return s;
    s.octaves = log2(s.is.value) - log2(s.was.value);
    s.low = isinf(most(&s.was)) || least(&s.is) < 1 ? -INFINITY : log2(least(&s.is)) - log2(most(&s.was));
    s.high = isinf(most(&s.is)) || least(&s.was) < 1 ? INFINITY : log2(most(&s.is)) - log2(least(&s.was));
    return s;
}

static struct hist_diff diff_of(const struct hist *is, const struct hist *was) {
    static const struct hist nothing = {.n_slots = 0};
    struct hist_diff d = {.is = is, .was = was};
    const struct hist *a = is ? is : &nothing, *b = was ? was : &nothing;
    double at = 0, variance = 0, before = 0, its_variance = 0;
    d.p50 = shift_of(a, b, 500);
    d.p99 = shift_of(a, b, 990);
    d.mean_known = outliers_place(a, &at, &variance) && outliers_place(b, &before, &its_variance);
    if (!d.mean_known) return d;
    d.mean = at - before;
    d.error = sqrt(variance + its_variance);
    return d;
}

static const struct hist *find(const struct hist_set *set, const struct hist *like) {
    for (size_t i = 0; i < set->n; i++)
        if (hist_same_kind(&set->hists[i], like)) return &set->hists[i];
    return NULL;
}

enum err hist_diff_sets(const struct hist_set *is, const struct hist_set *was, struct arena *mem, struct hist_diff **out, size_t *out_n) {
    struct hist_diff *diffs = arena_array(mem, is->n + was->n + 1, sizeof *diffs);
    size_t n = 0;
    if (!diffs) return ERR_NOMEM;
    for (size_t i = 0; i < is->n; i++) diffs[n++] = diff_of(&is->hists[i], find(was, &is->hists[i]));
    for (size_t i = 0; i < was->n; i++)
        if (!find(is, &was->hists[i])) diffs[n++] = diff_of(NULL, &was->hists[i]);
    *out = diffs;
    *out_n = n;
    return ERR_OK;
}
