/* Parts on disk until the collector says that it has stored them.  One file a part, named by its key, with length and CRC
 * (spool_file.h).  When spool_put returns, the part is on the disk: temporary file, fsync, rename, fsync of the folder.  So after
 * kill -9 or a power cut each part is there or is not, and one that the disk has altered since is known for what it is
 * (ERR_DAMAGED, amend.h).  Removing is not synced: a part that comes back after a power cut is sent again and counts once.
 * Bounded by the cap: a part that does not fit is refused; amend.h makes room, if the host's policy wants that.
 * Thread: one owner. */
#pragma once

#include "common/base/auto.h"
#include "common/wire/part.h"

struct spool;
enum { SPOOL_RESERVE_BYTES = 256 * 1024 };

/* A part that waits.  Valid until it is removed. */
struct spool_entry {
    struct spool_entry *next; /* in the order they were put, oldest first */
    struct part_key key;      /* host is empty */
    size_t bytes;
    bool sent;  /* the uplink's mark, false again after spool_unsend */
    char *kept; /* the body of an entry that is in memory only (spool_keep); NULL: it is on disk */
};

/* dir is ours and 0700.  Reads what is there; a file that is not a part is left alone and counted in *out_strangers.
 * ERR_SYS with errno. */
NODISCARD enum err spool_open(const char *dir, uint64_t cap_bytes, size_t *out_strangers, struct spool **out);
void spool_close(struct spool *s);
AUTO_TYPE(struct spool, spool_close)

/* Durable when it returns ERR_OK.  ERR_LIMIT: over the cap; ERR_SYS: the disk (errno says); ERR_EXISTS. */
NODISCARD enum err spool_put(struct spool *s, const struct part_key *key, struct span body);
/* An outcome without a result may go SPOOL_RESERVE_BYTES over the cap: a full spool must be able to say that it is full. */
NODISCARD enum err spool_put_outcome(struct spool *s, const struct part_key *key, struct span body);
/* In memory only: for the few bytes that say that the disk did not take more.  ERR_LIMIT: over SPOOL_KEPT_BYTES in all; ERR_EXISTS. */
enum { SPOOL_KEPT_BYTES = 256 * 1024 };
NODISCARD enum err spool_keep(struct spool *s, const struct part_key *key, struct span body);
/* The body of a waiting part.  ERR_DAMAGED: its file is not what was written, is gone, or cannot be read. */
NODISCARD enum err spool_read(struct spool *s, const struct spool_entry *e, struct buf *out);
/* Acknowledged: forget it.  ERR_NOTFOUND: it was not there (an ack said twice). */
NODISCARD enum err spool_remove(struct spool *s, const struct part_key *key);
/* Another body in its place, old or new after a crash, whatever the cap.  When the disk does not take it, it waits in memory. */
NODISCARD enum err spool_replace(struct spool *s, struct spool_entry *e, struct span body);
/* All parts of one round of a campaign, for a capture that is done again or given up. */
void spool_remove_round(struct spool *s, const struct campaign_id *id, uint32_t round);

struct spool_entry *spool_first(struct spool *s);
bool spool_same_capture(const struct part_key *a, const struct part_key *b);
void spool_unsend(struct spool *s); /* a new connection: everything that waits is to be sent again */
uint64_t spool_bytes(const struct spool *s);
