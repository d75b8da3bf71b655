#include "tests/unit/wire/random.h"

static uint64_t next(struct random *r) { return gen_u64(&r->gen); }

uint32_t random_below(struct random *r, uint32_t n) { return n ? (uint32_t)gen_below(&r->gen, n) : 0; }

static bool chance(struct random *r, uint32_t percent) { return random_below(r, 100) < percent; }
/* Every length of varint, zeroes often. */
static uint64_t number(struct random *r) { return chance(r, 30) ? 0 : next(r) >> random_below(r, 64); }

static void *array(struct random *r, size_t n, size_t size) {
    void *p = arena_array(r->mem, n ? n : 1, size);
    if (!p) abort();
    return p;
}

static void must(enum err e) {
    if (e) abort();
}

static struct span copy(struct random *r, struct span s) {
    struct span c = arena_copy(r->mem, s);
    if (!c.p) abort();
    return c;
}

/* What tools print: words, UTF-8, any bytes. */
static struct span tool_text(struct random *r) {
    static const char *const words[] = {"java", "nginx: worker", "kworker/0:1", "d\xc3\xa4mon", "", "vda", "schedule+0x11", "[unknown]"};
    char bytes[24];
    if (chance(r, 80)) return span_str(words[random_below(r, COUNT_OF(words))]);
    size_t n = random_below(r, sizeof bytes);
    for (size_t i = 0; i < n; i++) bytes[i] = (char)next(r);
    return copy(r, span_of(bytes, n));
}

static struct span people_text(struct random *r) {
    static const char *const texts[] = {"", "no such tool", "Ger\xc3\xa4t busy \xe2\x80\xa6", "lost 12 events", "policy: quiet hours"};
    return span_str(texts[random_below(r, COUNT_OF(texts))]);
}

static struct span name(struct random *r) {
    char text[32];
    int n = snprintf(text, sizeof text, "%c%u.a_b-%u", 'a' + (char)random_below(r, 26), random_below(r, 100), random_below(r, 1000));
    return copy(r, span_of(text, (size_t)n));
}

static struct campaign_id campaign(struct random *r) {
    struct campaign_id id;
    for (size_t i = 0; i < CAMPAIGN_ID_BYTES; i++) id.b[i] = (unsigned char)next(r);
    return id;
}

static void random_slots(struct random *r, struct hist *h) {
    uint64_t low = chance(r, 50) ? 0 : number(r) >> 8;
    h->n_slots = random_below(r, 12);
    h->slots = array(r, h->n_slots, sizeof *h->slots);
    for (size_t i = 0; i < h->n_slots; i++) {
        uint64_t high = low + random_below(r, 1000);
        h->slots[i] = (struct hist_slot){.low = low, .high = high, .count = number(r)};
        low = high + 1 + (chance(r, 20) ? random_below(r, 100) : 0);
    }
    if (h->n_slots && chance(r, 30)) h->slots[h->n_slots - 1].high = HIST_OPEN;
}

void random_hists(struct random *r, struct hist_set *out) {
    size_t n = random_below(r, (uint32_t)r->max_rows + 1);
    struct hist *hists = array(r, n, sizeof *hists);
    for (size_t i = 0; i < n; i++) {
        struct hist *h = &hists[i];
        h->unit = chance(r, 80) ? SPAN_LIT("usecs") : tool_text(r);
        h->scale = chance(r, 50) ? HIST_LOG2 : HIST_LINEAR;
        h->interval = chance(r, 50) ? SPAN_LIT("") : tool_text(r);
        h->n_section = random_below(r, HIST_SECTION_MAX + 1);
        for (size_t k = 0; k < h->n_section; k++) h->section[k] = (struct label){tool_text(r), tool_text(r)};
        random_slots(r, h);
    }
    *out = (struct hist_set){hists, n};
}

