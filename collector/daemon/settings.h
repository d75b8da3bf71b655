/* collector.conf. */
#pragma once

#include "common/conf/conf.h"
#include "common/identity/identity.h"

struct settings {
    char *fleet, *name, *listen, *console_listen;
    char *tls_ca, *tls_cert, *tls_key, *tls_crl;
    char *operators_ca, *operators_crl;
    char *store;
    char *mask_viewer, *mask_runner;
    char *http_listen, *http_cert, *http_key, *http_token_file;
    uint64_t operator_campaigns, operator_captures;
    uint64_t keep_days, keep_bytes;
    uint64_t waiting_agents, waiting_of_address;
};

/* As conf_load.  settings_done frees. */
NODISCARD enum err settings_load(const char *path, struct settings *out, char *why, size_t why_size);
void settings_done(struct settings *s);
/* The commented example. */
void settings_example(struct buf *out);
/* As conf_print. */
NODISCARD enum err settings_print(const char *form);
/* The classes that operators with this authority are not shown: bits 1 << catalog_class. */
unsigned settings_mask(const struct settings *s, enum authority a);
/* NULL for a key left empty. */
const char *settings_path(const char *value);
