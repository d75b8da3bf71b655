/* TLS alerts in words: what a peer says when it refuses us. */
#pragma once

#include "common/base/err.h"

const char *alert_text(int alert); /* "certificate revoked" */
enum err alert_err(int alert);     /* ERR_EXPIRED, ERR_VERSION or ERR_UNTRUSTED */