void random_stacks(struct random *r, struct stacks *out) {
    size_t n = random_below(r, (uint32_t)r->max_rows + 1);
    must(stacks_init(out, chance(r, 50) ? SPAN_LIT("usecs") : SPAN_LIT("samples"), r->mem));
    for (size_t i = 0; i < n; i++) {
        uint32_t leaf = STACKS_ROOT;
        for (uint32_t depth = random_below(r, 8); depth > 0; depth--)
            must(stacks_node(out, leaf, tool_text(r), (enum frame_kind)random_below(r, 3), &leaf));
        int64_t pid = chance(r, 20) ? STACKS_NO_PID : (int64_t)random_below(r, 1u << 22);
        must(stacks_add(out, leaf, tool_text(r), pid, number(r)));
    }
}

static void random_cell(struct random *r, struct events *e, struct column *c, size_t row) {
    if (!column_is_number(c->type))
        must(strings_add(&e->strings, tool_text(r), &c->text[row]));
    else
        c->number[row] = chance(r, 5) ? EVENTS_NULL : (int64_t)number(r);
}

static void random_stack_of(struct random *r, struct events *e) {
    if (chance(r, 50)) return;
    random_stacks(r, &e->stacks);
    if (e->n_rows == 0 || e->stacks.n_rows == 0) return;
    e->stack_of = array(r, e->n_rows, sizeof *e->stack_of);
    for (size_t i = 0; i < e->n_rows; i++) e->stack_of[i] = random_below(r, (uint32_t)e->stacks.n_rows + 1);
}

void random_events(struct random *r, struct events *out) {
    static const struct column all[] = {
        {.name = {"TIME(s)", 7}, .unit = {"s", 1}, .type = COLUMN_DECIMAL, .decimals = 9},
        {.name = {"COMM", 4}, .unit = {"", 0}, .type = COLUMN_TEXT},
        {.name = {"PID", 3}, .unit = {"", 0}, .type = COLUMN_INT},
        {.name = {"DADDR", 5}, .unit = {"", 0}, .type = COLUMN_ADDRESS},
        {.name = {"DPORT", 5}, .unit = {"", 0}, .type = COLUMN_PORT},
        {.name = {"LAT(ms)", 7}, .unit = {"ms", 2}, .type = COLUMN_DECIMAL, .decimals = 2},
    };
    size_t n_columns = random_below(r, COUNT_OF(all) + 1), row = 0;
    size_t n = n_columns ? random_below(r, (uint32_t)r->max_rows + 1) : 0;
    struct events e = {0};
    must(events_init(&e, all, n_columns, r->mem));
    for (size_t i = 0; i < n; i++) {
        must(events_row(&e, r->mem, &row));
        for (size_t c = 0; c < n_columns; c++)
            if (chance(r, 90)) random_cell(r, &e, &e.columns[c], row);
    }
    random_stack_of(r, &e);
    *out = e;
}

static struct spec_param *params(struct random *r, size_t n) {
    struct spec_param *p = array(r, n, sizeof *p);
    for (size_t i = 0; i < n; i++) p[i] = (struct spec_param){.name = name(r), .text = people_text(r), .number = (int64_t)number(r)};
    return p;
}

static struct applied *random_applied(struct random *r) {
    struct applied *a = array(r, 1, sizeof *a);
    *a = (struct applied){.seconds = random_below(r, LIMIT_DURATION_S),
                          .n_params = random_below(r, 4),
                          .stdout_bytes = number(r),
                          .start_wall_ms = number(r),
                          .expires_wall_ms = number(r),
                          .round = random_below(r, LIMIT_ROUNDS),
                          .rounds = random_below(r, LIMIT_ROUNDS),
                          .every_s = random_below(r, 1000),
                          .pressure_permille = random_below(r, 1000)};
    a->params = params(r, a->n_params);
    return a;
}

