#include "common/net/credit.h"

void credit_init(struct credit *c, uint32_t whole_bytes) {
    *c = (struct credit){.whole = whole_bytes, .ours = whole_bytes, .theirs = whole_bytes};
}

bool credit_again(struct credit *c, uint64_t bytes) {
    if (bytes > (uint64_t)(c->whole - c->ours)) return false;
    c->ours += (int64_t)bytes;
    return true;
}

uint64_t credit_consumed(struct credit *c, uint64_t bytes) {
    uint64_t missing = (uint64_t)(c->whole - c->theirs) - c->owed;
    c->owed += bytes < missing ? bytes : missing;
    uint64_t back = c->owed;
    if (back < (uint64_t)c->whole / 2) return 0;
    c->theirs += (int64_t)back;
    c->owed = 0;
    return back;
}
