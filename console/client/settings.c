#include "console/client/settings.h"

#include <stddef.h>

enum { PATH_BYTES = 4096 };

static const struct conf_item ITEMS[] = {
    {"fleet", CONF_TEXT, offsetof(struct settings, fleet), 0, 0, NULL, "name of the fleet, as in its certificates"},
    {"collector", CONF_TEXT, offsetof(struct settings, collector), 0, 0, NULL, "HOST:PORT of the collector's console_listen"},
    {"tls_ca", CONF_PATH, offsetof(struct settings, tls_ca), 0, 0, "/etc/trawl/fleet-ca.pem",
     "CA that vouches for the collector (the fleet CA)"},
    {"cert", CONF_PATH, offsetof(struct settings, cert), 0, 0, NULL, "your operator certificate"},
    {"key", CONF_PATH, offsetof(struct settings, key), 0, 0, NULL, "your operator key; it never leaves this machine"},
    {"bands", CONF_WORDS, offsetof(struct settings, bands), 0, 0, "",
     "how you read the numbers, where it is not as trawl tools says: TOOL[/KIND].pNN=GOOD[,CRITICAL], such as runqlat.p99=200us,2ms "
     "biolatency/hdd.p50=8ms (kinds: hdd, ssd, nvme, virtual)"},
};

enum err settings_find(char *why, size_t why_size, char *out_path, size_t path_size) {
    const char *chosen = getenv("TRAWL_CONFIG"), *home = getenv("HOME");
    char own[PATH_BYTES] = "";
    if (chosen && !chosen[0]) chosen = NULL;
    if (home) snprintf(own, sizeof own, "%s/.config/trawl/console.conf", home);
    const char *places[] = {own, "/etc/trawl/console.conf"};
    for (size_t i = 0; !chosen && i < sizeof places / sizeof places[0]; i++)
        if (places[i][0] && access(places[i], R_OK) == 0) chosen = places[i];
    if (!chosen) {
        snprintf(why, why_size, "no console.conf: looked at $TRAWL_CONFIG, %s%s/etc/trawl/console.conf", own, own[0] ? " and " : "");
        return ERR_NOTFOUND;
    }
    if ((size_t)snprintf(out_path, path_size, "%s", chosen) < path_size) return ERR_OK;
    snprintf(why, why_size, "the path of console.conf is too long");
    return ERR_LIMIT;
}

enum err settings_load(char *why, size_t why_size, struct settings *out) {
    char path[PATH_BYTES];
    enum err e = settings_find(why, why_size, path, sizeof path);
    return e ? e : conf_load(ITEMS, sizeof ITEMS / sizeof ITEMS[0], path, out, why, why_size);
}

void settings_done(struct settings *s) { conf_done(ITEMS, sizeof ITEMS / sizeof ITEMS[0], s); }

enum err settings_print(const char *form) { return conf_print(ITEMS, sizeof ITEMS / sizeof ITEMS[0], form, stdout); }
