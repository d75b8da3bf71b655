/* Inside common/merge: which group each row of a table belongs to.  A value is numbered once, whatever field it stands in; a group
 * is a value, or a row of values.  In an arena with a budget, but for what is only there to be quick. */
#pragma once

#include "common/merge/top.h"

#define TOP_GROUPS_NO_ROOM UINT32_MAX       /* instead of a group: over the budget */
#define TOP_GROUPS_NO_ROW  (UINT32_MAX - 1) /* the condition is not fulfilled */

struct top_groups {
    const struct top_options *opt;
    struct arena *mem;
    size_t budget_bytes; /* of mem */
    struct strings values;
    uint32_t n; /* groups there are */
    bool full;  /* one found no room */
    /* several fields: per group its values, and (values) → 1 + group */
    uint32_t *tuples;
    size_t cap_tuples;
    struct hash_slot *hash;
    size_t hash_size;
    /* numbers → 1 + value: what was last seen in a place */
    struct top_groups_number *numbers;
    uint32_t *of_text; /* of the dictionary's texts: 1 + value, 0 not yet */
    size_t n_of_text;
    const struct strings *dictionary;
};

/* opt is kept. */
NODISCARD enum err top_groups_init(struct top_groups *g, const struct top_options *opt, size_t budget_bytes, struct arena *mem);
void top_groups_done(struct top_groups *g);
/* out[row] for every row; fulfils: NULL, or which rows are asked for.  ERR_NOTFOUND with *out_name; ERR_NOMEM.  Groups that were
 * made before a failure stay, without rows. */
NODISCARD enum err top_groups_of(struct top_groups *g, const struct events *e, const struct where_source *from,
                                 const unsigned char *fulfils, uint32_t *out, struct span *out_name);
/* The group's values, opt->n_fields of them. */
void top_groups_values(const struct top_groups *g, uint32_t group, struct span *out);
/* Values as bytes: each its length, then itself.  The other: those of one row, whether or not they have a group. */
NODISCARD enum err top_groups_key_of(const struct top_groups *g, const struct span *values, struct buf *out);
NODISCARD enum err top_groups_key(const struct top_groups *g, const struct events *e, const struct where_source *from, size_t row,
                                  struct buf *out);
/* And back. */
void top_groups_from_key(const struct top_groups *g, struct span key, struct span *out);
