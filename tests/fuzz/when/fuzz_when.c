/* A trigger's condition.  Held to: a failure has its reason; what is read is within what its kind allows, so that nothing behind it need
 * check again. */
#include <assert.h>
#include <stdint.h>

#include "common/base/auto.h"
#include "common/order/when.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct when w;
    char why[256] = "";
    if (when_parse(span_of((const char *)data, size), &w, why, sizeof why) != ERR_OK) {
        assert(why[0]);
        return 0;
    }
    assert(w.value >= 0 && w.n_by <= WHEN_BY_MAX);
    if (w.kind == WHEN_PRESSURE) assert(w.stall_ms > 0 && w.stall_ms <= w.window_ms && w.window_ms % 2000 == 0 && w.window_ms <= 10000);
    if (w.kind == WHEN_RESULT) assert(w.hosts >= 1 && (!w.of || w.of >= w.hosts) && catalog_tool(w.tool));
    if (w.kind == WHEN_READING) assert(w.reading < WHEN_READING__COUNT);
    return 0;
}
