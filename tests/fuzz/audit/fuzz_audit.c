/* An audit log that somebody hands us, and its checkpoint: the first line is taken for the checkpoint.  Whatever passes the chain reads as a
 * record, too: we wrote it. */
#include <stdint.h>
#include <stdlib.h>

#include "common/audit/audit_check.h"
#include "common/json/json_audit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void read_lines(struct span text) {
    AUTO(arena_free) struct arena *mem = arena_new(64 * 1024);
    struct span line;
    struct json_audit record;
    if (!mem) return;
    while (span_line(&text, &line)) {
        arena_reset(mem);
        if (json_audit_read(line, mem, &record) == ERR_OK && !record.time.p) abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    struct span first, rest, text = span_of((const char *)data, n);
    struct audit_checkpoint point;
    char why[256], signer[SIGN_URI_BYTES];
    span_cut(text, '\n', &first, &rest);
    bool has_point = audit_check_read(first, &point) == ERR_OK;
    struct audit_check c = {.checkpoint = has_point ? &point : NULL};
    enum err e = audit_check_lines(&c, has_point ? rest : text, why, sizeof why);
    if (!e && c.last && c.first > c.last) abort();
    if (!e && !c.checkpoint && audit_check_end(&c, NULL, signer, why, sizeof why) == ERR_OK) abort();
    read_lines(text);
    return 0;
}
