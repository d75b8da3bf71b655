#include "console/cli/doctor_agent.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>

#include "common/crypto/cert.h"
#include "common/sys/priv.h"
#include "console/cli/doctor_files.h"
#include "console/cli/doctor_host.h"
#include "console/cli/doctor_link.h"

enum { WHY_BYTES = 512 };

static bool configuration(struct doctor *d, const char *path, struct doctor_conf *out) {
    char why[WHY_BYTES] = "";
    enum err e = conf_load(doctor_conf_items, doctor_conf_n_items, path, out, why, sizeof why);
    if (e) {
        doctor_say(d, DOCTOR_FAIL, "configuration", "trawl-runner --print-config prints a commented one", "%s", why[0] ? why : err_text(e));
        return false;
    }
    doctor_say(d, DOCTOR_OK, "configuration", NULL, "%s", path);
    struct stat st;
    if (stat(path, &st) == 0 && st.st_uid == 0 && !(st.st_mode & (S_IWGRP | S_IWOTH)))
        doctor_say(d, DOCTOR_OK, "its owner", NULL, "root, writable by nobody else");
    else
        doctor_say(d, DOCTOR_FAIL, "its owner", "chown root, chmod 644: who writes it decides what root runs",
                   "%s must be owned by root and writable by nobody else", path);
    return true;
}

static bool user(struct doctor *d, const char *key, const char *name, struct doctor_reader *out) {
    uid_t uid = 0;
    gid_t gid = 0;
    char remedy[WHY_BYTES];
    snprintf(remedy, sizeof remedy, "useradd --system --no-create-home %s, or correct %s in the configuration", name, key);
    if (priv_user(name, &uid, &gid) != ERR_OK) {
        doctor_say(d, DOCTOR_FAIL, key, remedy, "there is no user %s", name);
        return false;
    }
    if (uid == 0) {
        doctor_say(d, DOCTOR_FAIL, key, "name a user without privileges", "%s is root", name);
        return false;
    }
    doctor_say(d, DOCTOR_OK, key, NULL, "%s", name);
    *out = (struct doctor_reader){.other = geteuid() == 0, .uid = uid, .gid = gid, .name = name};
    return true;
}

static void program(struct doctor *d, const char *path) {
    char why[WHY_BYTES];
    if (access(path, X_OK) != 0)
        doctor_say(d, DOCTOR_FAIL, "agentd", "install the agent, or correct agentd in the configuration", "%s: %s", path, strerror(errno));
    else if (!doctor_host_only_root(path, why, sizeof why))
        doctor_say(d, DOCTOR_WARN, "agentd", "chown root, chmod go-w", "%s", why);
    else
        doctor_say(d, DOCTOR_OK, "agentd", NULL, "%s", path);
}

/* "as its CA": the certificate was issued by it and is on no list of it. */
static bool issuer(struct doctor *d, const char *cert, const char *ca, const char *crl, const char *renew) {
    char why[WHY_BYTES] = "";
    enum err e = cert_issued_by(cert, ca, NULL, why, sizeof why);
    if (!e && crl[0]) e = cert_issued_by(cert, ca, crl, why, sizeof why);
    if (e)
        doctor_say(d, DOCTOR_FAIL, "issuer", renew, "%s", why);
    else
        doctor_say(d, DOCTOR_OK, "issuer", NULL, "a CA in %s%s", ca, crl[0] ? ", and not revoked" : "");
    return !e;
}

