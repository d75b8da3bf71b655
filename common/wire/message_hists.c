#include "common/wire/message.h"

/* Histograms as columns; counts of what they hold in all. */
struct columns {
    uint32_t *unit, *scale, *interval, *n_section, *n_slots, *section_key, *section_value;
    uint64_t *low, *width, *count;
    size_t sections, slots;
};

static void get_columns(struct unpack *in, const Trawl__Histograms *m, struct columns *c) {
    uint64_t slots = 0;
    *c = (struct columns){0};
    if (m->n > in->max_rows) return unpack_refuse(in, ERR_LIMIT);
    c->unit = unpack_u32(in, m->unit, m->n_unit, m->n);
    c->scale = unpack_u32(in, m->scale, m->n_scale, m->n);
    c->interval = unpack_u32(in, m->interval, m->n_interval, m->n);
    c->n_section = unpack_u32(in, m->n_section, m->n_n_section, m->n);
    c->n_slots = unpack_u32(in, m->n_slots, m->n_n_slots, m->n);
    if (in->failed != ERR_OK) return;
    for (size_t i = 0; i < m->n; i++) {
        if (c->n_section[i] > HIST_SECTION_MAX) return unpack_refuse(in, ERR_LIMIT);
        c->sections += c->n_section[i];
        slots += c->n_slots[i];
    }
    if (slots > in->max_rows) return unpack_refuse(in, ERR_LIMIT);
    c->slots = (size_t)slots;
    c->section_key = unpack_u32(in, m->section_key, m->n_section_key, c->sections);
    c->section_value = unpack_u32(in, m->section_value, m->n_section_value, c->sections);
    c->low = unpack_u64(in, m->low, m->n_low, c->slots);
    c->width = unpack_u64(in, m->width, m->n_width, c->slots);
    c->count = unpack_u64(in, m->count, m->n_count, c->slots);
}

static struct span get_string(struct unpack *in, const struct strings *t, uint32_t i) {
    if (i < t->n) return t->text[i];
    unpack_refuse(in, ERR_SYNTAX);
    return span_of("", 0);
}

static bool slots_ascend(const struct hist_slot *slots, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (slots[i].high < slots[i].low) return false;
        if (i > 0 && slots[i].low <= slots[i - 1].high) return false;
    }
    return true;
}

static void get_slots(struct unpack *in, const struct columns *c, size_t first, const struct hist *h) {
    for (size_t i = 0; i < h->n_slots; i++) {
        uint64_t low = c->low[first + i], width = c->width[first + i], high = HIST_OPEN;
        if (width != 0 && __builtin_add_overflow(low, width - 1, &high)) return unpack_refuse(in, ERR_SYNTAX);
        h->slots[i] = (struct hist_slot){.low = low, .high = high, .count = c->count[first + i]};
    }
    if (!slots_ascend(h->slots, h->n_slots)) unpack_refuse(in, ERR_SYNTAX);
}

void message_hists_get(struct unpack *in, const Trawl__Histograms *m, struct hist_set *out) {
    struct strings strings = {0};
    struct columns c;
    message_strings_get(in, m->strings, &strings);
    get_columns(in, m, &c);
    struct hist *hists = unpack_array(in, m->n, sizeof *hists);
    struct hist_slot *slots = unpack_array(in, c.slots, sizeof *slots);
    size_t section = 0, slot = 0;
    for (size_t i = 0; i < m->n && in->failed == ERR_OK; i++) {
        struct hist *h = &hists[i];
        if (c.scale[i] > HIST_LINEAR) return unpack_refuse(in, ERR_SYNTAX);
        h->scale = c.scale[i] == HIST_LOG2 ? HIST_LOG2 : HIST_LINEAR;
        h->unit = get_string(in, &strings, c.unit[i]);
        h->interval = get_string(in, &strings, c.interval[i]);
        h->n_section = c.n_section[i];
        for (size_t k = 0; k < h->n_section; k++, section++) {
            h->section[k].key = get_string(in, &strings, c.section_key[section]);
            h->section[k].value = get_string(in, &strings, c.section_value[section]);
        }
        h->slots = slots + slot;
        h->n_slots = c.n_slots[i];
        get_slots(in, &c, slot, h);
        slot += h->n_slots;
    }
    if (in->failed == ERR_OK) *out = (struct hist_set){.hists = hists, .n = m->n};
}

