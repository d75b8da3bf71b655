#include "console/cli/verb_control.h"

#include "console/cli/ask.h"
#include "console/render/screen.h"

/* "campaign 5c0f3b0d1a77: paused, 5 hosts held back" */
static void print_state(const struct campaign_info *i) {
    struct screen s = screen_on(stdout);
    fputs("campaign ", stdout);
    screen_print(&s, i->id);
    fputs(": ", stdout);
    screen_print(&s, i->state);
    if (i->held) printf(", %u host%s held back", i->held, i->held == 1 ? "" : "s");
    fputc('\n', stdout);
}

static int control(const char *verb, enum rpc_method m, const struct args *a) {
    struct ask k;
    struct campaign_info i;
    struct query q = {.campaign = span_str(a->words[0])};
    int code = EXIT_FAILED;
    if (ask_open(&k, verb) && ask_query(&k, QUERY_REF, &q) && ask_call(&k, m)) {
        enum err e = query_decode_info(buf_span(&k.reply), k.mem, &i);
        if (!e) print_state(&i);
        code = e ? ask_failed(&k, e) : EXIT_OK;
    }
    ask_close(&k);
    return code;
}

int verb_control_pause(const struct args *a) { return control("pause", RPC_CONSOLE_PAUSE, a); }

int verb_control_resume(const struct args *a) { return control("resume", RPC_CONSOLE_RESUME, a); }
