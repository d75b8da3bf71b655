/* The pins of what is installed here. */
#pragma once

#include "agent/runner/policy.h"

/* Appends a line "SHA256  PATH" (as sha256sum prints and checks them) for every file that this host's runs would execute or read as
 * their program: tools, the interpreters of scripts, and our programs for bpftrace.  What is not trusted gets none: out_why has a line
 * for each.  ERR_NOMEM; ERR_SYS. */
NODISCARD enum err pin_installed(const struct policy *p, struct buf *out, struct buf *out_why);
