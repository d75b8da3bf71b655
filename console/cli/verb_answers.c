#include "console/cli/verb_answers.h"

#include "console/cli/show.h"

static int answer(const char *verb, const struct args *a, enum result_kind what) {
    struct ask k;
    if (!show_fits(verb, a, what)) return EXIT_USAGE;
    int code = EXIT_FAILED;
    if (ask_open(&k, verb)) code = show_answer(&k, a, what, a->n_words ? a->words[0] : "last");
    ask_close(&k);
    return code;
}

int verb_answers_hist(const struct args *a) { return answer("hist", a, RESULT_HISTOGRAM); }
int verb_answers_stacks(const struct args *a) { return answer("stacks", a, RESULT_STACKS); }

int verb_answers_events(const struct args *a) { return answer("events", a, RESULT_EVENTS); }

int verb_answers_top(const struct args *a) {
    if (!a->by) {
        args_complain("top", "--by FIELD says what to count: trawl top last --by PCOMM");
        return EXIT_USAGE;
    }
    return answer("top", a, RESULT_EVENTS);
}
