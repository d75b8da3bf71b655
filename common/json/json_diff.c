#include "common/json/json_diff.h"

#include <math.h>

#include "common/json/json_answer_internal.h"
#include "common/json/json_body.h"

static json_t *head_of(struct json_maker *m, const struct answer *is, const struct answer *was, const char *of) {
    json_t *o = json_make_object(m);
    json_make_put(m, o, "kind", json_make_name(m, "diff"));
    json_make_put(m, o, "of", json_make_name(m, of));
    json_make_put(m, o, "is", json_answer_head(m, is, NULL));
    json_make_put(m, o, "was", json_answer_head(m, was, NULL));
    return o;
}

static json_t *real_or_null(struct json_maker *m, double v) { return isfinite(v) ? json_make_real(m, v) : json_make_null(); }

static json_t *shift(struct json_maker *m, const struct hist_shift *s) {
    json_t *o = json_make_object(m), *bracket = json_make_array(m);
    json_make_put(m, o, "is", s->is.known ? json_make_real(m, s->is.value) : json_make_null());
    json_make_put(m, o, "was", s->was.known ? json_make_real(m, s->was.value) : json_make_null());
    json_make_put(m, o, "octaves", s->known ? json_make_real(m, s->octaves) : json_make_null());
    json_make_add(m, bracket, s->known ? real_or_null(m, s->low) : json_make_null());
    json_make_add(m, bracket, s->known ? real_or_null(m, s->high) : json_make_null());
    json_make_put(m, o, "bracket", bracket);
    return o;
}

static json_t *hist_entry(struct json_maker *m, const struct hist_diff *d) {
    const struct hist *any = d->is ? d->is : d->was;
    json_t *o = json_make_object(m), *section = json_make_object(m);
    for (size_t i = 0; i < any->n_section; i++)
        json_make_put_key(m, section, any->section[i].key, json_make_text(m, any->section[i].value));
    json_make_put(m, o, "section", section);
    json_make_put(m, o, "unit", json_make_text(m, any->unit));
    json_make_put(m, o, "total", json_make_count(m, d->is ? hist_total(d->is) : 0));
    json_make_put(m, o, "total_was", json_make_count(m, d->was ? hist_total(d->was) : 0));
    json_make_put(m, o, "p50", shift(m, &d->p50));
    json_make_put(m, o, "p99", shift(m, &d->p99));
    json_make_put(m, o, "mean_octaves", d->mean_known ? json_make_real(m, d->mean) : json_make_null());
    json_make_put(m, o, "mean_error", d->mean_known ? json_make_real(m, d->error) : json_make_null());
    return o;
}

enum err json_diff_hist(const struct answer *is, const struct answer *was, const struct hist_diff *diffs, size_t n, struct buf *out) {
    struct json_maker m;
    enum err e = json_make_init(&m, out);
    if (e) return e;
    json_make_list(&m, head_of(&m, is, was, "histogram"), "histograms");
    for (size_t i = 0; i < n && !m.failed; i++) json_make_item(&m, hist_entry(&m, &diffs[i]));
    json_make_list_end(&m);
    return json_make_done(&m);
}

static json_t *change_entry(struct json_maker *m, const struct stacks *tree, const struct stack_change *c) {
    json_t *o = json_make_object(m);
    if (tree) {
        json_make_put(m, o, "frames", json_body_frames(m, tree, c->leaf, false));
        json_make_put(m, o, "comm", json_make_text_or_null(m, c->name));
    } else {
        json_make_put(m, o, "name", json_make_text(m, c->name));
    }
    json_make_put(m, o, "count", json_make_count(m, c->is));
    json_make_put(m, o, "count_was", json_make_count(m, c->was));
    json_make_put(m, o, "share", json_make_real(m, c->share));
    json_make_put(m, o, "share_was", json_make_real(m, c->before));
    json_make_put(m, o, "change", json_make_real(m, c->change));
    return o;
}

enum err json_diff_stacks(const struct answer *is, const struct answer *was, const struct stacks *tree, const struct stack_change *changes,
                          size_t n, size_t all, struct buf *out) {
    struct json_maker m;
    enum err e = json_make_init(&m, out);
    if (e) return e;
    json_t *head = head_of(&m, is, was, "stacks");
    json_make_put(&m, head, "unit", json_make_text(&m, is->stacks.unit));
    json_make_put(&m, head, "by", json_make_text_or_null(&m, is->by));
    json_make_put(&m, head, "total", json_make_count(&m, is->total));
    json_make_put(&m, head, "total_was", json_make_count(&m, was->total));
    json_make_put(&m, head, "distinct", json_make_count(&m, all));
    json_make_list(&m, head, "changes");
    for (size_t i = 0; i < n && !m.failed; i++) json_make_item(&m, change_entry(&m, tree, &changes[i]));
    json_make_list_end(&m);
    return json_make_done(&m);
}
