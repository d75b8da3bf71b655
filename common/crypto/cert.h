/* What the PEM files of an identity say, for those who look after them: warnings before a certificate ends, and trawl doctor.  Nothing
 * here decides about trust: that is sign.h's and common/net's.  why gets a sentence that names the file.  Thread: any. */
#pragma once

#include "common/crypto/sign.h"

struct cert {
    char uri[SIGN_URI_BYTES]; /* "": it has not exactly one SAN URI */
    uint64_t not_before_wall_ns, not_after_wall_ns;
    bool is_ca;
};

/* Every certificate of the file in its order.  Errors: ERR_SYS, ERR_SYNTAX, ERR_LIMIT (over SIGN_CERTIFICATES_MAX), ERR_NOMEM. */
NODISCARD enum err cert_read(const char *pem, char *why, size_t why_size, struct cert out[SIGN_CERTIFICATES_MAX], size_t *out_n);
/* Is key_pem the private key of the file's first certificate?  Its mode is not looked at.  ERR_UNTRUSTED: it is another's. */
NODISCARD enum err cert_key_fits(const char *cert_pem, const char *key_pem, char *why, size_t why_size);
/* Did a CA of ca_pem issue the file's first certificate, and does crl_pem (NULL: not asked) cover it without naming it?  Dates are not
 * looked at.  ERR_UNTRUSTED: no. */
NODISCARD enum err cert_issued_by(const char *cert_pem, const char *ca_pem, const char *crl_pem, char *why, size_t why_size);
/* When the first of the file's revocation lists ends, which lets nobody in from then on. */
NODISCARD enum err cert_crl_end(const char *crl_pem, char *why, size_t why_size, uint64_t *out_wall_ns);

/* Whole days from now to then, rounded down: -1 is "ended today or yesterday". */
int64_t cert_days_left(uint64_t then_wall_ns, uint64_t now_wall_ns);
enum { CERT_WARN_DAYS = 30 }; /* fewer are worth a warning */

/* Will this file end within CERT_WARN_DAYS of now (or has it)?  Own: its first certificate; CA: its last one to end, for the older of two
 * is meant to; list: its first one to end.  A file that cannot be read is not ending: whoever loads it says so. */
enum cert_kind { CERT_OWN, CERT_CA, CERT_LIST };
bool cert_is_ending(const char *pem, enum cert_kind kind, uint64_t now_wall_ns, uint64_t *out_end_wall_ns);
