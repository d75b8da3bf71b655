/* "HOST:PORT", "[::1]:PORT": taken apart, made into nng's URL, made from a socket address.  Pure.  Private to common/net. */
#pragma once

#include <nng/nng.h>

#include "common/base/err.h"
#include "common/base/span.h"

enum { ADDRESS_HOST_BYTES = 253, ADDRESS_TEXT_BYTES = 64, ADDRESS_URL_BYTES = 300 };

struct address {
    char host[ADDRESS_HOST_BYTES + 1]; /* without brackets; "" or "*": any (only for listening) */
    uint16_t port;
};
/* ERR_SYNTAX: not of that form, or characters that no host has. */
NODISCARD enum err address_parse(const char *text, struct address *out);
void address_url(const struct address *a, char *out); /* ADDRESS_URL_BYTES */
void address_text(const nng_sockaddr *sa, char *out); /* ADDRESS_TEXT_BYTES; "192.0.2.1:7000" */
