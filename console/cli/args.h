/* The command line of one verb: words, the options it takes, and a tool's parameters under their catalogue names. */
#pragma once

#include "common/catalog/catalog.h"
#include "console/cli/course_args.h"

enum output { OUTPUT_TABLE, OUTPUT_JSON, OUTPUT_CSV, OUTPUT_WIDE };

/* Options, as bits: a verb says which it takes. */
enum {
    ARG_OUTPUT = 1 << 0,
    ARG_ON = 1 << 1,
    ARG_FOR = 1 << 2,
    ARG_FLAVOUR = 1 << 3,
    ARG_EXPIRE = 1 << 4,
    ARG_BY = 1 << 5,
    ARG_OF = 1 << 6,
    ARG_RANK = 1 << 7,
    ARG_N = 1 << 8,
    ARG_PER_HOST = 1 << 9,
    ARG_SECTION = 1 << 10,
    ARG_MERGED = 1 << 11,
    ARG_DETACH = 1 << 12,
    ARG_PARAMS = 1 << 13,
    ARG_AGENT = 1 << 14,
    ARG_SINCE = 1 << 15,
    ARG_COURSE = 1 << 16, /* all of course_args.h */
    ARG_ROUND = 1 << 17,
    ARG_OUTPUT_WIDE = 1 << 18, /* instead of ARG_OUTPUT: a wide table besides */
    ARG_MARKDOWN = 1 << 19,
    ARG_SUM = 1 << 20,
    ARG_LIMITS = 1 << 23, /* a trigger's condition and limits */
    ARG_TRUST = 1 << 22,
    ARG_WHERE = 1 << 24,
    ARG_FOCUS = 1 << 25,
    ARG_IGNORE = 1 << 26,
    ARG_OVER = 1 << 27,
    ARG_FORMAT = 1 << 28,
    ARG_VERSUS = 1 << 29,
    ARG_FILE = 1 << 30
};

enum { ARGS_WORDS_MAX = 64, ARGS_SECTIONS_MAX = 4 };

struct args {
    const char *words[ARGS_WORDS_MAX];
    size_t n_words;
    enum output output;
    const char *on, *by, *of, *rank, *flavour, *agent, *where, *focus, *ignore, *format, *versus, *over, *file, *trust;
    uint64_t for_ns, expire_ns, since_ns; /* 0: not given */
    uint32_t n;                           /* 0: not given */
    uint32_t round;                       /* from 1 on; 0: not given */
    struct course_args course;
    const char *when;                /* NULL: not given */
    uint64_t cooldown_ns, budget_ns; /* 0: not given */
    uint32_t per_hour;               /* 0: not given */
    bool per_host, merged, detach, markdown, sum;
    struct label sections[ARGS_SECTIONS_MAX];
    size_t n_sections;
    struct params params;
};

struct verb {
    const char *name, *words, *summary, *example;
    size_t words_low, words_high;
    unsigned takes;                   /* ARG_ bits */
    int (*run)(const struct args *a); /* returns the exit code */
};

enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_PARTIAL = 3 };

/* ERR_OK; ERR_SYNTAX: said on stderr what and how to do it right (EXIT_USAGE); ERR_AGAIN: help was asked for and printed (EXIT_OK). */
NODISCARD enum err args_parse(const struct verb *v, int argc, char **argv, struct args *out);
void args_help(const struct verb *v, FILE *to);
/* The same for the man page, in scdoc's language; the tools' parameters are only pointed at. */
void args_manual(const struct verb *v, FILE *to);
/* "trawl VERB: sentence\n" on stderr. */
void args_complain(const char *verb, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
