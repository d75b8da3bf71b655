#include "console/cli/verb_doctor.h"

#include "common/crypto/cert.h"
#include "console/cli/doctor_agent.h"
#include "console/cli/doctor_files.h"
#include "console/cli/doctor_fleet.h"
#include "console/cli/doctor_link.h"

enum { WHY_BYTES = 1024 };

static bool identity(struct doctor *d, const struct settings *s) {
    static const char renew[] = "ask for another: certs/trawl-certs DIR operator NAME --renew";
    const struct doctor_reader me = {.other = false};
    char why[WHY_BYTES];
    bool ca = doctor_files_readable(d, &me, "tls_ca", s->tls_ca);
    bool own = doctor_files_readable(d, &me, "cert", s->cert);
    own = doctor_files_readable(d, &me, "key", s->key) && own;
    ca = ca && doctor_files_ca(d, "fleet CA", s->tls_ca);
    own = own && doctor_files_key_private(d, s->key, false) && doctor_files_own(d, s->cert, s->key, ROLE_OPERATOR, s->fleet, NULL, renew);
    if (!own || !ca) return false;
    if (cert_issued_by(s->cert, s->tls_ca, NULL, why, sizeof why) != ERR_OK)
        return true; /* of the operators' CA, we hope: the collector will say */
    doctor_say(d, DOCTOR_FAIL, "issuer", renew, "the fleet CA issued your certificate: only the operators' CA vouches for operators");
    return false;
}

static void fleet(struct doctor *d, struct client *c) {
    struct query q = {.selector = SPAN_LIT("")};
    struct host_list l = {.n = 0};
    struct buf request, reply;
    buf_init(&request, 0);
    buf_init(&reply, LIMIT_ANSWER_BYTES);
    AUTO(arena_free) struct arena *mem = arena_new(LIMIT_ANSWER_ARENA_BYTES);
    enum err e = mem ? query_encode(QUERY_HOSTS, &q, &request) : ERR_NOMEM;
    if (!e) e = client_call(c, RPC_CONSOLE_HOSTS, buf_span(&request), &reply);
    if (!e) e = query_decode_hosts(buf_span(&reply), mem, &l);
    if (e)
        doctor_say(d, DOCTOR_FAIL, "hosts", "look into the collector's log", "%s", client_why(c)[0] ? client_why(c) : err_text(e));
    else
        doctor_fleet(d, &l);
    buf_done(&request);
    buf_done(&reply);
}

static void console(struct doctor *d) {
    struct settings s = {.fleet = NULL};
    char why[WHY_BYTES] = "", path[WHY_BYTES];
    enum err e = settings_find(why, sizeof why, path, sizeof path);
    if (!e) e = settings_load(why, sizeof why, &s);
    if (e) {
        doctor_say(d, DOCTOR_FAIL, "configuration", "trawl --print-config prints a commented one", "%s", why[0] ? why : err_text(e));
        return;
    }
    doctor_say(d, DOCTOR_OK, "configuration", NULL, "%s", path);
    struct client *c = identity(d, &s) ? doctor_link(d, &s, "console_listen") : NULL;
    if (c) fleet(d, c);
    client_close(c);
    settings_done(&s);
}

int verb_doctor(const struct args *a) {
    struct doctor d;
    doctor_begin(&d, a->output);
    if (a->agent)
        doctor_agent(&d, a->agent);
    else
        console(&d);
    return doctor_end(&d);
}
