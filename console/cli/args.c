#include "console/cli/args.h"

#include <getopt.h>
#include <stdarg.h>

#include "console/render/screen.h"

static const struct arg_info {
    const char *name, *value, *help;
    unsigned bit;
    char letter;
} INFO[] = {
    {"output", "table|json|csv", "how to print the answer (table)", ARG_OUTPUT, 'o'},
    {"output", "table|wide|json|csv", "how to print the answer (table); wide: a row for each tool, with its flavour and why",
     ARG_OUTPUT_WIDE, 'o'},
    {"on", "SELECTOR", "only these hosts: role=web,zone!=b  web[001-120]  !web-13 (all)", ARG_ON, 0},
    {"versus", "SELECTOR", "compared with these hosts, instead of with another campaign", ARG_VERSUS, 0},
    {"for", "DURATION", "how long each host traces: 10s, 2m (10s)", ARG_FOR, 0},
    {"flavour", "NAME", "libbpf, bcc or bpftrace instead of the one each host chooses", ARG_FLAVOUR, 0},
    {"expire", "DURATION", "how long hosts that are away may still join (the duration and 30s)", ARG_EXPIRE, 0},
    {"by", "FIELD[,FIELD…]", "what to group by: COMM,host,label:zone; of stacks: frame, process or host", ARG_BY, 0},
    {"of", "FIELD", "the numeric column that is summed: LAT", ARG_OF, 0},
    {"rank", "HOW", "order of the rows: count, total, avg, max or p99; of stacks: self or total", ARG_RANK, 0},
    {"where", "CONDITION", "only these rows: 'LAT(ms)>10 && COMM=curl'", ARG_WHERE, 0},
    {"focus", "FRAME", "only stacks with such a frame: part of its name, or a pattern of * and ?", ARG_FOCUS, 0},
    {"ignore", "FRAME", "no stacks with such a frame", ARG_IGNORE, 0},
    {"number", "N", "how many rows, instead of about a screenful; 0: all", ARG_N, 'n'},
    {"per-host", NULL, "a row or histogram for each host", ARG_PER_HOST, 0},
    {"section", "KEY=VALUE", "only this section: disk=vda; may be given again", ARG_SECTION, 0},
    {"merged", NULL, "sections added up into one histogram", ARG_MERGED, 0},
    {"sum", NULL, "any number of campaigns of one tool added up, instead of one compared with another", ARG_SUM, 0},
    {"since", "DURATION", "only what is not older: 2h, 7d", ARG_SINCE, 0},
    {"limit", "N|N%", "only so many of the hosts, chosen by the seed", ARG_COURSE, 0},
    {"seed", "N", "which hosts are chosen, and in what order they start (a new one each time)", ARG_COURSE, 0},
    {"waves", "N|N%,…", "so many hosts in all, then so many, …; a wave begins when the one before has ended well: 1,5%,30%,100%",
     ARG_COURSE, 0},
    {"rate", "N/s", "how many hosts start per second", ARG_COURSE, 0},
    {"concurrency", "N", "how many hosts trace at a time", ARG_COURSE, 0},
    {"concurrency-per", "LABEL=N", "how many with the same value of a label: zone=5", ARG_COURSE, 0},
    {"at", "TIME|+DURATION", "all hosts start together then: 12:00:00, +5s", ARG_COURSE, 0},
    {"rounds", "N", "with --every: how many captures each host makes; without: how many results the tool prints (1)", ARG_COURSE, 0},
    {"every", "DURATION", "from the begin of a round to the begin of the next: 1m", ARG_COURSE, 0},
    {"stop-failures", "N|N%", "end it when so many hosts have failed or timed out", ARG_COURSE, 0},
    {"stop-refusals", "N|N%", "end it when so many hosts have refused", ARG_COURSE, 0},
    {"stop-cpu", "N%", "end it when the tools take more of one CPU on average", ARG_COURSE, 0},
    {"stop-deaths", "N", "end it when so many agents were lost in their captures", ARG_COURSE, 0},
    {"stop-pressure", "N%", "hosts with more CPU pressure (PSI) do not begin; end it when that is the average", ARG_COURSE, 0},
    {"when", "CONDITION", "'pressure.cpu > 20% in 2s', 'load1 > 8', 'runqlat.p99 > 1ms on 3 of 5 hosts', 'missing > 2m', call", ARG_LIMITS,
     0},
    {"cooldown", "DURATION", "from one firing to the next (5m)", ARG_LIMITS, 0},
    {"per-hour", "N", "firings in an hour at the most (4)", ARG_LIMITS, 0},
    {"budget", "DURATION", "of tracing in all, on each host (10m)", ARG_LIMITS, 0},
    {"round", "N", "only the captures of this round, from 1 on (all)", ARG_ROUND, 0},
    {"over", "time", "the rounds of the campaign, or those that asked the same before it, as a series", ARG_OVER, 0},
    {"agent", "FILE", "look at this host's agent.conf instead, as root", ARG_AGENT, 0},
    {"format", "json|csv|folded|pprof|speedscope|openmetrics|bundle", "which form", ARG_FORMAT, 0},
    {"write", "FILE", "where the bundle goes; it must not be there yet", ARG_FILE, 'O'},
    {"trust", "FILE", "the operators' CA: is the order signed by one of them?", ARG_TRUST, 0},
    {"markdown", NULL, "the table of docs/tools.md", ARG_MARKDOWN, 0},
    {"detach", NULL, "start it and print its id, do not follow", ARG_DETACH, 0},
};
enum { PARAM_OPTION = 1000, INFO_OPTION = 2000, HELP_OPTION = 3000, COMPLAINT_BYTES = 2048 };

