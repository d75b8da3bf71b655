/* The signatures of revocation lists are verified when the lists are read, not again in each handshake: that was 15 % of its cost.
 * Whatever is not known from then (another issuer, a list for some certificates only, one that is out of date) OpenSSL checks itself,
 * in full, and says what is wrong with it.  Private to common/net. */
#pragma once

#include <openssl/x509_vfy.h>

#include "common/base/err.h"

/* Of the lists and CAs that are in store now, which must get no others later. */
NODISCARD enum err crl_verify(X509_STORE *store);
