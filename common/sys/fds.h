/* File descriptors: passing, closing, and files written so that they are there whole or not at all. */
#pragma once

#include <sys/types.h>

#include "common/base/buf.h"

/* Send bytes and up to 4 descriptors as one packet (SOCK_SEQPACKET), waiting if the socket does.  ERR_GONE: peer closed; ERR_AGAIN. */
NODISCARD enum err fds_send(int sock, const void *bytes, size_t n, const int *fds, size_t n_fds);
/* Receive one packet.  *n: room in, length out.  Descriptors beyond max_fds are closed.  ERR_GONE at end; ERR_LIMIT truncated. */
NODISCARD enum err fds_receive(int sock, void *bytes, size_t *n, int *out_fds, size_t max_fds, size_t *out_n_fds);
/* Close every descriptor ≥ low.  Async-signal-safe. */
void fds_close_from(int low);
/* Whole file appended to buf (its cap limits); nothing on failure.  ERR_SYS, ERR_LIMIT, ERR_NOMEM. */
NODISCARD enum err fds_read_file(const char *path, struct buf *out);
/* Write to dir/name: a temporary file (.NAME.tmp), fsync, rename, fsync of dir.  mode as given.  One writer per name.
 * ERR_SYS (errno says): no temporary file is left. */
NODISCARD enum err fds_write_file(int dir_fd, const char *name, struct span bytes, mode_t mode);
