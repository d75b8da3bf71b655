#include <getopt.h>
#include <malloc.h>
#include <stdio.h>

#include "collector/daemon/care.h"
#include "collector/daemon/run.h"

static const char usage[] = "usage: trawl-collectord [--config FILE] [--check] [--print-config]\n"
                            "       trawl-collectord [--config FILE] check | backup FILE\n"
                            "\n"
                            "Collects what agents measure, merges it, and answers consoles.\n"
                            "\n"
                            "  -c, --config FILE   default /etc/trawl/collector.conf\n"
                            "      --check         read configuration, certificates and the whole store, try addresses, end\n"
                            "      --print-config  a commented configuration file\n"
                            "      --version\n"
                            "  -h, --help          this, and the configuration file's keys with their defaults\n"
                            "\n"
                            "check reads the store's every page and part and names what is hurt.  backup copies the store to FILE; the collector\n"
                            "may run meanwhile.\n"
                            "example: trawl-collectord backup /var/backups/trawl.db\n"
                            "\n"
                            "SIGHUP reads the certificates again.  SIGTERM finishes what was begun and ends.\n"
                            "\n";

enum { OPT_CHECK = 256, OPT_PRINT, OPT_VERSION };
static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                        {"check", no_argument, NULL, OPT_CHECK},
                                        {"print-config", optional_argument, NULL, OPT_PRINT},
                                        {"version", no_argument, NULL, OPT_VERSION},
                                        {"help", no_argument, NULL, 'h'},
                                        {NULL, 0, NULL, 0}};

static int help(void) {
    struct buf b;
    buf_init(&b, 0);
    buf_add_str(&b, usage);
    settings_example(&b);
    const char *text = buf_str(&b);
    int code = text && fputs(text, stdout) >= 0 ? 0 : 1;
    buf_done(&b);
    return code;
}

/* A session's memory comes from whichever thread of nng's was at it.  With an arena for each of them there are that many times the holes:
 * 4 KiB a session. */
static void few_arenas(void) { IGNORED(mallopt(M_ARENA_MAX, 2) == 0); /* then there are many */ }

int main(int argc, char **argv) {
    few_arenas();
    const char *path = "/etc/trawl/collector.conf";
    bool check = false;
    for (int opt; (opt = getopt_long(argc, argv, "c:h", options, NULL)) != -1;) {
        switch (opt) {
        case 'c':
            path = optarg;
            break;
        case OPT_CHECK:
            check = true;
            break;
        case OPT_PRINT: return settings_print(optarg) != ERR_OK;
        case OPT_VERSION:
            return printf("trawl-collectord %s\n", TRAWL_VERSION) < 0;
        case 'h':
            return help();
        default:
            fputs("Try trawl-collectord --help.\n", stderr);
            return 2;
        }
    }
    const char *verb = optind < argc ? argv[optind] : "";
    bool store_check = strcmp(verb, "check") == 0, backup = strcmp(verb, "backup") == 0;
    if (argc - optind != (backup ? 2 : store_check ? 1 : 0)) {
        fprintf(stderr, "trawl-collectord: there are no arguments but check, and backup FILE; the first one given is \"%s\".\n", verb);
        fputs("Try trawl-collectord --help.\n", stderr);
        return 2;
    }
    struct settings set = {0};
    char why[512] = "";
    enum err e = settings_load(path, &set, why, sizeof why);
    if (e != ERR_OK) {
        fprintf(stderr, "trawl-collectord: %s\n", *why ? why : err_text(e));
        return 1;
    }
    int code = store_check ? care_check(set.store, stdout)
               : backup    ? care_backup(set.store, argv[optind + 1])
               : check     ? run_check(&set)
                           : run_collector(&set);
    settings_done(&set);
    return code;
}