void random_outcome(struct random *r, struct outcome *out) {
    *out = (struct outcome){
        .coverage = (enum coverage)(COVERAGE_OK + random_below(r, COVERAGE__COUNT - COVERAGE_OK)),
        .reason = people_text(r),
        .ledger = {number(r), number(r), number(r), number(r), number(r), number(r)},
        .n_notes = random_below(r, 4),
        .kind = (enum result_kind)random_below(r, 4),
        .flavour = chance(r, 80) ? SPAN_LIT("libbpf") : SPAN_LIT(""),
        .started_wall_ns = number(r),
        .wall_ns = number(r),
        .cpu_ns = number(r),
        .peak_rss_bytes = number(r),
        .replayed = chance(r, 50),
        .parts = random_below(r, LIMIT_PARTS),
        .leftover = tool_text(r),
        .ceilings = {(enum ceiling)random_below(r, CEILING__COUNT), (enum ceiling)random_below(r, CEILING__COUNT), number(r), number(r)},
        .rounds = random_below(r, LIMIT_ROUNDS),
        .pressure_permille = random_below(r, 1000),
        .agent_died = chance(r, 20),
        .flavour_why = people_text(r),
    };
    if (chance(r, 50)) out->applied = random_applied(r);
    out->notes = array(r, out->n_notes, sizeof *out->notes);
    for (size_t i = 0; i < out->n_notes; i++) out->notes[i] = people_text(r);
}

void random_body(struct random *r, struct part_body *out) {
    *out = (struct part_body){.kind = (enum result_kind)random_below(r, 4)};
    if (out->kind == RESULT_HISTOGRAM) random_hists(r, &out->hists);
    if (out->kind == RESULT_EVENTS) random_events(r, &out->events);
    if (out->kind == RESULT_STACKS) random_stacks(r, &out->stacks);
    if (out->kind != RESULT_NONE && chance(r, 50)) return;
    out->outcome = array(r, 1, sizeof *out->outcome);
    random_outcome(r, out->outcome);
    if (out->kind != RESULT_NONE) out->outcome->kind = out->kind;
}

static struct label *labels(struct random *r, size_t n) {
    struct label *l = array(r, n, sizeof *l);
    for (size_t i = 0; i < n; i++) l[i] = (struct label){name(r), people_text(r)};
    return l;
}

static struct share share(struct random *r) {
    return chance(r, 50) ? (struct share){.count = 1 + random_below(r, 100)} : (struct share){.permille = 1 + random_below(r, 1000)};
}

static void random_course(struct random *r, struct spec *out) {
    if (chance(r, 50)) out->limit = share(r);
    out->seed = number(r);
    out->n_waves = random_below(r, LIMIT_WAVES + 1);
    out->waves = array(r, out->n_waves, sizeof *out->waves);
    for (size_t i = 0; i < out->n_waves; i++) out->waves[i] = share(r);
    out->rate_per_s = random_below(r, LIMIT_RATE_PER_S);
    out->concurrency = random_below(r, 1000);
    out->domain_hosts = random_below(r, 3);
    out->domain = out->domain_hosts ? name(r) : SPAN_LIT("");
    if (chance(r, 50)) out->stop.failures = share(r);
    if (chance(r, 50)) out->stop.refusals = share(r);
    out->stop.cpu_permille = random_below(r, 2000);
    out->stop.agent_deaths = random_below(r, 10);
    out->stop.pressure_permille = random_below(r, 1000);
    out->start_wall_ms = number(r);
    out->rounds = random_below(r, LIMIT_ROUNDS + 1);
    out->every_s = random_below(r, 1000);
    out->retry.states = random_below(r, 512);
    if (out->retry.states) out->retry.campaign = campaign(r);
    out->join_s = random_below(r, 100);
}

void random_spec(struct random *r, struct spec *out) {
    *out = (struct spec){
        .version = SPEC_VERSION,
        .fleet = name(r),
        .campaign = campaign(r),
        .tool = name(r),
        .flavour = chance(r, 50) ? name(r) : SPAN_LIT(""),
        .n_params = random_below(r, 4),
        .duration_s = random_below(r, LIMIT_DURATION_S),
        .selector = chance(r, 50) ? SPAN_LIT("role=web,zone!=b") : SPAN_LIT(""),
        .issued_wall_ms = number(r),
        .expires_wall_ms = number(r),
    };
    out->params = params(r, out->n_params);
    if (chance(r, 50)) random_course(r, out);
}

