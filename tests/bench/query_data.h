/* Results of a large fleet, for measuring: the same number of anything gives the same data.  One host's at a time, in mem. */
#pragma once

#include "common/model/capture.h"
#include "common/wire/limits.h"

enum { QUERY_DATA_SLOTS = 64 };

/* "host-00042" */
struct span query_data_host(size_t i, char out[LIMIT_NAME_BYTES + 1]);
/* Log2, 64 slots; one host of a hundred is slower by two to four times. */
void query_data_hist(size_t host, struct hist_slot slots[QUERY_DATA_SLOTS], struct hist *out);
/* Rows of tcpconnlat: PID, COMM (300 values), SADDR (the host's), DADDR (20,000), DPORT, LAT(ms). */
struct events query_data_events(size_t host, size_t rows, struct arena *mem);
/* Stacks of 20 frames, of a pool of which each host has `each` of its own. */
struct stacks query_data_stacks(size_t host, size_t each, struct arena *mem);
