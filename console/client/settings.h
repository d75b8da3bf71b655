/* Where the console finds its collector and its operator: $TRAWL_CONFIG, ~/.config/trawl/console.conf or /etc/trawl/console.conf. */
#pragma once

#include "common/conf/conf.h"

struct settings {
    char *fleet, *collector; /* collector HOST:PORT of its console_listen */
    char *tls_ca;            /* the fleet CA */
    char *cert, *key;        /* the operator's */
    char *bands;             /* words, as of bands.h */
};

/* The file that settings_load reads.  ERR_NOTFOUND: none; why names the places. */
NODISCARD enum err settings_find(char *why, size_t why_size, char *out_path, size_t path_size);
/* ERR_NOTFOUND: no file; why names the places.  Else as conf_load. */
NODISCARD enum err settings_load(char *why, size_t why_size, struct settings *out);
void settings_done(struct settings *s);
/* As conf_print. */
NODISCARD enum err settings_print(const char *form);