void random_facts(struct random *r, struct facts *out) {
    *out = (struct facts){
        .host = name(r),
        .version = name(r),
        .kernel = SPAN_LIT("6.1.0-13-amd64"),
        .arch = SPAN_LIT("x86_64"),
        .n_labels = random_below(r, 4),
        .n_tools = random_below(r, 4),
        .replayed = chance(r, 50),
        .wall_ns = number(r),
        .n_rates = random_below(r, 4),
        .cpus = random_below(r, 9),
        .max_cost_ppm = number(r),
        .max_duration_s = number(r),
        .quiet = people_text(r),
    };
    out->rates = array(r, out->n_rates, sizeof *out->rates);
    for (size_t i = 0; i < out->n_rates; i++) out->rates[i] = number(r);
    out->labels = labels(r, out->n_labels);
    out->tools = array(r, out->n_tools, sizeof *out->tools);
    for (size_t i = 0; i < out->n_tools; i++) out->tools[i] = (struct tool_fact){name(r), name(r), people_text(r), chance(r, 50)};
}

void random_info(struct random *r, struct campaign_info *out) {
    *out = (struct campaign_info){
        .id = name(r),
        .operator_name = name(r),
        .state = SPAN_LIT("running"),
        .created_wall_ns = number(r),
        .ended_wall_ns = number(r),
        .targeted = random_below(r, 5000),
        .ledger = {number(r), number(r), number(r), number(r), number(r), number(r)},
        .replayed = chance(r, 50),
        .why = people_text(r),
        .wave = random_below(r, 5),
        .waves = random_below(r, 5),
        .held = random_below(r, 5000),
        .first_start_wall_ns = number(r),
        .last_start_wall_ns = number(r),
    };
    random_spec(r, &out->spec);
    for (size_t i = 0; i < COVERAGE__COUNT; i++) out->coverage[i] = random_below(r, 3) * random_below(r, 5000);
}

void random_targets(struct random *r, struct target_info **out, size_t *out_n) {
    size_t n = random_below(r, 4);
    struct target_info *t = array(r, n, sizeof *t);
    for (size_t i = 0; i < n; i++) {
        t[i] = (struct target_info){name(r), (enum coverage)random_below(r, COVERAGE__COUNT), people_text(r), NULL};
        if (chance(r, 50)) continue;
        t[i].outcome = array(r, 1, sizeof *t[i].outcome);
        random_outcome(r, t[i].outcome);
    }
    *out = t;
    *out_n = n;
}

static struct signed_order random_signed(struct random *r) {
    return (struct signed_order){
        .spec = tool_text(r), .signature = tool_text(r), .certificates = tool_text(r), .trigger = chance(r, 50) ? tool_text(r) : SPAN_NONE};
}

void random_from_agent(struct random *r, struct from_agent *out) {
    *out = (struct from_agent){.kind = (enum from_agent_kind)random_below(r, FROM_AGENT_FIRING + 1)};
    if (out->kind == FROM_AGENT_FACTS) random_facts(r, &out->facts);
    out->state.campaign = campaign(r);
    out->state.coverage = chance(r, 50) ? COVERAGE_PENDING : COVERAGE_RUNNING;
    out->state.note = people_text(r);
    out->part.key = (struct part_key){campaign(r), name(r), name(r), random_below(r, 9), random_below(r, LIMIT_PARTS)};
    out->part.body = tool_text(r);
    out->trigger = (struct trigger_state){campaign(r), chance(r, 50), people_text(r), random_below(r, 9000), random_below(r, 9000)};
    out->firing = random_signed(r);
}

