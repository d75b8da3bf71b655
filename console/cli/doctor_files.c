#include "console/cli/doctor_files.h"

#include <errno.h>
#include <grp.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common/base/clock.h"
#include "common/crypto/cert.h"

enum { WHY_BYTES = 512, DAY_BYTES = 32 };

/* As that user, in a process of its own: modes alone do not say what folders above and mount options forbid. */
int doctor_files_may(const struct doctor_reader *by, const char *path, int how) {
    if (!by->other) return access(path, how) == 0 ? 0 : errno;
    pid_t pid = fork();
    if (pid < 0) return errno;
    if (pid == 0) {
        bool became = setgroups(0, NULL) == 0 && setgid(by->gid) == 0 && setuid(by->uid) == 0;
        _exit(became && access(path, how) == 0 ? 0 : errno);
    }
    int status = 0;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR) return errno;
    return WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
}

bool doctor_files_readable(struct doctor *d, const struct doctor_reader *by, const char *key, const char *path) {
    struct stat st;
    char remedy[WHY_BYTES];
    if (stat(path, &st) != 0) {
        snprintf(remedy, sizeof remedy, "put it there, or correct %s in the configuration", key);
        doctor_say(d, DOCTOR_FAIL, key, remedy, "%s: %s", path, strerror(errno));
        return false;
    }
    int error = doctor_files_may(by, path, R_OK);
    if (!error) {
        doctor_say(d, DOCTOR_OK, key, NULL, "%s", path);
        return true;
    }
    snprintf(remedy, sizeof remedy, "let %s read it: look at its owner, its mode and the folders above", by->other ? by->name : "yourself");
    doctor_say(d, DOCTOR_FAIL, key, remedy, "%s cannot be read%s%s: %s", path, by->other ? " by " : "", by->other ? by->name : "",
               strerror(error));
    return false;
}

bool doctor_files_key_private(struct doctor *d, const char *path, bool group) {
    struct stat st;
    char remedy[WHY_BYTES];
    if (stat(path, &st) != 0) return false; /* said before */
    unsigned forbidden = group ? S_IRWXO | S_IWGRP | S_IXGRP : S_IRWXO | S_IRWXG;
    if (!(st.st_mode & forbidden)) {
        doctor_say(d, DOCTOR_OK, "key private", NULL, "mode %03o", (unsigned)st.st_mode & 0777U);
        return true;
    }
    snprintf(remedy, sizeof remedy, "chmod 600 %s, and if others could read it: revoke the certificate and issue another", path);
    doctor_say(d, DOCTOR_FAIL, "key private", remedy, "others can use %s (mode %03o); it will be refused", path, (unsigned)st.st_mode & 0777U);
    return false;
}

static const char *day(uint64_t wall_ns, char out[DAY_BYTES]) {
    clock_wall_text(wall_ns, out);
    out[strcspn(out, "T")] = '\0';
    return out;
}

static bool in_date(struct doctor *d, const char *what, const struct cert *c, const char *renew) {
    char from[DAY_BYTES], to[DAY_BYTES];
    uint64_t now = clock_wall_ns();
    int64_t days = cert_days_left(c->not_after_wall_ns, now);
    if (now < c->not_before_wall_ns)
        doctor_say(d, DOCTOR_FAIL, what, "set this host's clock, or wait", "it is valid only from %s on", day(c->not_before_wall_ns, from));
    else if (days < 0)
        doctor_say(d, DOCTOR_FAIL, what, renew, "it ended on %s", day(c->not_after_wall_ns, to));
    else if (days < CERT_WARN_DAYS)
        doctor_say(d, DOCTOR_WARN, what, renew, "it ends on %s, in %lld days", day(c->not_after_wall_ns, to), (long long)days);
    else
        doctor_say(d, DOCTOR_OK, what, NULL, "from %s to %s, %lld days left", day(c->not_before_wall_ns, from), day(c->not_after_wall_ns, to),
                   (long long)days);
    return now >= c->not_before_wall_ns && days >= 0;
}

