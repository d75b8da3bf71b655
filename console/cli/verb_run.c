#include "console/cli/verb_run.h"

#include "console/cli/follow.h"
#include "console/cli/show.h"
#include "console/cli/spec_args.h"

int verb_run(const struct args *a) {
    struct args asked = *a;
    asked.on = NULL; /* the campaign's own hosts */
    const struct tool *t = spec_args_tool("run", a->words[0]);
    struct spec s;
    if (!t || !show_fits("run", a, t->kind) || !spec_args_fit("run", t, a, &s)) return EXIT_USAGE;
    struct ask k;
    int code = EXIT_FAILED;
    if (ask_open(&k, "run")) {
        enum err e = spec_args_fill(&k, t, a, &s);
        if (e)
            code = ask_failed(&k, e);
        else if (follow_sign(&k, &s))
            code = follow_start(&k, &asked, t->kind);
    }
    ask_close(&k);
    return code;
}