static void put_string(struct pack *o, struct strings *t, struct span s, uint32_t *out) {
    if (o->failed == ERR_OK) pack_fail(o, strings_add(t, pack_cut(o, s, LIMIT_TEXT_BYTES), out));
}

static void put_hist(struct pack *o, struct strings *t, const struct hist *h, size_t i, struct columns *c) {
    put_string(o, t, h->unit, &c->unit[i]);
    put_string(o, t, h->interval, &c->interval[i]);
    c->scale[i] = h->scale;
    c->n_section[i] = (uint32_t)h->n_section;
    c->n_slots[i] = (uint32_t)h->n_slots;
    for (size_t k = 0; k < h->n_section; k++, c->sections++) {
        put_string(o, t, h->section[k].key, &c->section_key[c->sections]);
        put_string(o, t, h->section[k].value, &c->section_value[c->sections]);
    }
    for (size_t k = 0; k < h->n_slots; k++, c->slots++) {
        const struct hist_slot *s = &h->slots[k];
        c->low[c->slots] = s->low;
        c->width[c->slots] = s->high == HIST_OPEN ? 0 : s->high - s->low + 1;
        c->count[c->slots] = s->count;
    }
}

static void count(struct pack *o, const struct hist_set *set, size_t *sections, size_t *slots) {
    if (set->n > UINT32_MAX) pack_fail(o, ERR_LIMIT);
    for (size_t i = 0; i < set->n; i++) {
        const struct hist *h = &set->hists[i];
        if (h->n_slots > UINT32_MAX) return pack_fail(o, ERR_LIMIT);
        if (h->n_section > HIST_SECTION_MAX || !slots_ascend(h->slots, h->n_slots)) return pack_fail(o, ERR_SYNTAX);
        *sections += h->n_section;
        *slots += h->n_slots;
    }
}

static void new_columns(struct pack *o, size_t n, size_t sections, size_t slots, struct columns *c) {
    *c = (struct columns){
        .unit = pack_array(o, n, sizeof *c->unit),
        .scale = pack_array(o, n, sizeof *c->scale),
        .interval = pack_array(o, n, sizeof *c->interval),
        .n_section = pack_array(o, n, sizeof *c->n_section),
        .n_slots = pack_array(o, n, sizeof *c->n_slots),
        .section_key = pack_array(o, sections, sizeof *c->section_key),
        .section_value = pack_array(o, sections, sizeof *c->section_value),
        .low = pack_array(o, slots, sizeof *c->low),
        .width = pack_array(o, slots, sizeof *c->width),
        .count = pack_array(o, slots, sizeof *c->count),
    };
}

static void put_columns(const struct columns *c, Trawl__Histograms *m) {
    m->unit = c->unit;
    m->n_unit = pack_count_u32(c->unit, m->n);
    m->scale = c->scale;
    m->n_scale = pack_count_u32(c->scale, m->n);
    m->interval = c->interval;
    m->n_interval = pack_count_u32(c->interval, m->n);
    m->n_section = c->n_section;
    m->n_n_section = pack_count_u32(c->n_section, m->n);
    m->n_slots = c->n_slots;
    m->n_n_slots = pack_count_u32(c->n_slots, m->n);
    m->section_key = c->section_key;
    m->n_section_key = pack_count_u32(c->section_key, c->sections);
    m->section_value = c->section_value;
    m->n_section_value = pack_count_u32(c->section_value, c->sections);
    m->low = c->low;
    m->n_low = pack_count_u64(c->low, c->slots);
    m->width = c->width;
    m->n_width = pack_count_u64(c->width, c->slots);
    m->count = c->count;
    m->n_count = pack_count_u64(c->count, c->slots);
}

Trawl__Histograms *message_hists_put(struct pack *o, const struct hist_set *set) {
    size_t sections = 0, slots = 0;
    struct strings strings = {0};
    struct columns c;
    count(o, set, &sections, &slots);
    Trawl__Histograms *m = pack_array(o, 1, sizeof *m);
    new_columns(o, set->n, sections, slots, &c);
    if (o->failed == ERR_OK) pack_fail(o, strings_init(&strings, o->mem));
    for (size_t i = 0; i < set->n && o->failed == ERR_OK; i++) put_hist(o, &strings, &set->hists[i], i, &c);
    if (o->failed != ERR_OK) return NULL;
    trawl__histograms__init(m);
    m->n = (uint32_t)set->n;
    m->strings = message_strings_put(o, &strings);
    put_columns(&c, m);
    return m;
}