static const char *const COURSES[] = {
    "trawl run runqlat --waves 1,5%,30%,100% --stop-failures 3",
    "trawl run biolatency --concurrency 100 --concurrency-per zone=5 --rate 50/s",
    "trawl run runqlat --limit 10% --seed 42 --at +5s",
    "trawl run runqlat --for 10s --every 1m --rounds 10",
};

void args_complain(const char *verb, const char *fmt, ...) {
    char text[COMPLAINT_BYTES], safe[4 * COMPLAINT_BYTES];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    screen_escape(span_str(text), safe, sizeof safe); /* a peer's words may be in it */
    fprintf(stderr, "trawl %s: %s\n", verb, safe);
}

static void help_line(FILE *to, char letter, const char *name, const char *value, const char *help) {
    char left[64];
    snprintf(left, sizeof left, "%s%c%s--%s%s%s", letter ? "-" : "", letter ? letter : ' ', letter ? ", " : "   ", name, value ? " " : "",
             value ? value : "");
    fprintf(to, "  %-34s %s\n", left, help);
}

void args_help(const struct verb *v, FILE *to) {
    fprintf(to, "usage: trawl %s%s%s [options]\n\n%s\n\noptions:\n", v->name, v->words[0] ? " " : "", v->words, v->summary);
    for (size_t i = 0; i < COUNT_OF(INFO); i++)
        if (v->takes & INFO[i].bit) help_line(to, INFO[i].letter, INFO[i].name, INFO[i].value, INFO[i].help);
    if (v->takes & ARG_PARAMS) {
        fprintf(to, "\nparameters of the tools (which tool takes which: trawl tools TOOL):\n");
        for (int p = PARAM_NONE + 1; p < PARAM__COUNT; p++) {
            const struct param_info *info = catalog_param((enum param_id)p);
            help_line(to, 0, info->name,
                      info->type == PARAM_TYPE_FLAG ? NULL
                      : info->unit && info->unit[0] ? info->unit
                                                    : "VALUE",
                      info->help);
        }
    }
    fprintf(to, "\nexample:\n  %s\n", v->example);
    if (v->takes & ARG_COURSE)
        for (size_t i = 0; i < COUNT_OF(COURSES); i++) fprintf(to, "  %s\n", COURSES[i]);
}

/* scdoc takes some marks for typography. */
static void manual_text(const char *z, FILE *to) {
    for (; *z; z++) fprintf(to, strchr("\\*_", *z) ? "\\%c" : "%c", *z);
}

