/* Text of tools and peers inside the exported forms, each appended to out repaired to UTF-8. */
#pragma once

#include "common/base/buf.h"

enum text_form {
    TEXT_JSON,  /* the inside of a JSON string: quotes, backslashes and control characters are escaped */
    TEXT_LABEL, /* the inside of an OpenMetrics label: quotes, backslashes and line ends are escaped */
    TEXT_FRAME  /* a frame of a folded line: ';' is ':', control characters are blanks */
};
void text_add(struct buf *out, struct span s, enum text_form form);
