#include "common/wire/query_message.h"

static void get_host(struct unpack *in, const Trawl__HostInfo *m, struct host_info *h) {
    if (!m->facts) return unpack_refuse(in, ERR_SYNTAX);
    message_facts_get(in, m->facts, &h->facts);
    h->online = m->online;
    h->seen_wall_ns = m->seen_wall_ns;
    h->address = unpack_text(in, span_str(m->address), LIMIT_LABEL_BYTES);
    h->cert_expires_wall_ns = m->cert_expires_wall_ns;
    h->note = unpack_text(in, span_str(m->note), LIMIT_REASON_BYTES);
}

void query_list_get_hosts(struct unpack *in, const Trawl__HostList *m, struct host_list *out) {
    struct host_info *hosts = unpack_array(in, m->n_hosts, sizeof *hosts);
    for (size_t i = 0; i < m->n_hosts && in->failed == ERR_OK; i++) get_host(in, m->hosts[i], &hosts[i]);
    if (in->failed == ERR_OK) *out = (struct host_list){.hosts = hosts, .n = m->n_hosts};
}

static void put_host(struct pack *o, const struct host_info *h, Trawl__HostInfo *m) {
    trawl__host_info__init(m);
    m->facts = message_facts_put(o, &h->facts);
    m->online = h->online;
    m->seen_wall_ns = h->seen_wall_ns;
    m->address = pack_text(o, h->address, LIMIT_LABEL_BYTES);
    m->cert_expires_wall_ns = h->cert_expires_wall_ns;
    m->note = pack_text(o, h->note, LIMIT_REASON_BYTES);
}

void query_list_put_hosts(struct pack *o, const struct host_list *l, Trawl__HostList *m) {
    Trawl__HostInfo *hosts = pack_array(o, l->n, sizeof *hosts);
    m->hosts = pack_array(o, l->n, sizeof *m->hosts);
    m->n_hosts = l->n;
    for (size_t i = 0; i < l->n && o->failed == ERR_OK; i++) {
        put_host(o, &l->hosts[i], &hosts[i]);
        m->hosts[i] = &hosts[i];
    }
}

void query_list_get_campaigns(struct unpack *in, const Trawl__CampaignList *m, struct campaign_list *out) {
    struct campaign_info *infos = unpack_array(in, m->n_campaigns, sizeof *infos);
    for (size_t i = 0; i < m->n_campaigns && in->failed == ERR_OK; i++) query_message_get_info(in, m->campaigns[i], &infos[i]);
    if (in->failed == ERR_OK) *out = (struct campaign_list){.campaigns = infos, .n = m->n_campaigns};
}

void query_list_put_campaigns(struct pack *o, const struct campaign_list *l, Trawl__CampaignList *m) {
    m->campaigns = pack_array(o, l->n, sizeof *m->campaigns);
    m->n_campaigns = l->n;
    for (size_t i = 0; i < l->n && o->failed == ERR_OK; i++) m->campaigns[i] = query_message_put_info(o, &l->campaigns[i]);
}
