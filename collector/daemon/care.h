/* What an administrator does with a store: trawl-collectord check and backup.  Both may run beside the collector. */
#pragma once

#include <stdio.h>

/* Reads every page and decodes every part, and says onto to what is hurt, a line each.  The process's exit code: 0 nothing is, 1. */
int care_check(const char *store, FILE *to);
/* Copies the store to the file and checks the copy as above.  0; 1: said on stderr why. */
int care_backup(const char *store, const char *file);
