/* What the collector keeps: the hosts it knows, campaigns with their targets, and the parts that came.  Engine-neutral: the
 * engine is store_sqlite.c.  Writing is a list of ops made durable in one transaction; reading is iteration in key order.
 * Thread: a handle has one owner.  One writer and any number of readers may have the same store open, each its own handle. */
#pragma once

#include "common/base/auto.h"
#include "common/base/err.h"
#include "common/model/capture.h"
#include "common/wire/part.h"

struct store;

enum store_mode {
    STORE_WRITER,
    STORE_READER,
    STORE_CHECKER /* a reader for store_check: it also opens a file that is cut short, of which what is there can be read */
};

/* A writer makes the file when it is missing, brings an older one up to date and keeps other writers out.  Errors, with why (≥ 256
 * bytes) a sentence for people: ERR_SYS cannot be opened or written; ERR_DAMAGED not a store, or broken; ERR_VERSION written by a newer
 * trawl; ERR_EXISTS another process writes to it; ERR_NOMEM. */
NODISCARD enum err store_open(const char *path, enum store_mode mode, char *why, size_t why_size, struct store **out);
/* A writer's close moves everything into the main file.  NULL is fine. */
void store_close(struct store *s);
AUTO_TYPE(struct store, store_close)
/* Reads every page and gives fn (which may be NULL) a line for each thing that is hurt, a hundred at most: the pages, then the tables that
 * they are of.  ERR_DAMAGED something was.  Bodies are not looked at: what changed inside a page is for store_decode to find. */
typedef void store_hurt_fn(void *arg, const char *what);
NODISCARD enum err store_check(struct store *s, store_hurt_fn *fn, void *arg);
/* A copy of the whole as it is at one moment, as one file that its owner alone can read; others may write meanwhile.  There is nothing at
 * path unless the copy is complete and on the disk.  Errors (store_why): ERR_EXISTS path is there already; ERR_SYS; ERR_DAMAGED; ERR_NOMEM.
 */
NODISCARD enum err store_backup(struct store *s, const char *path);
/* The sentence that belongs to the last failure of this handle. */
const char *store_why(const struct store *s);

/* ---- rows ---- */
struct store_host {
    struct span name, facts; /* facts: a FromAgent message with Facts, as the agent sent it */
    struct span address;
    uint64_t seen_wall_ns, cert_expires_wall_ns;
};
struct store_campaign {
    struct campaign_id id;
    struct span signed_order; /* as the console sent it */
    struct span operator_name, tool;
    bool stopped, paused;
    uint32_t wave;
    struct span why;                         /* it is stopped or paused */
    uint64_t created_wall_ns, ended_wall_ns; /* ended 0: some target has not ended */
    uint64_t removed_wall_ns;                /* its results went then, by retention; 0: they are there */
    struct span summary; /* of one that has ended: its owner's own bytes, so that a list need not read the targets; may be empty */
};
struct store_target {
    struct campaign_id campaign;
    struct span host;
    enum coverage coverage; /* COVERAGE_PENDING until it has ended */
    struct span reason;
    struct span outcome; /* a PartBody with nothing but the outcome; empty when the collector decided the end */
    bool has_result;     /* something that it measured is stored */
    bool began;          /* its turn has come */
    bool gone;           /* it was lost in its capture */
};
struct store_part {
    struct part_key key;
    struct span body;
    bool altered; /* of one that is read: it is not what was written; store_decode refuses it */
};

