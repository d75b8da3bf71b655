/* Private to common/wire: what query.c is made of.  Generated structs ⇄ ours; query.c does the rest. */
#pragma once

#include "common/wire/message.h"
#include "common/wire/query.h"
#include "console.pb-c.h"

void query_message_get_info(struct unpack *in, const Trawl__CampaignInfo *m, struct campaign_info *out); /* m NULL: zeroes */
Trawl__CampaignInfo *query_message_put_info(struct pack *o, const struct campaign_info *i);

void query_message_get_targets(struct unpack *in, Trawl__TargetInfo *const *m, size_t n, struct target_info **out);
Trawl__TargetInfo **query_message_put_targets(struct pack *o, const struct target_info *targets, size_t n);

/* Room for whichever request it is. */
union query_request {
    ProtobufCMessage base;
    Trawl__CampaignRef ref;
    Trawl__HostsRequest hosts;
    Trawl__CampaignsRequest campaigns;
    Trawl__HistRequest hist;
    Trawl__TopRequest top;
    Trawl__StacksRequest stacks;
    Trawl__EventsRequest events;
    Trawl__OutliersRequest outliers;
};
const ProtobufCMessageDescriptor *query_request_type(enum query_kind kind); /* NULL: not a kind */
void query_request_get(struct unpack *in, enum query_kind kind, const ProtobufCMessage *m, struct query *q);
const ProtobufCMessage *query_request_put(struct pack *o, enum query_kind kind, const struct query *q, union query_request *m);

/* Room for whichever answer it is. */
union query_answer {
    ProtobufCMessage base;
    Trawl__HistAnswer hist;
    Trawl__TopAnswer top;
    Trawl__StacksAnswer stacks;
    Trawl__EventsAnswer events;
    Trawl__OutliersAnswer outliers;
};
const ProtobufCMessageDescriptor *query_answer_type(enum query_kind kind); /* NULL: has no answer of this kind */
void query_answer_get(struct unpack *in, enum query_kind kind, const ProtobufCMessage *m, struct answer *a);
const ProtobufCMessage *query_answer_put(struct pack *o, enum query_kind kind, const struct answer *a, union query_answer *m);

void query_list_get_hosts(struct unpack *in, const Trawl__HostList *m, struct host_list *out);
void query_list_put_hosts(struct pack *o, const struct host_list *l, Trawl__HostList *m);
void query_list_get_campaigns(struct unpack *in, const Trawl__CampaignList *m, struct campaign_list *out);
void query_list_put_campaigns(struct pack *o, const struct campaign_list *l, Trawl__CampaignList *m);
