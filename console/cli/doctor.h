/* What trawl doctor found so far: one line each, printed at once (the table) or in the end (JSON, CSV).
 *   ok   key fits: it is the certificate's
 *   FAIL certificate: it ended on 2026-11-01; issue another: certs/trawl-certs DIR operator ann --renew */
#pragma once

#include "console/cli/args.h"
#include "console/render/screen.h"

enum doctor_level { DOCTOR_OK, DOCTOR_WARN, DOCTOR_FAIL, DOCTOR__LEVELS };

struct doctor_finding {
    enum doctor_level level;
    char *what, *why, *remedy;
};

struct doctor {
    enum output output;
    struct screen screen;
    struct doctor_finding *all;
    size_t n, n_of[DOCTOR__LEVELS];
    bool no_memory;
};

void doctor_begin(struct doctor *d, enum output output);
/* remedy: what to do about it, NULL for a DOCTOR_OK. */
void doctor_say(struct doctor *d, enum doctor_level level, const char *what, const char *remedy, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
/* Prints what is still to print; the exit code. */
int doctor_end(struct doctor *d);
