/* The body of a webhook and of a call, from anybody with the token.  Held to: what is read is within the limits, however it was nested,
 * repeated or cut. */
#include <assert.h>
#include <stdint.h>

#include "common/base/auto.h"
#include "common/json/json_alert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena *mem = arena_new(8 * 1024 * 1024);
    struct span body = span_of((const char *)data, size);
    struct json_notice n;
    struct json_call c;
    if (mem && json_alert_read(body, mem, &n) == ERR_OK) {
        assert(n.n <= JSON_ALERTS && n.group_key.n <= JSON_ALERT_TEXT);
        for (size_t i = 0; i < n.n; i++) assert(n.alerts[i].n_labels <= JSON_ALERT_LABELS && n.alerts[i].fingerprint.n <= JSON_ALERT_TEXT);
    }
    if (mem && json_alert_read_call(body, mem, &c) == ERR_OK) assert(c.on.n <= JSON_ALERT_TEXT && c.why.n <= JSON_ALERT_TEXT);
    arena_free(mem);
    return 0;
}