void random_to_agent(struct random *r, struct to_agent *out) {
    *out = (struct to_agent){.kind = (enum to_agent_kind)random_below(r, TO_AGENT_FIRING + 1)};
    out->order = random_signed(r);
    out->disarm = campaign(r);
    out->stop.campaign = campaign(r);
    out->stop.why = people_text(r);
    out->ack = (struct part_key){campaign(r), SPAN_LIT(""), name(r), random_below(r, 9), random_below(r, LIMIT_PARTS)};
}

void random_query(struct random *r, enum query_kind kind, struct query *out) {
    *out = (struct query){.rank = TOP_COUNT};
    if (kind == QUERY_HOSTS) out->selector = SPAN_LIT("web[001-120]");
    if (kind == QUERY_HOSTS) return;
    if (kind != QUERY_REF) out->n = random_below(r, 100);
    if (kind == QUERY_CAMPAIGNS) return;
    out->campaign = SPAN_LIT("last");
    if (kind != QUERY_REF) out->round = random_below(r, LIMIT_ROUNDS);
    if (kind == QUERY_HIST) {
        out->n = 0;
        out->n_section = random_below(r, 3);
        out->section = labels(r, out->n_section);
        out->drop_sections = chance(r, 50);
    }
    if (kind == QUERY_OUTLIERS) {
        out->n = 0;
        out->by = SPAN_LIT("zone");
    }
    if (kind == QUERY_REF) return;
    if (chance(r, 50)) out->on = SPAN_LIT("role=web,!web-[1-3]");
    if (kind == QUERY_TOP || kind == QUERY_CONNECTIONS || kind == QUERY_EVENTS) out->where = SPAN_LIT("LAT(ms)>10 && COMM=curl");
    if (kind == QUERY_STACKS) {
        out->focus = SPAN_LIT("do_*");
        out->ignore = SPAN_LIT("idle");
        out->by = SPAN_LIT("frame");
        out->stack_rank = (enum stack_rank)random_below(r, 2);
    }
    if (kind == QUERY_TOP || kind == QUERY_CONNECTIONS) {
        static struct span more[] = {SPAN_LIT("host"), SPAN_LIT("label:zone"), SPAN_LIT("PID")};
        out->more_by = more;
        out->n_more_by = random_below(r, TOP_FIELDS_MAX);
        out->by = SPAN_LIT("COMM");
        out->of = SPAN_LIT("LAT(ms)");
        out->rank = (enum top_rank)random_below(r, 5);
    }
    if (kind == QUERY_HIST || kind == QUERY_TOP || kind == QUERY_CONNECTIONS) out->per_host = chance(r, 50);
}

static void random_top(struct random *r, struct answer *a) {
    a->n_top = random_below(r, 5);
    a->top = array(r, a->n_top, sizeof *a->top);
    a->groups = random_below(r, 100);
    a->exact = chance(r, 50);
    a->by = SPAN_LIT("COMM");
    a->n_more_by = random_below(r, TOP_FIELDS_MAX);
    a->more_by = array(r, a->n_more_by, sizeof *a->more_by);
    for (size_t i = 0; i < a->n_more_by; i++) a->more_by[i] = people_text(r);
    a->rank = (enum top_rank)random_below(r, 5);
    a->bounded = chance(r, 50);
    a->unlisted = number(r);
    a->matched = number(r);
    for (size_t i = 0; i < a->n_top; i++) {
        a->top[i].row = (struct top_row){.value = tool_text(r), .count = number(r), .total = (int64_t)number(r), .max = -(int64_t)(number(r) >> 1), .decimals = random_below(r, 10)};
        a->top[i].host = chance(r, 50) ? name(r) : SPAN_LIT("");
        for (size_t v = 0; v < a->n_more_by; v++) a->top[i].row.values[1 + v] = tool_text(r);
        a->top[i].row.count_error = a->top[i].row.count / 2;
        a->top[i].row.total_error = number(r);
        if (chance(r, 50)) a->top[i].row.p99 = (struct quantile){.known = true, .value = random_below(r, 1000) / 8.0};
    }
}

