/* The calls by which a file is written can fail too: link test_fault_file, and openat, write, fsync, fchmod, close and renameat of our own
 * objects have their turn in FOR_EACH_FAULT (fault.h), with EIO. */
#pragma once

#include <stddef.h>

#include "tests/support/fault.h"

/* A write takes at most this many bytes.  SIZE_MAX: all that it is given. */
void fault_file_longest_write(size_t bytes);
