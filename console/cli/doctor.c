#include "console/cli/doctor.h"

#include <stdarg.h>

#include "common/json/json_doctor.h"
#include "console/render/table.h"

enum { WHY_BYTES = 1024 };

static const char *const LEVELS[] = {[DOCTOR_OK] = "ok", [DOCTOR_WARN] = "warn", [DOCTOR_FAIL] = "FAIL"};

void doctor_begin(struct doctor *d, enum output output) { *d = (struct doctor){.output = output, .screen = screen_on(stdout)}; }

static bool keep(struct doctor *d, enum doctor_level level, const char *what, const char *why, const char *remedy) {
    struct doctor_finding *all = reallocarray(d->all, d->n + 1, sizeof *all);
    if (!all) return false;
    d->all = all;
    struct doctor_finding f = {.level = level, .what = strdup(what), .why = strdup(why), .remedy = strdup(remedy)};
    d->all[d->n++] = f;
    return f.what && f.why && f.remedy;
}

void doctor_say(struct doctor *d, enum doctor_level level, const char *what, const char *remedy, const char *fmt, ...) {
    static const enum tone tones[] = {[DOCTOR_OK] = TONE_GOOD, [DOCTOR_WARN] = TONE_WARNING, [DOCTOR_FAIL] = TONE_BAD};
    char why[WHY_BYTES];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(why, sizeof why, fmt, ap);
    va_end(ap);
    d->n_of[level]++;
    if (d->output != OUTPUT_TABLE) {
        if (!keep(d, level, what, why, remedy ? remedy : "")) d->no_memory = true;
        return;
    }
    printf("%s%-4s%s %s: ", screen_tone(&d->screen, tones[level]), LEVELS[level], screen_tone(&d->screen, TONE_PLAIN), what);
    screen_print(&d->screen, span_str(why));
    printf("%s%s\n", remedy ? "; " : "", remedy ? remedy : "");
    fflush(stdout); /* the next one may take its time */
}

static enum err print_json(const struct doctor *d) {
    struct json_finding *findings = calloc(d->n + 1, sizeof *findings);
    if (!findings) return ERR_NOMEM;
    for (size_t i = 0; i < d->n; i++)
        findings[i] = (struct json_finding){
            LEVELS[d->all[i].level], span_str(d->all[i].what), span_str(d->all[i].why), span_str(d->all[i].remedy)};
    struct buf text;
    buf_init(&text, 0);
    enum err e = json_doctor(findings, d->n, &text);
    if (!e) fwrite(text.p, 1, text.n, stdout);
    buf_done(&text);
    free(findings);
    return e;
}

static enum err print_csv(const struct doctor *d) {
    static const struct table_column columns[] = {{"LEVEL", TABLE_LEFT}, {"WHAT", TABLE_LEFT}, {"WHY", TABLE_LEFT}, {"DO", TABLE_LEFT}};
    AUTO(table_free) struct table *t = table_new(columns, COUNT_OF(columns));
    if (!t) return ERR_NOMEM;
    for (size_t i = 0; i < d->n; i++) {
        table_row(t);
        table_cell_str(t, LEVELS[d->all[i].level]);
        table_cell_str(t, d->all[i].what);
        table_cell_str(t, d->all[i].why);
        table_cell_str(t, d->all[i].remedy);
    }
    return table_print_csv(t, stdout);
}

int doctor_end(struct doctor *d) {
    enum err e = d->no_memory ? ERR_NOMEM : ERR_OK;
    if (!e && d->output == OUTPUT_JSON) e = print_json(d);
    if (!e && d->output == OUTPUT_CSV) e = print_csv(d);
    if (e) args_complain("doctor", "%s", err_text(e));
    if (d->output == OUTPUT_TABLE)
        fprintf(stderr, "%zu ok, %zu to look at, %zu wrong\n", d->n_of[DOCTOR_OK], d->n_of[DOCTOR_WARN], d->n_of[DOCTOR_FAIL]);
    for (size_t i = 0; i < d->n; i++) {
        free(d->all[i].what);
        free(d->all[i].why);
        free(d->all[i].remedy);
    }
    free(d->all);
    return e || d->n_of[DOCTOR_FAIL] ? EXIT_FAILED : EXIT_OK;
}