static void random_parts(struct random *r, struct answer *a) {
    a->n_parts = random_below(r, 4);
    a->parts = array(r, a->n_parts, sizeof *a->parts);
    a->all_parts = random_below(r, 100);
    a->whole = number(r);
    a->by = SPAN_LIT("frame");
    for (size_t i = 0; i < a->n_parts; i++) a->parts[i] = (struct stack_part){tool_text(r), number(r), number(r)};
}

static void random_outliers(struct random *r, struct answer *a) {
    a->tested = random_below(r, 100);
    a->n_outliers = random_below(r, 4);
    a->outliers = array(r, a->n_outliers, sizeof *a->outliers);
    a->n_groups_compared = random_below(r, 3);
    a->groups_compared = array(r, a->n_groups_compared, sizeof *a->groups_compared);
    for (size_t i = 0; i < a->n_groups_compared; i++) a->groups_compared[i] = people_text(r);
    for (size_t i = 0; i < a->n_outliers; i++)
        a->outliers[i] = (struct answer_outlier){.host = name(r),
                                                 .group = SPAN_LIT("role=db"),
                                                 .octaves = random_below(r, 100) / 8.0,
                                                 .q = random_below(r, 100) / 128.0,
                                                 .times = random_below(r, 100),
                                                 .low = number(r),
                                                 .high = number(r),
                                                 .unit = SPAN_LIT("usecs"),
                                                 .what = SPAN_LIT("latency"),
                                                 .name = tool_text(r),
                                                 .peers = random_below(r, 100),
                                                 .sentence = people_text(r)};
}

void random_answer(struct random *r, enum query_kind kind, struct answer *out) {
    struct answer a = {.n_notes = random_below(r, 3)};
    random_info(r, &a.info);
    random_targets(r, &a.targets, &a.n_targets);
    random_targets(r, &a.measured, &a.n_measured);
    a.notes = array(r, a.n_notes, sizeof *a.notes);
    for (size_t i = 0; i < a.n_notes; i++) a.notes[i] = people_text(r);
    uint32_t hosts = random_below(r, 4);
    if (kind == QUERY_HIST) random_hists(r, &a.merged);
    if (kind == QUERY_HIST) a.host_hists = array(r, a.n_host_hists = hosts, sizeof *a.host_hists);
    for (size_t i = 0; i < a.n_host_hists; i++) {
        a.host_hists[i].host = name(r);
        random_hists(r, &a.host_hists[i].hists);
    }
    if (kind == QUERY_TOP || kind == QUERY_CONNECTIONS) random_top(r, &a);
    if (kind == QUERY_OUTLIERS) random_outliers(r, &a);
    if (kind == QUERY_STACKS) random_parts(r, &a);
    if (kind == QUERY_STACKS) random_stacks(r, &a.stacks);
    if (kind == QUERY_STACKS) a.distinct = random_below(r, 1000);
    if (kind == QUERY_STACKS || kind == QUERY_EVENTS) a.total = number(r);
    if (kind == QUERY_EVENTS) a.host_events = array(r, a.n_host_events = hosts, sizeof *a.host_events);
    for (size_t i = 0; i < a.n_host_events; i++) {
        a.host_events[i].host = name(r);
        random_events(r, &a.host_events[i].events);
    }
    *out = a;
}

void random_plan(struct random *r, struct plan *out) {
    *out = (struct plan){.n = random_below(r, 4)};
    out->rows = array(r, out->n, sizeof *out->rows);
    for (size_t i = 0; i < out->n; i++)
        out->rows[i] = (struct plan_row){.host = name(r),
                                         .coverage = (enum coverage)random_below(r, COVERAGE__COUNT),
                                         .flavour = chance(r, 80) ? name(r) : SPAN_LIT(""),
                                         .why = people_text(r),
                                         .cost_known = chance(r, 50),
                                         .cost_at_least = chance(r, 50),
                                         .cost_events_per_s = number(r),
                                         .cost_ppm = number(r)};
}