void args_manual(const struct verb *v, FILE *to) {
    fprintf(to, "*trawl %s*%s", v->name, v->words[0] ? " " : "");
    manual_text(v->words, to);
    fputs("\n\t", to);
    manual_text(v->summary, to);
    fputs("\n\n", to);
    for (size_t i = 0; i < COUNT_OF(INFO); i++) {
        if (!(v->takes & INFO[i].bit)) continue;
        fputc('\t', to);
        if (INFO[i].letter) fprintf(to, "*-%c*, ", INFO[i].letter);
        fprintf(to, "*--%s*", INFO[i].name);
        if (INFO[i].value) fprintf(to, " _%s_", INFO[i].value);
        fputs("++\n\t", to);
        manual_text(INFO[i].help, to);
        fputs("\n\n", to);
    }
    if (v->takes & ARG_PARAMS) fputs("\tand the parameters of the tool: *trawl tools* TOOL lists them.\n\n", to);
    fputs("\tExample: *", to);
    manual_text(v->example, to);
    fputs("*\n\n", to);
}

static enum err take_param(const struct verb *v, enum param_id id, const char *value, struct args *a) {
    const struct param_info *info = catalog_param(id);
    if (a->params.n == PARAMS_MAX) {
        args_complain(v->name, "at most %d parameters", PARAMS_MAX);
        return ERR_SYNTAX;
    }
    struct param *p = &a->params.p[a->params.n];
    *p = (struct param){.id = id, .number = 1};
    if (info->type == PARAM_TYPE_NUMBER && !span_i64(span_str(value), &p->number)) {
        args_complain(v->name, "--%s takes a number from %lld to %lld, not \"%s\"", info->name, (long long)info->low, (long long)info->high,
                      value);
        return ERR_SYNTAX;
    }
    if (info->type == PARAM_TYPE_NAME) {
        p->number = 0;
        if (strlen(value) >= sizeof p->name) {
            args_complain(v->name, "--%s: the name is longer than %d characters", info->name, PARAM_NAME_BYTES - 1);
            return ERR_SYNTAX;
        }
        snprintf(p->name, sizeof p->name, "%s", value);
    }
    a->params.n++;
    return ERR_OK;
}

static enum err take_duration(const struct verb *v, const char *name, const char *value, uint64_t *out) {
    if (span_duration_ns(span_str(value), out) && *out > 0) return ERR_OK;
    args_complain(v->name, "--%s takes a duration such as 5s, 500ms or 2m, not \"%s\"", name, value);
    return ERR_SYNTAX;
}

static enum err take_output(const struct verb *v, const char *value, struct args *a) {
    static const char *const names[] = {[OUTPUT_TABLE] = "table", [OUTPUT_JSON] = "json", [OUTPUT_CSV] = "csv", [OUTPUT_WIDE] = "wide"};
    bool wide = v->takes & ARG_OUTPUT_WIDE;
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if ((i != OUTPUT_WIDE || wide) && strcmp(names[i], value) == 0) {
            a->output = (enum output)i;
            return ERR_OK;
        }
    args_complain(v->name, "-o is table,%s json or csv, not \"%s\"", wide ? " wide," : "", value);
    return ERR_SYNTAX;
}

static enum err take_section(const struct verb *v, const char *value, struct args *a) {
    struct label l;
    if (a->n_sections < ARGS_SECTIONS_MAX && span_cut(span_str(value), '=', &l.key, &l.value) && l.key.n > 0) {
        a->sections[a->n_sections++] = l;
        return ERR_OK;
    }
    args_complain(v->name, "--section takes KEY=VALUE (at most %d of them), not \"%s\"", ARGS_SECTIONS_MAX, value);
    return ERR_SYNTAX;
}

static enum err take_number(const struct verb *v, const char *value, struct args *a) {
    uint64_t n;
    if (span_u64(span_str(value), &n) && n <= UINT32_MAX) {
        a->n = n ? (uint32_t)n : UINT32_MAX; /* 0 asks for all */
        return ERR_OK;
    }
    args_complain(v->name, "-n takes a number, not \"%s\"", value);
    return ERR_SYNTAX;
}

