/* Certificates and revocation lists that end soon: looked at when this is started, when it is asked, and once a day.
 * Thread: the loop's. */
#pragma once

#include "common/base/loop.h"
#include "common/crypto/cert.h"

enum { EXPIRY_FILES = 6 };

struct expiry_file {
    const char *path; /* NULL or "": there is none */
    enum cert_kind kind;
};

/* This file ends within CERT_WARN_DAYS, or has ended (days_left < 0).  until: "2026-11-23T00:14:27Z". */
typedef void expiry_fn(const struct expiry_file *f, int64_t days_left, const char *until);

struct expiry {
    struct loop *loop;
    struct expiry_file files[EXPIRY_FILES];
    size_t n;
    expiry_fn *ending;
    struct loop_timer daily;
};

/* keeps loop and the paths.  Looks at once. */
void expiry_start(struct expiry *e, struct loop *loop, const struct expiry_file *files, size_t n, expiry_fn *ending);
void expiry_look(struct expiry *e);
void expiry_stop(struct expiry *e); /* harmless when it was not started */
/* "certificate", "CA", "revocation list". */
const char *expiry_kind_name(enum cert_kind k);
