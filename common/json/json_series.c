#include "common/json/json_series.h"

#include "common/catalog/bands.h"
#include "common/json/json_answer_internal.h"
#include "common/json/json_body.h"

static json_t *point(struct json_maker *m, const struct series_point *p) {
    const struct tool *tool = catalog_find(p->answer.info.spec.tool);
    json_t *o = json_answer_head(m, &p->answer, NULL), *hists = json_make_array(m);
    json_make_put(m, o, "round", p->round ? json_make_count(m, p->round) : json_make_null());
    json_make_put(m, o, "start", json_make_wall(m, p->start_wall_ns));
    json_make_put(m, o, "merged_hosts", json_make_count(m, p->answer.merged_hosts));
    for (size_t i = 0; i < p->answer.merged.n; i++) {
        const char *word = tool ? bands_verdict(tool, &p->answer.merged.hists[i], p->answer.bands) : NULL;
        json_t *h = json_body_hist(m, &p->answer.merged.hists[i]);
        json_make_put(m, h, "verdict", word ? json_make_name(m, word) : json_make_null());
        json_make_add(m, hists, h);
    }
    json_make_put(m, o, "histograms", hists);
    return o;
}

enum err json_series_hist(const struct series_point *points, size_t n, struct buf *out) {
    struct json_maker m;
    enum err e = json_make_init(&m, out);
    if (e) return e;
    json_t *head = json_make_object(&m);
    json_make_put(&m, head, "kind", json_make_name(&m, "series"));
    json_make_put(&m, head, "of", json_make_name(&m, "histogram"));
    json_make_list(&m, head, "points");
    for (size_t i = 0; i < n && !m.failed; i++) json_make_item(&m, point(&m, &points[i]));
    json_make_list_end(&m);
    return json_make_done(&m);
}