static bool says_who(struct doctor *d, const struct cert *c, enum role role, const char *fleet, const char *name, const char *renew) {
    struct identity id = {.role = ROLE_NONE};
    if (!c->uri[0] || identity_parse(span_str(c->uri), &id) != ERR_OK)
        doctor_say(d, DOCTOR_FAIL, "identity", renew, "the certificate does not say who it is for (one URI spiffe://FLEET/ROLE/NAME)");
    else if (id.role != role)
        doctor_say(d, DOCTOR_FAIL, "identity", renew, "the certificate is of role %s, and %s is needed here (%s)", identity_role_name(id.role),
                   identity_role_name(role), c->uri);
    else if (strcmp(id.fleet, fleet) != 0)
        doctor_say(d, DOCTOR_FAIL, "identity", "correct fleet in the configuration, or use this fleet's certificate",
                   "the certificate is of fleet %s, the configuration says %s", id.fleet, fleet);
    else if (name && strcmp(id.name, name) != 0)
        doctor_say(d, DOCTOR_FAIL, "identity", "correct host in the configuration, or use this host's certificate",
                   "the certificate is for %s, this host is %s", id.name, name);
    else {
        doctor_say(d, DOCTOR_OK, "identity", NULL, "%s", c->uri);
        return true;
    }
    return false;
}

bool doctor_files_own(struct doctor *d, const char *cert, const char *key, enum role role, const char *fleet, const char *name,
                      const char *renew) {
    char why[WHY_BYTES] = "";
    struct cert all[SIGN_CERTIFICATES_MAX];
    size_t n = 0;
    if (cert_read(cert, why, sizeof why, all, &n) != ERR_OK) {
        doctor_say(d, DOCTOR_FAIL, "certificate", renew, "%s", why);
        return false;
    }
    bool fits = cert_key_fits(cert, key, why, sizeof why) == ERR_OK;
    if (fits)
        doctor_say(d, DOCTOR_OK, "key fits", NULL, "it is the certificate's");
    else
        doctor_say(d, DOCTOR_FAIL, "key fits", "use the two files that were issued together", "%s", why);
    bool valid = in_date(d, "certificate", &all[0], renew);
    return says_who(d, &all[0], role, fleet, name, renew) && fits && valid;
}

bool doctor_files_ca(struct doctor *d, const char *key, const char *path) {
    static const char remedy[] = "ask for the file that certs/trawl-certs made";
    char why[WHY_BYTES] = "";
    struct cert all[SIGN_CERTIFICATES_MAX];
    size_t n = 0, last = 0;
    if (cert_read(path, why, sizeof why, all, &n) != ERR_OK) {
        doctor_say(d, DOCTOR_FAIL, key, remedy, "%s", why);
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (!all[i].is_ca) {
            doctor_say(d, DOCTOR_FAIL, key, remedy, "%s: certificate %zu is not a CA's", path, i + 1);
            return false;
        }
        if (all[i].not_after_wall_ns > all[last].not_after_wall_ns) last = i;
    }
    return in_date(d, key, &all[last], "a new CA is needed: certs/trawl-certs DIR rotate");
}

void doctor_files_list(struct doctor *d, const char *key, const char *path) {
    static const char remedy[] = "make the lists again and hand them out: certs/trawl-certs DIR crl";
    char why[WHY_BYTES] = "", text[DAY_BYTES];
    uint64_t end = 0;
    if (!path[0]) {
        doctor_say(d, DOCTOR_WARN, key, "name the .crl in the configuration", "no revocation list: a stolen key stays good until its certificate ends");
        return;
    }
    if (cert_crl_end(path, why, sizeof why, &end) != ERR_OK) {
        doctor_say(d, DOCTOR_FAIL, key, remedy, "%s", why);
        return;
    }
    int64_t days = cert_days_left(end, clock_wall_ns());
    if (days < 0)
        doctor_say(d, DOCTOR_FAIL, key, remedy, "%s ended on %s: it lets nobody in", path, day(end, text));
    else if (days < CERT_WARN_DAYS)
        doctor_say(d, DOCTOR_WARN, key, remedy, "%s ends on %s, in %lld days, and lets nobody in from then on", path, day(end, text),
                   (long long)days);
    else
        doctor_say(d, DOCTOR_OK, key, NULL, "%s is good for %lld days", path, (long long)days);
}
