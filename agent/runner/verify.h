/* Which file is this flavour here, and may it be run? */
#pragma once

#include "agent/runner/policy.h"
#include "agent/runner/trust.h"

/* A tool that passed every check, held open: what these descriptors read is what will run. */
struct verified {
    int exec_fd;                       /* the ELF binary: the tool itself, or the interpreter of a script */
    int script_fd;                     /* -1: not a script */
    int program_fd;                    /* what bpftrace runs; -1: none */
    char path[TRUST_PATH_BYTES];       /* as found; its last name is argv[0] */
    char interpreter[TRUST_PATH_BYTES]; /* "": not a script */
    char option[64];                   /* what the first line gives the interpreter; "" nothing */
    bool python;                       /* the interpreter is Python */
    bool replayed;                     /* not from a standard directory */
};

/* Where tools and our programs are looked for; NULL-terminated. */
extern const char *const verify_dirs[];

/* Names of the row in order, in the standard directories (in policy's tool_dir alone when it is set).
 * ERR_NOTFOUND: not installed, why says where it was looked for; ERR_UNTRUSTED: why says what is wrong; ERR_SYS.
 * On success verify_done closes what is held. */
NODISCARD enum err verify_tool(const struct policy *p, const struct flavour *f, struct verified *out, struct buf *out_why);
/* The program at path, which out runs, is held open too, after the same checks.  ERR_NOTFOUND: why says that it is not installed. */
NODISCARD enum err verify_program(const struct policy *p, const char *path, struct verified *out, struct buf *out_why);
void verify_done(struct verified *v);