static enum err take_round(const struct verb *v, const char *value, struct args *a) {
    uint64_t n;
    if (span_u64(span_str(value), &n) && n >= 1 && n <= LIMIT_ROUNDS) {
        a->round = (uint32_t)n;
        return ERR_OK;
    }
    args_complain(v->name, "--round takes the number of a round, from 1 on, not \"%s\"", value);
    return ERR_SYNTAX;
}

static enum err take_limit(const struct verb *v, const char *name, const char *value, struct args *a) {
    uint64_t n;
    if (strcmp(name, "when") == 0) {
        a->when = value;
        return ERR_OK;
    }
    if (strcmp(name, "per-hour") != 0) return take_duration(v, name, value, name[0] == 'c' ? &a->cooldown_ns : &a->budget_ns);
    if (span_u64(span_str(value), &n) && n >= 1 && n <= LIMIT_PER_HOUR) {
        a->per_hour = (uint32_t)n;
        return ERR_OK;
    }
    args_complain(v->name, "--per-hour takes a number from 1 to %d, not \"%s\"", LIMIT_PER_HOUR, value);
    return ERR_SYNTAX;
}

static enum err take(const struct verb *v, const struct arg_info *info, const char *value, struct args *a) {
    switch (info->bit) {
    case ARG_OUTPUT:
    case ARG_OUTPUT_WIDE:
        return take_output(v, value, a);
    case ARG_ON:
        a->on = value;
        if (value[0]) return ERR_OK;
        args_complain(v->name, "--on is empty, as of a variable that is not set; leave it out when all hosts are meant");
        return ERR_SYNTAX;
    case ARG_FOR:
        return take_duration(v, info->name, value, &a->for_ns);
    case ARG_SINCE:
        return take_duration(v, info->name, value, &a->since_ns);
    case ARG_EXPIRE:
        return take_duration(v, info->name, value, &a->expire_ns);
    case ARG_FLAVOUR:
        a->flavour = value;
        return ERR_OK;
    case ARG_BY:
        a->by = value;
        return ERR_OK;
    case ARG_OF:
        a->of = value;
        return ERR_OK;
    case ARG_RANK:
        a->rank = value;
        return ERR_OK;
    case ARG_WHERE:
        a->where = value;
        return ERR_OK;
    case ARG_FOCUS:
        a->focus = value;
        return ERR_OK;
    case ARG_IGNORE:
        a->ignore = value;
        return ERR_OK;
    case ARG_AGENT:
        a->agent = value;
        return ERR_OK;
    case ARG_COURSE:
        return course_args_take(v->name, info->name, value, &a->course) ? ERR_OK : ERR_SYNTAX;
    case ARG_LIMITS:
        return take_limit(v, info->name, value, a);
    case ARG_ROUND:
        return take_round(v, value, a);
    case ARG_OVER:
        a->over = value;
        if (strcmp(value, "time") == 0) return ERR_OK;
        args_complain(v->name, "--over takes \"time\", not \"%s\"", value);
        return ERR_SYNTAX;
    case ARG_FILE:
        a->file = value;
        return ERR_OK;
    case ARG_TRUST:
        a->trust = value;
        return ERR_OK;
    case ARG_VERSUS:
        a->versus = value;
        return ERR_OK;
    case ARG_FORMAT:
        a->format = value;
        return ERR_OK;
    case ARG_N:
        return take_number(v, value, a);
    case ARG_PER_HOST:
        a->per_host = true;
        return ERR_OK;
    case ARG_SECTION:
        return take_section(v, value, a);
    case ARG_MARKDOWN:
        a->markdown = true;
        return ERR_OK;
    case ARG_SUM:
        a->sum = true;
        return ERR_OK;
    case ARG_MERGED:
        a->merged = true;
        return ERR_OK;
    default:
        a->detach = true;
        return ERR_OK;
    }
}

