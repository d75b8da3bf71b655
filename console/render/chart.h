/* A histogram as people read it: one line a slot, a bar, then its percentiles with their brackets. */
#pragma once

#include "common/catalog/bands.h"
#include "console/render/screen.h"

/* tool may be NULL (then there is no verdict), own too. */
void chart_print(const struct hist *h, const struct tool *tool, const struct bands *own, const struct screen *s);
/* "disk=vda flags=Read", "" for none, escaped, into out. */
void chart_section(const struct hist *h, char *out, size_t size);
/* A percentile's value as a person writes it: "12", "1.5", "-" when unknown. */
struct percentile;
void chart_value(const struct percentile *p, char *out, size_t size);
