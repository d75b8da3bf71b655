/* Evidence bundles (docs/exports.md): everything that an answer was made of, in one file, and the answer made of it again. */
#pragma once

#include "console/cli/ask.h"

/* The campaign of this id, which has ended, into a file that must not be there yet.  Returns the exit code. */
int bundles_write(struct ask *k, const char *id, const char *path);

/* What a bundle has, once all of it was read and what can be proved was proved. */
struct bundle_answer {
    enum query_kind kind;
    struct answer answer;       /* in mem */
    size_t parts, hosts, bytes; /* bytes: of the answer, which came out the same again */
    char signer[256];           /* who signed the order; empty: nobody looked, for there was no CA */
};
/* trust: the operators' CA (a file), or NULL.  False: said why on stderr. */
bool bundles_read(const char *path, const char *trust, struct arena *mem, struct bundle_answer *out);
