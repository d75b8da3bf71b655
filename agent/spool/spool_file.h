/* The bytes of one spooled part: "TRAWLP2\n", length of the body u32, CRC-32 u32 (both big endian), body.  The CRC is over the file's name,
 * the length and the body, so that neither a body nor a length nor a name of another part passes.  Pure. */
#pragma once

#include "common/base/buf.h"

enum { SPOOL_FILE_HEADER_BYTES = 16 };

/* What failed is in out (buf_failed). */
void spool_file_encode(struct span name, struct span body, struct buf *out);
/* ERR_DAMAGED: bytes are not what spool_file_encode made for that name.  *out_body is within bytes. */
NODISCARD enum err spool_file_decode(struct span name, struct span bytes, struct span *out_body);
