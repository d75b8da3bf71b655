/* Force-included: functions that have no place here.  See STYLE: one parsing kit (span), no shell, no unbounded copies. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#ifdef TRAWL_INCLUDES_BPF /* its list of helpers has names that are poisoned below */
#include <linux/bpf.h>
#endif

/* glibc's _FORTIFY_SOURCE makes macros of these for clang, and a macro cannot be poisoned. */
#undef sprintf
#undef vsprintf

#pragma GCC poison strtok strtok_r strtol strtoul strtoll strtoull strtod atoi atol atoll atof
#pragma GCC poison sscanf fscanf scanf sprintf vsprintf strcpy strcat strncpy strncat gets
#pragma GCC poison system popen execlp execvp execvpe tmpnam mktemp
