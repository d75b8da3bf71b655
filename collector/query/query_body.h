/* The four kinds of results, a file each.  They fill the body of *a, whose info, targets and notes query.c looks after.
 * Private to this folder. */
#pragma once

#include "collector/query/query.h"

struct query_work {
    const struct query_of *of;
    struct arena *mem;
    char *why; /* QUERY_WHY_BYTES */
    struct answer *a;
    size_t cap_notes;
};

enum { QUERY_NOTES_MAX = 200 }; /* then one that says how many more there are */

void query_note(struct query_work *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* why as formatted; returns status. */
enum rpc_status query_refuse(struct query_work *w, enum rpc_status status, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Is it of the round that was asked for? */
bool query_wants(const struct query_work *w, const struct store_part *p);
/* A stored part does not decode: a note, and the answer goes on without it; or e, when that is no fault of the part. */
NODISCARD enum err query_unreadable(struct query_work *w, const struct store_part *p, enum err e);
/* The status for a failure that is ours: out of memory, or the store. */
enum rpc_status query_failed(struct query_work *w, enum err e);

enum rpc_status query_hist_fill(struct query_work *w);
enum rpc_status query_top_fill(struct query_work *w);
enum rpc_status query_stacks_fill(struct query_work *w);
enum rpc_status query_events_fill(struct query_work *w);
