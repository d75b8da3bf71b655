/* trawl: the console.  One verb per file; the table below is the whole of it. */
#include <locale.h>

#include "console/cli/verb_answers.h"
#include "console/cli/verb_audit.h"
#include "console/cli/verb_control.h"
#include "console/cli/verb_diff.h"
#include "console/cli/verb_doctor.h"
#include "console/cli/verb_export.h"
#include "console/cli/verb_flame.h"
#include "console/cli/verb_fleet.h"
#include "console/cli/verb_lockdown.h"
#include "console/cli/verb_merge.h"
#include "console/cli/verb_parse.h"
#include "console/cli/verb_plan.h"
#include "console/cli/verb_retry.h"
#include "console/cli/verb_run.h"
#include "console/cli/verb_tools.h"
#include "console/cli/verb_trigger.h"
#include "console/cli/verb_watch.h"
#include "console/client/settings.h"

static const struct verb VERBS[] = {
    {"run", "TOOL", "Runs a tool on the fleet, follows it and prints the merged result.", "trawl run runqlat --on role=web --for 5s", 1, 1,
     ARG_OUTPUT | ARG_ON | ARG_FOR | ARG_FLAVOUR | ARG_EXPIRE | ARG_PER_HOST | ARG_MERGED | ARG_N | ARG_BY | ARG_OF | ARG_RANK | ARG_WHERE |
         ARG_FOCUS | ARG_IGNORE | ARG_DETACH | ARG_PARAMS | ARG_COURSE,
     verb_run},
    {"plan", "TOOL", "What would become of a run, host by host: who would do it, with which flavour and why, who cannot, what it costs.",
     "trawl plan runqlat --on role=web", 1, 1, ARG_OUTPUT | ARG_ON | ARG_FOR | ARG_FLAVOUR | ARG_EXPIRE | ARG_PARAMS | ARG_COURSE,
     verb_plan},
    {"hosts", "[SELECTOR]", "Agents, their labels, their kernels, what each can run.", "trawl hosts -o wide role=web", 0, 1,
     ARG_OUTPUT_WIDE, verb_fleet_hosts},
    {"tools", "[TOOL]", "The catalogue: tools, parameters, flavours, how to read the numbers.", "trawl tools biolatency", 0, 1,
     ARG_OUTPUT | ARG_MARKDOWN, verb_tools},
    {"campaigns", "", "What was asked lately, newest first.", "trawl campaigns -n 5", 0, 0, ARG_OUTPUT | ARG_N, verb_fleet_campaigns},
    {"show", "[ID]", "One campaign: where every targeted host stands and why.", "trawl show last", 0, 1, ARG_OUTPUT, verb_fleet_show},
    {"stop", "ID", "Ends a campaign; what was measured until then is kept.", "trawl stop last", 1, 1, 0, verb_fleet_stop},
    {"pause", "ID", "No more hosts begin; those that trace go on.", "trawl pause last", 1, 1, 0, verb_control_pause},
    {"resume", "ID", "A paused campaign goes on.", "trawl resume last", 1, 1, 0, verb_control_resume},
    {"watch", "ID", "Follows a campaign to its end; Ctrl-C leaves it.", "trawl watch last", 1, 1, ARG_OUTPUT, verb_watch},
    {"retry", "ID", "Signs and starts the same again for the hosts that failed, timed out or were offline.", "trawl retry last", 1, 1,
     ARG_OUTPUT | ARG_PER_HOST | ARG_MERGED | ARG_N | ARG_BY | ARG_OF | ARG_RANK | ARG_WHERE | ARG_FOCUS | ARG_IGNORE | ARG_DETACH,
     verb_retry},
    {"hist", "[ID]", "A campaign's merged histograms and its hosts, worst first.", "trawl hist last --section disk=vda", 0, 1,
     ARG_OUTPUT | ARG_SECTION | ARG_MERGED | ARG_PER_HOST | ARG_ON | ARG_ROUND | ARG_OVER | ARG_N, verb_answers_hist},
    {"top", "[ID]", "A campaign's events counted by a field.", "trawl top last --by PCOMM,host --where 'PCOMM!=sh' -n 5", 0, 1,
     ARG_OUTPUT | ARG_BY | ARG_OF | ARG_RANK | ARG_N | ARG_PER_HOST | ARG_ON | ARG_WHERE | ARG_ROUND, verb_answers_top},
    {"connections", "[ID]", "Who connects to whom: how often, and how long it takes.", "trawl connections last --rank p99 -n 5", 0, 1,
     ARG_OUTPUT | ARG_OF | ARG_RANK | ARG_N | ARG_PER_HOST | ARG_ON | ARG_WHERE | ARG_ROUND, verb_answers_connections},
    {"outliers", "[ID]", "Hosts that stand apart from their peers: those of the same role, unless --by names another label.",
     "trawl outliers last --by zone", 0, 1, ARG_OUTPUT | ARG_ON | ARG_BY | ARG_ROUND, verb_answers_outliers},
    {"events", "[ID]", "A campaign's events, row by row.", "trawl events last -n 50 --where 'PCOMM=sh'", 0, 1,
     ARG_OUTPUT | ARG_N | ARG_ON | ARG_WHERE | ARG_ROUND, verb_answers_events},
    {"stacks", "[ID…]", "A campaign's merged stacks, largest first; of several campaigns of one tool all together.",
     "trawl stacks last --by frame --rank total -n 5", 0, ARGS_WORDS_MAX,
     ARG_OUTPUT | ARG_N | ARG_ON | ARG_FOCUS | ARG_IGNORE | ARG_BY | ARG_RANK | ARG_ROUND, verb_answers_stacks},
    {"export", "[ID…]", "A campaign's answer in a form that other programs read; stacks of several campaigns all together.",
     "trawl export last --format openmetrics > out.prom", 0, ARGS_WORDS_MAX, ARG_FORMAT | ARG_PER_HOST | ARG_ROUND | ARG_FILE, verb_export},
    {"merge", "BUNDLE", "Merges the parts in an evidence bundle (export --format bundle) again and shows the answer; offline.",
     "trawl merge incident.bundle", 1, 1, ARG_OUTPUT | ARG_TRUST | ARG_N, verb_merge},
    {"flame", "[ID [BEFORE | ID…]]",
     "A campaign's stacks as a flame graph (SVG), coloured by what changed when there is a BEFORE or --versus.",
     "trawl flame last > out.svg", 0, ARGS_WORDS_MAX, ARG_ROUND | ARG_ON | ARG_VERSUS | ARG_SUM, verb_flame},
    {"diff", "[ID [BEFORE]]", "What changed between two campaigns, or what differs between some hosts and others (--on A --versus B).",
     "trawl diff last --on role=web --versus role=db", 0, 2,
     ARG_OUTPUT | ARG_ON | ARG_VERSUS | ARG_SECTION | ARG_MERGED | ARG_BY | ARG_RANK | ARG_FOCUS | ARG_IGNORE | ARG_N | ARG_ROUND,
     verb_diff},
    {"lockdown", "[lift|show] [REASON]", "Stops everything on every host and refuses new work, until an admin lifts it.",
     "trawl lockdown \"until the incident is understood\"", 0, 2, 0, verb_lockdown},
    {"trigger", "add|test NAME TOOL | list | show|test|remove NAME",
     "Captures that start themselves, within limits that are signed once; test: what one would capture where, and at what cost.",
     "trawl trigger add stalls runqlat --when 'pressure.cpu > 20% in 2s' --on role=web --for 5s", 1, 3,
     ARG_OUTPUT | ARG_ON | ARG_FOR | ARG_FLAVOUR | ARG_EXPIRE | ARG_PARAMS | ARG_COURSE | ARG_LIMITS, verb_trigger},
    {"audit", "[ID | verify [FILE]]", "Who asked for what and what came of it; verify: is the log (or a host's FILE) what was written?",
     "trawl audit --since 2h", 0, 2, ARG_OUTPUT | ARG_SINCE | ARG_N, verb_audit},
    {"doctor", "", "Finds and explains what is wrong with a set-up, yours or (--agent) this host's.",
     "trawl doctor --agent /etc/trawl/agent.conf", 0, 0, ARG_OUTPUT | ARG_AGENT, verb_doctor},
    {"parse", "TOOL FILE…", "Reads print-outs captured by hand (- is standard input) like a capture's; offline.",
     "trawl parse runqlat --flavour bcc -o json out.txt", 2, ARGS_WORDS_MAX, ARG_OUTPUT | ARG_FLAVOUR, verb_parse},
};

