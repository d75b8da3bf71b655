/* The core thread: owns the hosts, the campaigns and their live results; decides, answers, and says what is to be written and sent.
 * It reads the store through a handle of its own and writes through the store thread only. */
#pragma once

#include "collector/message/message.h"
#include "common/crypto/sign.h"

struct core;

struct core_options {
    struct queue *inbox, *store, *ingest, *consoles; /* keeps */
    struct queue *outside;                           /* keeps: to http; NULL: nobody listens there */
    const char *store_path;                          /* keeps */
    const char *fleet;                               /* keeps */
    const char *operators_ca, *operators_crl;        /* keeps; crl may be NULL */
    const char *tls_cert, *tls_key;                  /* keeps; sign the audit log's checkpoints; NULL: nobody does */
    uint64_t keep_days, keep_bytes;                  /* retention; 0: for ever, without limit */
    uint64_t operator_campaigns, operator_captures;  /* that one operator may have at a time */
    unsigned mask[AUTHORITY__COUNT];                 /* what operators are not shown: bits 1 << catalog_class */
};

/* Reads the hosts and all campaigns that have not ended.  The store's writer must have been opened before.  why gets a sentence. */
NODISCARD enum err core_new(const struct core_options *opt, char *why, size_t why_size, struct core **out);
/* Starts the thread.  ERR_SYS. */
NODISCARD enum err core_start(struct core *c);
/* What was pushed before is handled first; then the thread ends and what is left is freed.  Not started: nothing happens. */
void core_stop(struct core *c);
void core_free(struct core *c);
AUTO_TYPE(struct core, core_free)
