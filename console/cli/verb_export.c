#include "console/cli/verb_export.h"

#include "console/cli/bundles.h"
#include "console/cli/several.h"
#include "console/cli/show.h"
#include "console/export/folded.h"
#include "console/export/openmetrics.h"
#include "console/export/pprof.h"
#include "console/export/speedscope.h"

typedef enum err export_fn(const struct answer *a, struct buf *out);

static enum err merged_metrics(const struct answer *a, struct buf *out) { return openmetrics_write(a, false, out); }
static enum err host_metrics(const struct answer *a, struct buf *out) { return openmetrics_write(a, true, out); }

static const struct form {
    const char *name;
    enum result_kind of; /* RESULT_NONE: any */
    enum output same_as; /* of those for any: the -o of other verbs */
    export_fn *write, *write_per_host;
    bool binary, bundle;
} FORMS[] = {{"json", RESULT_NONE, OUTPUT_JSON, NULL, NULL, false, false},
             {"csv", RESULT_NONE, OUTPUT_CSV, NULL, NULL, false, false},
             {"bundle", RESULT_NONE, 0, NULL, NULL, false, true},
             {"folded", RESULT_STACKS, 0, folded_write, NULL, false, false},
             {"pprof", RESULT_STACKS, 0, pprof_write, NULL, true, false},
             {"speedscope", RESULT_STACKS, 0, speedscope_write, NULL, false, false},
             {"openmetrics", RESULT_HISTOGRAM, 0, merged_metrics, host_metrics, false, false}};

static const struct form *form_of(const char *name) {
    for (size_t i = 0; name && i < COUNT_OF(FORMS); i++)
        if (strcmp(FORMS[i].name, name) == 0) return &FORMS[i];
    return NULL;
}

static enum err print_form(export_fn *write, const struct answer *answer) {
    struct buf out;
    buf_init(&out, 0);
    enum err e = write(answer, &out);
    if (!e) fwrite(out.p, 1, out.n, stdout);
    buf_done(&out);
    return e;
}

static int write_form(struct ask *k, const struct form *f, const struct args *a, const char *id) {
    bool per_host = a->per_host, stacks = f->of == RESULT_STACKS;
    enum query_kind kind = stacks ? QUERY_STACKS : QUERY_HIST;
    struct query q = {.campaign = span_str(id), .per_host = per_host, .round = a->round};
    struct answer answer;
    if (!ask_query(k, kind, &q) || !ask_call(k, stacks ? RPC_CONSOLE_STACKS : RPC_CONSOLE_HIST)) return EXIT_FAILED;
    enum err e = query_decode_answer(kind, buf_span(&k->reply), k->mem, &answer);
    if (!e) e = print_form(per_host ? f->write_per_host : f->write, &answer);
    return e ? ask_failed(k, e) : ask_exit_code(&answer.info);
}

static int export_sum(struct ask *k, const struct form *f, const struct args *a) {
    const struct query q = {.round = a->round};
    struct args same = *a;
    struct answer answer;
    same.output = f->same_as;
    if (f->of == RESULT_NONE) return show_sum(k, &same);
    if (!several_ask(k, a->words, a->n_words, &q, &answer)) return EXIT_FAILED;
    enum err e = print_form(f->write, &answer);
    return e ? ask_failed(k, e) : several_exit_code(&answer);
}

static int export(struct ask *k, const struct args *a, const struct form *f) {
    struct ask_campaign c;
    if (!ask_campaign(k, a->n_words ? a->words[0] : "last", &c)) return EXIT_FAILED;
    if (f->of != RESULT_NONE && f->of != c.kind) {
        args_complain("export", "%s is for %s, and campaign %.12s has %s: json and csv are for all", f->name, capture_kind_name(f->of),
                      c.id, capture_kind_name(c.kind));
        return EXIT_FAILED;
    }
    if (f->bundle) return bundles_write(k, c.id, a->file);
    if (f->of != RESULT_NONE) return write_form(k, f, a, c.id);
    struct args same = *a;
    same.output = f->same_as;
    return show_answer(k, &same, c.kind, c.id);
}

int verb_export(const struct args *a) {
    const struct form *f = form_of(a->format);
    if (!f) {
        args_complain("export", "--format is json, csv, folded, pprof, speedscope, openmetrics or bundle%s%s%s",
                      a->format ? ", not \"" : "", a->format ? a->format : "", a->format ? "\"" : "");
        return EXIT_USAGE;
    }
    if (a->per_host && f->write && !f->write_per_host) {
        args_complain("export", "--per-host is not for --format %s", f->name);
        return EXIT_USAGE;
    }
    if (f->bundle != (a->file != NULL)) {
        args_complain("export",
                      f->bundle ? "a bundle goes to a file: -O FILE" : "-O is for --format bundle: the others go to standard output");
        return EXIT_USAGE;
    }
    if (f->bundle && (a->per_host || a->round)) {
        args_complain("export", "a bundle has all hosts and all rounds: without --per-host and --round");
        return EXIT_USAGE;
    }
    if (f->binary && isatty(STDOUT_FILENO)) {
        args_complain("export", "%s is not text: write it to a file, with > FILE", f->name);
        return EXIT_USAGE;
    }
    bool sum = a->n_words > 1;
    if (sum && (f->bundle || f->of == RESULT_HISTOGRAM)) {
        args_complain("export", "%s is of one campaign; stacks of several go to json, csv, folded, pprof and speedscope", f->name);
        return EXIT_USAGE;
    }
    struct ask k;
    int code = !ask_open(&k, "export") ? EXIT_FAILED : sum ? export_sum(&k, f, a) : export(&k, a, f);
    ask_close(&k);
    return code;
}