static void help(FILE *to) {
    fputs("usage: trawl VERB [words] [options]\n\nOne answer from a whole fleet: BPF tracing tools run on many hosts, merged.\n\n", to);
    for (size_t i = 0; i < COUNT_OF(VERBS); i++) {
        char left[80];
        int n = snprintf(left, sizeof left, "%s %s", VERBS[i].name, VERBS[i].words);
        fprintf(to, n > 20 ? "  %s\n%23s%s\n" : "  %-20s%s%s\n", left, n > 20 ? "" : " ", VERBS[i].summary);
    }
    fputs("\n  trawl VERB --help    the verb's options, with an example\n  trawl --print-config a commented console.conf\n  trawl "
          "--version\n\n"
          "exit codes: 0 ok, 1 failed, 2 usage, 3 some targeted hosts are not in the answer\n"
          "settings:   $TRAWL_CONFIG, ~/.config/trawl/console.conf or /etc/trawl/console.conf\n",
          to);
}

/* The forms for scdoc are for the build, which makes the man pages with them. */
static int print_table(const char *flag) {
    if (strcmp(flag, "--print-config") == 0) return settings_print(NULL) ? EXIT_FAILED : EXIT_OK;
    if (strcmp(flag, "--print-config=scdoc") == 0) return settings_print("scdoc") ? EXIT_FAILED : EXIT_OK;
    if (strcmp(flag, "--print-verbs=scdoc") != 0) {
        fprintf(stderr, "trawl: there is no option \"%s\"; trawl --help lists what there is\n", flag);
        return EXIT_USAGE;
    }
    for (size_t i = 0; i < COUNT_OF(VERBS); i++) args_manual(&VERBS[i], stdout);
    return fflush(stdout) == 0 ? EXIT_OK : EXIT_FAILED;
}

int main(int argc, char **argv) {
    setlocale(LC_CTYPE, "C.UTF-8"); /* how wide characters are, for tables; nothing of the person's own locale */
    const char *name = argc > 1 ? argv[1] : "";
    if (strcmp(name, "--version") == 0) {
        puts("trawl " TRAWL_VERSION);
        return EXIT_OK;
    }
    if (argc < 2 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
        help(argc < 2 ? stderr : stdout);
        return argc < 2 ? EXIT_USAGE : EXIT_OK;
    }
    if (strncmp(name, "--", 2) == 0) return print_table(name);
    for (size_t i = 0; i < COUNT_OF(VERBS); i++) {
        if (strcmp(VERBS[i].name, name) != 0) continue;
        struct args a;
        enum err e = args_parse(&VERBS[i], argc - 1, argv + 1, &a);
        if (e) return e == ERR_AGAIN ? EXIT_OK : EXIT_USAGE;
        int code = VERBS[i].run(&a);
        if (ferror(stdout) || fflush(stdout) != 0) {
            args_complain(name, "the answer could not be written");
            return EXIT_FAILED;
        }
        return code;
    }
    fprintf(stderr, "trawl: there is no verb \"%s\"; trawl --help lists them\n", name);
    return EXIT_USAGE;
}
