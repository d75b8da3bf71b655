/* SHA-256 of bytes or of an open file, and random bytes.  OpenSSL EVP. */
#pragma once

#include "common/base/err.h"
#include "common/base/span.h"

enum { DIGEST_BYTES = 32 };

NODISCARD enum err digest_bytes(struct span s, unsigned char out[DIGEST_BYTES]);
/* From offset 0 to its end by pread; the descriptor's position is not moved. */
NODISCARD enum err digest_fd(int fd, unsigned char out[DIGEST_BYTES]);
NODISCARD enum err digest_random(void *out, size_t n);
