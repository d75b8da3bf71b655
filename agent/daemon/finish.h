/* The end of a capture: print-out → parts in the spool, and the order marked done, or so many of its rounds.  Thread: the loop's. */
#pragma once

#include "agent/capture/outcome.h"
#include "agent/capture/reader.h"
#include "agent/spool/journal.h"
#include "agent/spool/spool.h"

struct finish {
    struct spool *spool;
    struct journal *journal;
    struct campaign_id campaign;
    struct span tool;
    bool drop_oldest; /* when the spool is full: results that have waited longest make room */
    unsigned redact; /* classes that stay here: bits of catalog_class.h */
    uint32_t round;
    bool last;               /* no other round comes after it */
    struct applied *applied; /* NULL: nothing ran */
    uint32_t pressure_permille;
    struct span flavour_why;
};

/* Parse, judge, spool.  A print-out too large for the memory budget is parsed as far as it fits and says so.  Returns how it ended. */
enum coverage finish_capture(const struct finish *f, struct outcome_facts *facts, struct span out_text);
/* Spool a capture (NULL: none) with its outcome.  When the spool cannot take it, the outcome alone goes in, saying what was lost. */
void finish_spool(const struct finish *f, const struct capture *c, struct outcome *o);
