/* Opening a file that only root can have put there. */
#pragma once

#include "common/base/buf.h"

enum { TRUST_PATH_BYTES = 1024 };

/* Walks path from "/" one name at a time, holding what it walks through, so that nothing is looked up twice.  Every folder on the
 * way (those of links too) and the file itself must be owned by root and writable by neither its group nor others; the file must be
 * regular, executable, without set-id bits and file capabilities.
 * ERR_OK: *out_fd reads that file and only that file, whatever is renamed later; out_real is its path without links.
 * ERR_NOTFOUND: nothing there (why untouched).  ERR_UNTRUSTED: why says which name and what is wrong with it.  ERR_SYS. */
NODISCARD enum err trust_open(const char *path, int *out_fd, char out_real[TRUST_PATH_BYTES], struct buf *out_why);
/* ERR_UNTRUSTED when pins (words PATH=SHA256HEX) have one for path or real and the content is another. */
NODISCARD enum err trust_pin(const char *pins, const char *path, const char *real, int fd, struct buf *out_why);
