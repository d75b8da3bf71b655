/* Parts of captures ⇄ bytes.  Everything decoded is validated (lengths of columns, indexes of tables, limits) and lives in mem.
 * Errors of the decoders: ERR_SYNTAX not the message; ERR_LIMIT over limits.h; ERR_NOMEM over mem's budget.  *out untouched on failure. */
#pragma once

#include "common/base/buf.h"
#include "common/model/capture.h"
#include "common/wire/limits.h"

struct campaign_id {
    unsigned char b[CAMPAIGN_ID_BYTES];
};

struct part_key {
    struct campaign_id campaign;
    struct span host, tool;
    uint32_t round, part;
};

struct spec_param {
    struct span name, text;
    int64_t number;
};

/* What the host did in fact. */
struct applied {
    uint32_t seconds;
    struct spec_param *params;
    size_t n_params;
    uint64_t stdout_bytes, start_wall_ms, expires_wall_ms;
    uint32_t round, rounds, every_s, pressure_permille;
};

struct outcome {
    enum coverage coverage; /* an end state */
    struct span reason;
    struct ledger ledger;
    struct span *notes;
    size_t n_notes;
    enum result_kind kind;
    struct span flavour, flavour_why; /* why this one and no other */
    uint64_t started_wall_ns, wall_ns, cpu_ns, peak_rss_bytes;
    bool replayed;
    uint32_t parts;
    struct span leftover;
    struct ceilings ceilings;
    struct span redacted;    /* the classes that the host kept to itself: "ARGS, PATH"; empty: none that were printed */
    uint64_t redacted_cells; /* how many texts were masked */
    struct applied *applied; /* NULL: nothing ran */
    uint32_t rounds;         /* in the last round: how many there are; 0: as many as were ordered */
    uint32_t pressure_permille;
    bool agent_died;
};

struct part_body {
    enum result_kind kind; /* which of the three is here; RESULT_NONE: none */
    struct hist_set hists;
    struct events events;
    struct stacks stacks;
    struct outcome *outcome; /* the last part's; else NULL */
};

/* Encoders append to out, which is as it was on failure.  Texts for people are repaired to UTF-8 and cut at their limit; what the
 * decoder would refuse is ERR_SYNTAX or ERR_LIMIT. */
NODISCARD enum err part_decode(struct span body, struct arena *mem, struct part_body *out);
NODISCARD enum err part_encode(const struct part_body *body, struct buf *out);

/* A capture and its outcome cut into bodies of at most max_bytes each (LIMIT_PART_BODY_BYTES): the sink gets them in order,
 * numbered from 0; the last has the outcome, whose .parts and, when there is a c, .kind are set here.  Every part stands alone.
 * c may be NULL (no result: one part).  A result without rows keeps its kind and its columns.
 * A row too large for a part is dropped: counted in the outcome's ledger.parse, said in a note, and ok becomes partial.
 * Stops with the sink's error if it returns one.  Else: ERR_NOMEM; ERR_SYNTAX the capture is not a valid model; ERR_LIMIT
 * max_bytes is too small for the outcome, or LIMIT_PARTS are not enough. */
typedef enum err part_sink_fn(void *arg, uint32_t part, struct span body);
NODISCARD enum err part_split(const struct capture *c, const struct outcome *o, size_t max_bytes, part_sink_fn *sink, void *arg);

void part_campaign_hex(const struct campaign_id *id, char out[2 * CAMPAIGN_ID_BYTES + 1]);
bool part_campaign_from_hex(struct span hex, struct campaign_id *out);
