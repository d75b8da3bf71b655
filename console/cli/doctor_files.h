/* trawl doctor's look at the files of an identity: there, readable, not by others; key, certificate, issuer, dates, role.  Each function
 * says what it found and returns whether what builds on it makes sense. */
#pragma once

#include "common/identity/identity.h"
#include "console/cli/doctor.h"

/* Who reads the files: the caller, or a user of this host (then as root only). */
struct doctor_reader {
    bool other;
    unsigned uid, gid;
    const char *name;
};

/* A readable file.  key: the configuration's word for it. */
bool doctor_files_readable(struct doctor *d, const struct doctor_reader *by, const char *key, const char *path);
/* Nobody else can use it; group: its group may read it (an agent's). */
bool doctor_files_key_private(struct doctor *d, const char *path, bool group);
/* The certificate's key, dates and identity.  name: NULL any.  renew: the command that issues another. */
bool doctor_files_own(struct doctor *d, const char *cert, const char *key, enum role role, const char *fleet, const char *name,
                      const char *renew);
/* A CA file: CAs' certificates, in date. */
bool doctor_files_ca(struct doctor *d, const char *key, const char *path);
/* A revocation list: of this CA, in date.  path empty: a warning that nothing can be revoked. */
void doctor_files_list(struct doctor *d, const char *key, const char *path);
/* Can this user do that (R_OK, W_OK, X_OK) with it?  0 or an errno. */
int doctor_files_may(const struct doctor_reader *by, const char *path, int how);
