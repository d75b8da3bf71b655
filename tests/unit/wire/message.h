/* Generated messages that a test bends and sends: a small valid one of each result, all in one struct on the stack. */
#pragma once

#include "common/base/buf.h"
#include "common/base/span.h"
#include "model.pb-c.h"

enum { MESSAGE_ROWS = 3 };

struct message {
    Trawl__PartBody body;
    Trawl__Outcome outcome;
    Trawl__Strings strings, stack_strings;
    Trawl__Histograms hists;
    Trawl__Events events;
    Trawl__Stacks stacks;
    Trawl__Column columns[2], *column_list[2];
    uint32_t len[2], u[12][MESSAGE_ROWS];
    uint64_t v[4][MESSAGE_ROWS];
    int64_t i[2][MESSAGE_ROWS];
};

void message_outcome(struct message *m); /* only an outcome */
void message_hists(struct message *m);   /* two histograms, one and two slots, one section */
void message_events(struct message *m);  /* COMM and LAT, three rows, stacks besides */
void message_stacks(struct message *m);  /* three nodes in a row, three rows */
void message_pack(const struct message *m, struct buf *out);