/* ---- writing ---- */
enum store_op_kind {
    STORE_PUT_HOST,       /* new or replaced */
    STORE_PUT_CAMPAIGN,   /* with its targets, all pending; STORE_DUPLICATE: the id is taken, nothing was written */
    STORE_PUT_PART,       /* STORE_DUPLICATE, STORE_DIFFERS or STORE_UNKNOWN: nothing was written */
    STORE_BEGIN_TARGET,   /* began; STORE_UNKNOWN: no such target */
    STORE_END_TARGET,     /* all but began; STORE_UNKNOWN: no such target */
    STORE_SET_CAMPAIGN,   /* stopped, paused, wave, why; STORE_UNKNOWN */
    STORE_REMOVE_RESULTS, /* of one that has ended, some rows at a time; its summary stays.  STORE_MORE: not all are gone; STORE_UNKNOWN */
    STORE_END_CAMPAIGN    /* stopped, ended and summary, new or replaced; STORE_UNKNOWN */
};
enum store_result {
    STORE_DONE,
    STORE_DUPLICATE, /* it was there already */
    STORE_DIFFERS,   /* a part with this key was there with another body: the first is kept */
    STORE_MORE,      /* so far; the same again does more */
    STORE_UNKNOWN,   /* no such campaign, target, or not the campaign's tool */
    STORE_REFUSED    /* it can never be written, however often it is tried; nothing of it was; store_why of the last such */
};
struct store_op {
    enum store_op_kind kind;
    enum store_result result; /* out */
    union {
        struct store_host host;
        struct {
            struct store_campaign row;
            const struct span *hosts;
            size_t n_hosts;
        } campaign;
        struct store_part part;
        struct store_target target;
        struct {
            struct campaign_id id;
            bool stopped;
            uint64_t ended_wall_ns;
            struct span summary;
        } end;
        struct {
            struct campaign_id id;
            uint32_t rows; /* at most */
            uint64_t wall_ns;
        } remove;
        struct {
            struct campaign_id id;
            bool stopped, paused;
            uint32_t wave;
            struct span why;
        } control;
    };
};

/* All ops in one transaction, in order; on success it is on the disk, but for those that are STORE_REFUSED.  On failure nothing was
 * written, results mean nothing, and it is worth trying again: ERR_SYS (disk full, I/O), ERR_DAMAGED, ERR_NOMEM. */
NODISCARD enum err store_apply(struct store *s, struct store_op *const *ops, size_t n);

/* ---- reading: rows are borrowed for the length of the call.  An error that fn returns ends the iteration and is returned. ---- */
typedef enum err store_host_fn(void *arg, const struct store_host *h);
typedef enum err store_campaign_fn(void *arg, const struct store_campaign *c);
typedef enum err store_target_fn(void *arg, const struct store_target *t);
typedef enum err store_part_fn(void *arg, const struct store_part *p);

enum store_which {
    STORE_NEWEST,  /* newest first */
    STORE_UNENDED, /* those that have not ended, newest first */
    STORE_OLDEST,  /* that have ended and have results or rests of them, oldest first */
    STORE_WITHIN   /* ids from low to high, both included, in their order */
};
struct store_select {
    enum store_which which;
    struct campaign_id low, high;
    uint32_t limit;
};
/* What its content takes, without what is free for new content. */
NODISCARD enum err store_bytes(struct store *s, uint64_t *out);
NODISCARD enum err store_hosts(struct store *s, store_host_fn *fn, void *arg);
/* Their signed_order is left empty, and but for STORE_NEWEST their summary. */
NODISCARD enum err store_campaigns(struct store *s, const struct store_select *which, store_campaign_fn *fn, void *arg);
/* The one with this id, if there is one. */
NODISCARD enum err store_campaign(struct store *s, const struct campaign_id *id, store_campaign_fn *fn, void *arg);
NODISCARD enum err store_targets(struct store *s, const struct campaign_id *id, store_target_fn *fn, void *arg); /* by host */
/* What is in a part.  Errors of part_decode, and ERR_DAMAGED: it is not what was written. */
NODISCARD enum err store_decode(const struct store_part *p, struct arena *mem, struct part_body *out);
/* By host, then part.  host .p NULL: of all hosts. */
NODISCARD enum err store_parts(struct store *s, const struct campaign_id *id, struct span host, store_part_fn *fn, void *arg);
