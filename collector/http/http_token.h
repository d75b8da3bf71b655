/* The secret that callers from outside must show.  From a file that nobody else can read; kept as its digest. */
#pragma once

#include "common/crypto/digest.h"

enum { HTTP_TOKEN_LEAST = 16, HTTP_TOKEN_MOST = 4096 };

struct http_token {
    unsigned char digest[DIGEST_BYTES];
};

/* ERR_UNTRUSTED: others than its owner, root or us, may read it; ERR_LIMIT: shorter than 16 characters or far too long; ERR_SYS.  why: a
 * sentence. */
NODISCARD enum err http_token_read(const char *path, struct http_token *out, char *why, size_t why_size);
/* Of an Authorization header: "Bearer TOKEN".  Takes as long for any token that is wrong. */
bool http_token_fits(const struct http_token *t, struct span header);