static bool identity(struct doctor *d, const struct doctor_conf *c, const struct doctor_reader *agent) {
    struct utsname uts;
    char renew[WHY_BYTES];
    const char *host = c->host[0] ? c->host : uname(&uts) == 0 ? uts.nodename : "?";
    snprintf(renew, sizeof renew, "issue another: certs/trawl-certs DIR agent %s --renew", host);
    bool there = doctor_files_readable(d, agent, "tls_cert", c->tls_cert);
    there = doctor_files_readable(d, agent, "tls_key", c->tls_key) && there;
    if (!there || !doctor_files_key_private(d, c->tls_key, true)) return false;
    bool ok = doctor_files_own(d, c->tls_cert, c->tls_key, ROLE_AGENT, c->fleet, host, renew);
    if (!doctor_files_readable(d, agent, "tls_ca", c->tls_ca) || !doctor_files_ca(d, "fleet CA", c->tls_ca)) return false;
    bool listed = !c->tls_crl[0] || doctor_files_readable(d, agent, "tls_crl", c->tls_crl);
    if (listed) doctor_files_list(d, "fleet's revocation list", c->tls_crl);
    return issuer(d, c->tls_cert, c->tls_ca, listed ? c->tls_crl : "", renew) && ok;
}

static void operators(struct doctor *d, const struct doctor_conf *c, const struct doctor_reader *agent) {
    char why[WHY_BYTES];
    if (doctor_files_readable(d, agent, "operators_ca", c->operators_ca) && doctor_files_ca(d, "operators' CA", c->operators_ca) &&
        cert_issued_by(c->tls_cert, c->operators_ca, NULL, why, sizeof why) == ERR_OK)
        doctor_say(d, DOCTOR_FAIL, "operators' CA", "name operators-ca.pem: whoever the fleet CA vouches for could order here otherwise",
                   "%s vouches for agents, too", c->operators_ca);
    if (!c->operators_crl[0] || doctor_files_readable(d, agent, "operators_crl", c->operators_crl))
        doctor_files_list(d, "operators' revocation list", c->operators_crl);
}

static void spool(struct doctor *d, const struct doctor_conf *c, const struct doctor_reader *agent) {
    char remedy[WHY_BYTES];
    struct statvfs fs;
    int error = doctor_files_may(agent, c->spool_dir, R_OK | W_OK | X_OK);
    if (error) {
        snprintf(remedy, sizeof remedy, "install -d -m 700 -o %s %s", c->user, c->spool_dir);
        doctor_say(d, DOCTOR_FAIL, "spool", remedy, "%s cannot write to %s: %s", c->user, c->spool_dir, strerror(error));
    } else if (statvfs(c->spool_dir, &fs) == 0 && (uint64_t)fs.f_bavail * fs.f_frsize < c->spool_bytes) {
        doctor_say(d, DOCTOR_WARN, "spool", "make room, or lower spool_bytes", "%s has %llu MiB free, spool_bytes is %llu MiB", c->spool_dir,
                   (unsigned long long)((uint64_t)fs.f_bavail * fs.f_frsize >> 20), (unsigned long long)(c->spool_bytes >> 20));
    } else {
        doctor_say(d, DOCTOR_OK, "spool", NULL, "%s", c->spool_dir);
    }
}

void doctor_agent(struct doctor *d, const char *path) {
    struct doctor_conf c = {.fleet = NULL};
    struct doctor_reader agent = {.other = false}, tools;
    if (!configuration(d, path, &c)) return;
    if (geteuid() != 0)
        doctor_say(d, DOCTOR_WARN, "user", "run this as root", "what only root or %s may read is looked at as far as you may", c.user);
    bool known = user(d, "user", c.user, &agent);
    IGNORED(user(d, "tool_user", c.tool_user, &tools)); /* it has said what is wrong */
    program(d, c.agentd);
    if (known) {
        bool may_dial = identity(d, &c, &agent);
        operators(d, &c, &agent);
        spool(d, &c, &agent);
        const struct settings s = {.fleet = c.fleet, .collector = c.collector, .tls_ca = c.tls_ca, .cert = c.tls_cert, .key = c.tls_key};
        if (may_dial) client_close(doctor_link(d, &s, "listen"));
    }
    doctor_host_kernel(d);
    doctor_host_tools(d, &c);
    conf_done(doctor_conf_items, doctor_conf_n_items, &c);
}
