/* What a console asks, and what it is told; the first byte chooses. */
#include <stdint.h>

#include "common/wire/query.h"
#include "tests/fuzz/round_trip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { HOSTS, CAMPAIGNS, INFO, DETAIL, REQUEST, ANSWER = REQUEST + QUERY_OUTLIERS + 1, TARGET__COUNT = ANSWER + QUERY_OUTLIERS + 1 };

static enum err one_round(unsigned which, struct span bytes, struct arena *mem, struct buf *out) {
    if (which >= ANSWER) ROUND_OF_KIND((enum query_kind)(which - ANSWER), struct answer, query_decode_answer, query_encode_answer);
    if (which >= REQUEST) ROUND_OF_KIND((enum query_kind)(which - REQUEST), struct query, query_decode, query_encode);
    switch (which) {
    case HOSTS:
        ROUND(struct host_list, query_decode_hosts, query_encode_hosts);
    case CAMPAIGNS:
        ROUND(struct campaign_list, query_decode_campaigns, query_encode_campaigns);
    case INFO:
        ROUND(struct campaign_info, query_decode_info, query_encode_info);
    default:
        ROUND(struct campaign_detail, query_decode_detail, query_encode_detail);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    if (n > 0) round_trip(one_round, data[0] % TARGET__COUNT, span_of((const char *)data + 1, n - 1), LIMIT_PART_ARENA_BYTES);
    return 0;
}
