/* What a text that a tool prints may give away: the classes that a host's policy (redact) and the collector's masks name. */
#pragma once

#include <stdbool.h>

#include "common/base/arena.h"
#include "common/base/span.h"

enum catalog_class { CATALOG_CLASS_NONE, CATALOG_CLASS_ARGS, CATALOG_CLASS_PATH, CATALOG_CLASS_HOST, CATALOG_CLASS__COUNT };

#define CATALOG_CLASS_MARK SPAN_LIT("[redacted]") /* stands for a text that is not told */

const char *catalog_class_name(enum catalog_class c);    /* "ARGS" … */
enum catalog_class catalog_class_find(struct span name); /* CATALOG_CLASS_NONE: there is no such one */
/* "ARGS, PATH HOST" as bits 1 << class.  False with the word that is none. */
bool catalog_class_words(const char *words, unsigned *out_set, struct span *out_bad);
/* "ARGS, HOST"; in mem, empty when there is no room. */
struct span catalog_class_names(unsigned set, struct arena *mem);
/* Of a column or a histogram's section by its name. */
enum catalog_class catalog_class_of(struct span name, bool is_address);
