#include "collector/daemon/settings.h"

#include <stddef.h>

#include "common/base/auto.h"
#include "common/catalog/catalog_class.h"

#define ITEM(field, kind, fallback_text, help_text)                                                                                        \
    { .key = #field, .type = kind, .offset = offsetof(struct settings, field), .fallback = fallback_text, .help = help_text }
#define COUNT(field, most, fallback_text, help_text)                                                                                       \
    {                                                                                                                                      \
        .key = #field, .type = CONF_U64, .low = 1, .high = most, .offset = offsetof(struct settings, field), .fallback = fallback_text,    \
        .help = help_text                                                                                                                  \
    }

static const struct conf_item items[] = {
    ITEM(fleet, CONF_TEXT, NULL, "the fleet's name, as in the certificates"),
    ITEM(name, CONF_TEXT, "", "this collector's name; empty: as in its certificate"),
    ITEM(listen, CONF_TEXT, "0.0.0.0:7443", "HOST:PORT where agents connect; port 0: any"),
    ITEM(console_listen, CONF_TEXT, "0.0.0.0:7444", "HOST:PORT where consoles connect; port 0: any"),
    ITEM(tls_ca, CONF_PATH, "/etc/trawl/fleet-ca.pem", "the fleet's CA: vouches for agents"),
    ITEM(tls_cert, CONF_PATH, "/etc/trawl/collector.pem", "this collector's certificate, then intermediates"),
    ITEM(tls_key, CONF_PATH, "/etc/trawl/collector.key", "its key, readable by this user only"),
    ITEM(tls_crl, CONF_PATH, "", "revoked certificates of the fleet's CA; empty: none are"),
    ITEM(operators_ca, CONF_PATH, "/etc/trawl/operators-ca.pem", "the operators' CA: vouches for consoles and for orders"),
    ITEM(operators_crl, CONF_PATH, "", "revoked certificates of the operators' CA; empty: none are"),
    ITEM(store, CONF_PATH, "/var/lib/trawl/collector/store.db", "the file that everything is kept in; made when missing"),
    ITEM(http_listen, CONF_TEXT, "", "HOST:PORT for alerts, calls, metrics and health over TLS; empty: nobody listens"),
    ITEM(http_cert, CONF_PATH, "", "the certificate that is shown there; empty: tls_cert"),
    ITEM(http_key, CONF_PATH, "", "its key; empty: tls_key"),
    ITEM(http_token_file, CONF_PATH, "/etc/trawl/http.token",
         "the secret that callers show (Authorization: Bearer); only its owner may read it"),
    ITEM(mask_viewer, CONF_WORDS, "",
         "what operators who may only look are not shown: ARGS (command lines), PATH (file names), HOST (host names and addresses in "
         "results)"),
    ITEM(mask_runner, CONF_WORDS, "", "the same for operators who may start campaigns; an admin is shown everything"),
    ITEM(keep_days, CONF_U64, "0", "results of campaigns that ended longer ago are removed, their summaries stay; 0: none are"),
    ITEM(keep_bytes, CONF_U64, "0", "when the store's content takes more, the oldest results are removed; 0: it may grow"),
    ITEM(operator_campaigns, CONF_U64, "256", "how many campaigns one operator may have under way at a time"),
    ITEM(operator_captures, CONF_U64, "50000", "how many hosts all those campaigns may still be waiting for"),
    COUNT(waiting_agents, 1000000, "2000", "how many connections of agents may be waiting to be greeted"),
    COUNT(waiting_of_address, 1000000, "1500", "how many of them from one address; more, when many agents are behind one"),
};

enum err settings_load(const char *path, struct settings *out, char *why, size_t why_size) {
    enum err e = conf_load(items, COUNT_OF(items), path, out, why, why_size);
    if (e != ERR_OK) return e;
    unsigned unused;
    struct span word;
    const struct { const char *key, *words; } masks[] = {{"mask_viewer", out->mask_viewer}, {"mask_runner", out->mask_runner}};
    for (size_t i = 0; i < COUNT_OF(masks); i++) {
        if (catalog_class_words(masks[i].words, &unused, &word)) continue;
        snprintf(why, why_size, "%s: \"%.*s\" is not ARGS, PATH or HOST", masks[i].key, (int)word.n, word.p);
        settings_done(out);
        return ERR_SYNTAX;
    }
    return ERR_OK;
}

unsigned settings_mask(const struct settings *s, enum authority a) {
    unsigned viewer = 0, runner = 0;
    struct span unused;
    IGNORED(catalog_class_words(s->mask_viewer, &viewer, &unused)); /* settings_load refused what is none */
    IGNORED(catalog_class_words(s->mask_runner, &runner, &unused));
    if (a >= AUTHORITY_ADMIN) return 0;
    return a == AUTHORITY_RUNNER ? runner : viewer | runner; /* who may less is not shown more */
}

void settings_done(struct settings *s) { conf_done(items, COUNT_OF(items), s); }

void settings_example(struct buf *out) { conf_example(items, COUNT_OF(items), out); }

enum err settings_print(const char *form) { return conf_print(items, COUNT_OF(items), form, stdout); }

const char *settings_path(const char *value) { return value && *value ? value : NULL; }
