/* The kinds of results, a file each.  They fill the body of *a, whose info, targets and notes query.c looks after.
 * Private to this folder. */
#pragma once

#include "collector/query/query.h"
#include "common/order/selector.h"

struct query_work {
    const struct query_of *of;
    struct arena *mem;
    char *why; /* QUERY_WHY_BYTES */
    struct answer *a;
    const struct selector *selector; /* NULL: all hosts */
    size_t cap_notes;
    unsigned masked; /* classes of what was there and is not shown */
    bool again;      /* what is read was read before, and all that is to be noted of it was noted */
};

enum { QUERY_NOTES_MAX = 200 }; /* then one that says how many more there are */

void query_note(struct query_work *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* why as formatted; returns status. */
enum rpc_status query_refuse(struct query_work *w, enum rpc_status status, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Is it of the round that was asked for? */
bool query_wants(const struct query_work *w, const struct store_part *p);
/* A stored part does not decode: a note, and the answer goes on without it; or e, when that is no fault of the part. */
NODISCARD enum err query_unreadable(struct query_work *w, const struct store_part *p, enum err e);
/* The same, of the parts that the aggregate lacks. */
void query_note_unread(struct query_work *w);
/* The status for a failure that is ours: out of memory, or the store. */
enum rpc_status query_failed(struct query_work *w, enum err e);

/* Without the columns that the role is not shown; room must stay as long as *e. */
struct query_columns {
    struct column columns[LIMIT_COLUMNS];
};
void query_mask_events(struct query_work *w, struct query_columns *room, struct events *e);
void query_mask_hist(struct query_work *w, struct hist *h); /* its sections' values */
void query_mask_outcome(unsigned mask, struct outcome *o);  /* what the tool said besides may hold anything */
void query_mask_note(struct query_work *w);

/* Is this host asked about?  Labels are those it has now: a campaign does not keep them. */
bool query_rows_on(const struct query_work *w, struct span host);
/* The tables of events of the hosts that are asked about; an error that fn returns ends it.  From memory, as they came, or from the store.
 */
typedef enum err query_rows_fn(void *arg, const struct where_source *from, const struct events *e);
NODISCARD enum err query_rows(struct query_work *w, query_rows_fn *fn, void *arg);
/* From the store in any case: by host, with the stacks below rows. */
NODISCARD enum err query_rows_stored(struct query_work *w, query_rows_fn *fn, void *arg);
/* The question's condition (NULL: none), and whether it fits the columns of the first table that comes. */
enum rpc_status query_rows_where(struct query_work *w, const struct where **out);
enum rpc_status query_rows_where_fits(struct query_work *w, const struct where *where, const struct events *e);
/* "PID, COMM, LAT(ms)": all, or the numeric ones. */
void query_rows_list_columns(const struct events *e, bool numeric, char *out, size_t size);

/* merged and host_hists of the answer: the hosts in the order of their names. */
NODISCARD enum err query_hist_hosts(struct query_work *w);

enum rpc_status query_hist_fill(struct query_work *w);
enum rpc_status query_top_fill(struct query_work *w); /* connections, too */
enum rpc_status query_outliers_fill(struct query_work *w);
enum rpc_status query_stacks_fill(struct query_work *w);
enum rpc_status query_events_fill(struct query_work *w);
