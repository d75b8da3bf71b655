/* One value of a configuration file: text ⇄ the field of the target.  For conf.c. */
#pragma once

#include "common/conf/conf.h"

void conf_value_clear(const struct conf_item *item, void *target); /* NULL, 0 or false, whatever was there */
void conf_value_done(const struct conf_item *item, void *target);  /* frees a text, then clears */
/* Store text.  A text of words that is set already gets the new ones appended.  ERR_SYNTAX: expected gets what would be right;
 * ERR_NOMEM. */
NODISCARD enum err conf_value_set(const struct conf_item *item, struct span text, void *target, struct buf *expected);
/* "a duration from 1s to 1h" */
void conf_value_expected(const struct conf_item *item, struct buf *out);
