/* Bounded read of a running tool: both its descriptors, into memory, up to the host's caps.  What comes beyond a cap is read
 * and counted, never kept, so the tool is not left blocked while it is being stopped.
 * Thread: the loop's. */
#pragma once

#include "common/base/buf.h"
#include "common/base/loop.h"

struct reader_stream {
    struct loop_watch watch;
    struct buf text;
    uint64_t dropped_bytes; /* over the cap */
    size_t cap;
    struct reader *owner;
};

struct reader {
    struct loop *loop;
    struct reader_stream out, err;
    void (*over)(struct reader *r); /* stdout went over its cap, told once: stop the tool */
    void (*done)(struct reader *r); /* both descriptors are at their end, told once */
};

/* takes both descriptors (also on failure).  over and done are set by the caller and come from the loop only. */
NODISCARD enum err reader_start(struct reader *r, struct loop *loop, int out_fd, int err_fd, size_t out_cap, size_t err_cap);
/* Closes what is open; done() does not come any more.  The texts stay. */
void reader_close(struct reader *r);
/* Frees the texts too.  Harmless on a zeroed reader. */
void reader_done(struct reader *r);
static inline bool reader_open(const struct reader *r) { return r->out.watch.fd >= 0 || r->err.watch.fd >= 0; }