/* The getopt tables of what this verb takes. */
static void option_tables(const struct verb *v, struct option *longs, char *shorts) {
    size_t n = 0, s = 0;
    shorts[s++] = ':';
    for (size_t i = 0; i < COUNT_OF(INFO); i++) {
        if (!(v->takes & INFO[i].bit)) continue;
        longs[n++] = (struct option){INFO[i].name, INFO[i].value ? required_argument : no_argument, NULL, INFO_OPTION + (int)i};
        if (INFO[i].letter) {
            shorts[s++] = INFO[i].letter;
            if (INFO[i].value) shorts[s++] = ':';
        }
    }
    for (int p = PARAM_NONE + 1; (v->takes & ARG_PARAMS) && p < PARAM__COUNT; p++) {
        const struct param_info *info = catalog_param((enum param_id)p);
        longs[n++] = (struct option){info->name, info->type == PARAM_TYPE_FLAG ? no_argument : required_argument, NULL, PARAM_OPTION + p};
    }
    longs[n++] = (struct option){"help", no_argument, NULL, HELP_OPTION};
    longs[n] = (struct option){0};
    shorts[s++] = 'h';
    shorts[s] = '\0';
}

static const struct arg_info *info_of(int o) {
    if (o >= INFO_OPTION) return &INFO[o - INFO_OPTION];
    for (size_t i = 0; i < COUNT_OF(INFO); i++)
        if (INFO[i].letter == o) return &INFO[i];
    return NULL;
}

static enum err take_words(const struct verb *v, int argc, char **argv, struct args *a) {
    size_t n = (size_t)(argc - optind);
    if (n < v->words_low || n > v->words_high) {
        args_complain(v->name, "%s; try: trawl %s --help", n < v->words_low ? "something is missing" : "too many words", v->name);
        fprintf(stderr, "usage: trawl %s%s%s [options]\n", v->name, v->words[0] ? " " : "", v->words);
        return ERR_SYNTAX;
    }
    for (size_t i = 0; i < n; i++) a->words[i] = argv[optind + (int)i];
    a->n_words = n;
    return ERR_OK;
}

/* What getopt did not like: o is '?' or ':'. */
static void complain_of_option(const struct verb *v, int o, const struct option *longs, const char *given) {
    const char letter[] = {'-', (char)optopt, '\0'};
    bool short_one = optopt > 0 && optopt < PARAM_OPTION;
    const char *why = "is not an option of this verb";
    for (const struct option *l = longs; l->name && !short_one; l++)
        if (strlen(given) > 2 && strncmp(l->name, given + 2, strlen(given + 2)) == 0) why = "could be more than one option";
    if (optopt >= PARAM_OPTION) why = "takes no value";
    if (o == ':') why = "needs a value";
    args_complain(v->name, "%s %s; try: trawl %s --help", short_one ? letter : given, why, v->name);
}

/* Without --every they are the tool's own. */
static enum err settle_rounds(const struct verb *v, struct args *a) {
    if (!a->course.rounds || a->course.every_ns) return ERR_OK;
    char text[16];
    snprintf(text, sizeof text, "%u", a->course.rounds);
    a->course.rounds = 0;
    return take_param(v, PARAM_ROUNDS, text, a);
}

enum err args_parse(const struct verb *v, int argc, char **argv, struct args *out) {
    struct option longs[COUNT_OF(INFO) + PARAM__COUNT + 2];
    char shorts[2 * COUNT_OF(INFO) + 4];
    struct args a = {.output = OUTPUT_TABLE};
    option_tables(v, longs, shorts);
    opterr = 0;
    optind = 0; /* from the beginning, whatever was parsed before */
    for (int o; (o = getopt_long(argc, argv, shorts, longs, NULL)) != -1;) {
        enum err e = ERR_OK;
        if (o == 'h' || o == HELP_OPTION) {
            args_help(v, stdout);
            return ERR_AGAIN;
        }
        if (o == '?' || o == ':') {
            complain_of_option(v, o, longs, argv[optind - 1]);
            return ERR_SYNTAX;
        }
        if (o >= PARAM_OPTION && o < INFO_OPTION)
            e = take_param(v, (enum param_id)(o - PARAM_OPTION), optarg, &a);
        else
            e = take(v, info_of(o), optarg, &a);
        if (e) return e;
    }
    enum err e = settle_rounds(v, &a);
    if (!e) e = take_words(v, argc, argv, &a);
    if (!e) *out = a;
    return e;
}
