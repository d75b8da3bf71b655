/* The transport of one process: TLS identity and the loop that its connections live on.  nng streams underneath, with our
 * OpenSSL engine (TLS 1.3, both sides authenticated).  Connections and calls are in rpc.h.
 * Thread: the loop's.  nng's own threads only hand over through a queue. */
#pragma once

#include "common/base/loop.h"
#include "common/identity/identity.h"

struct net;

struct net_files {
    const char *ca;   /* PEM: CAs that vouch for peers (one or two) */
    const char *cert; /* PEM: own certificate, then intermediates */
    const char *key;  /* PEM; refused when others can read it */
    const char *crl;  /* PEM; NULL: no revocation list */
};

struct net_options {
    struct loop *loop;      /* keeps */
    struct net_files files; /* read at once */
    const char *fleet;      /* a peer's identity must be of this fleet */
    const char *software;   /* "trawl-agentd 0.1.0", told to peers */
    uint64_t waiting, waiting_of_address; /* connections at a listener's door that have not greeted yet: in all, of one address; 0: the
                                             defaults (2000, 1500) */
};

/* Errors: ERR_SYS a file cannot be read; ERR_UNTRUSTED key and certificate do not match, key readable by others, own
 * certificate without identity; ERR_EXPIRED own certificate is out of date.  why (≥ 256 bytes) gets a sentence for people. */
NODISCARD enum err net_new(const struct net_options *opt, char *why, size_t why_size, struct net **out);
/* Closes what is open.  The loop must still exist. */
void net_free(struct net *n);
AUTO_TYPE(struct net, net_free)
const struct identity *net_self(const struct net *n);
/* Read the files again; new connections use them.  On failure the old ones stay in force. */
NODISCARD enum err net_reload(struct net *n, char *why, size_t why_size);
