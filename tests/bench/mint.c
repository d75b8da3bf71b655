/* Certificates for many simulated agents at once: trawl-certs makes twenty a second, this some thousands.  The newest fleet CA in DIR signs
 * as trawl-certs would have it sign; all agents share one key (what they are told apart by is the certificate), so one file is linked
 * under all names.  It keeps no index: `trawl-certs list` and `revoke` do not know what it made. */
#include <errno.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <sys/stat.h>

#include "common/base/auto.h"
#include "common/base/span.h"
#include "common/wire/limits.h"

enum { PATH_BYTES = 4096, SERIAL_BYTES = 16, HOSTS_MAX = 100000, DAY_S = 24 * 3600, VALID_S = 30 * DAY_S, BEHIND_S = 300 };

struct mint {
    const char *dir, *prefix;
    char fleet[LIMIT_NAME_BYTES + 1];
    EVP_PKEY *ca_key, *key;
    X509 *ca;
};

static FILE *open_in(const char *dir, const char *name, const char *mode) {
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, mode);
    if (!f) fprintf(stderr, "mint: %s: %s\n", path, strerror(errno));
    return f;
}

static bool read_ca(struct mint *m) {
    FILE *name = open_in(m->dir, "fleet", "r"), *cert = open_in(m->dir, "fleet-ca.pem", "r"), *key = open_in(m->dir, "fleet-ca.key", "r");
    bool ok = name && cert && key && fgets(m->fleet, sizeof m->fleet, name);
    if (ok) {
        m->fleet[strcspn(m->fleet, "\n")] = 0;
        m->ca = PEM_read_X509(cert, NULL, NULL, NULL); /* the newest is the first */
        m->ca_key = PEM_read_PrivateKey(key, NULL, NULL, NULL);
        ok = m->ca && m->ca_key;
    }
    if (name) fclose(name);
    if (cert) fclose(cert);
    if (key) fclose(key);
    return ok;
}

static bool extend(X509 *x, X509 *ca, int nid, const char *value) {
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, ca, x, NULL, NULL, 0);
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    bool ok = e && X509_add_ext(x, e, -1);
    X509_EXTENSION_free(e);
    return ok;
}

static bool name_it(X509 *x, const char *fleet, const char *host) {
    X509_NAME *n = X509_get_subject_name(x);
    return X509_NAME_add_entry_by_txt(n, "O", MBSTRING_UTF8, (const unsigned char *)fleet, -1, -1, 0) &&
           X509_NAME_add_entry_by_txt(n, "OU", MBSTRING_UTF8, (const unsigned char *)"agent", -1, -1, 0) &&
           X509_NAME_add_entry_by_txt(n, "CN", MBSTRING_UTF8, (const unsigned char *)host, -1, -1, 0);
}

static bool number_it(X509 *x) {
    unsigned char bytes[SERIAL_BYTES];
    if (RAND_bytes(bytes, sizeof bytes) != 1) return false;
    bytes[0] &= 0x7f;
    BIGNUM *n = BN_bin2bn(bytes, sizeof bytes, NULL);
    bool ok = n && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x));
    BN_free(n);
    return ok;
}

static bool fill(const struct mint *m, const char *host, X509 *x) {
    char san[LIMIT_NAME_BYTES * 2 + 64];
    snprintf(san, sizeof san, "URI:spiffe://%s/agent/%s", m->fleet, host);
    return X509_set_version(x, X509_VERSION_3) && number_it(x) && X509_gmtime_adj(X509_getm_notBefore(x), -BEHIND_S) &&
           X509_gmtime_adj(X509_getm_notAfter(x), VALID_S) && X509_set_pubkey(x, m->key) && name_it(x, m->fleet, host) &&
           X509_set_issuer_name(x, X509_get_subject_name(m->ca)) && extend(x, m->ca, NID_basic_constraints, "critical,CA:FALSE") &&
           extend(x, m->ca, NID_key_usage, "critical,digitalSignature") && extend(x, m->ca, NID_ext_key_usage, "clientAuth") &&
           extend(x, m->ca, NID_subject_key_identifier, "hash") && extend(x, m->ca, NID_authority_key_identifier, "keyid") &&
           extend(x, m->ca, NID_subject_alt_name, san) && X509_sign(x, m->ca_key, EVP_sha256());
}

/* The key first: whoever sees the certificate finds its key. */
static bool publish(const struct mint *m, const char *host, X509 *x) {
    char shared[PATH_BYTES], key[PATH_BYTES], cert[PATH_BYTES];
    snprintf(shared, sizeof shared, "%s/agents/%s.shared", m->dir, m->prefix);
    snprintf(key, sizeof key, "%s/agents/%s.key", m->dir, host);
    snprintf(cert, sizeof cert, "agents/%s.pem", host);
    unlink(key);
    if (link(shared, key) != 0) {
        fprintf(stderr, "mint: %s: %s\n", key, strerror(errno));
        return false;
    }
    FILE *f = open_in(m->dir, cert, "w");
    bool ok = f && PEM_write_X509(f, x);
    return f && fclose(f) == 0 && ok;
}

static bool make_one(const struct mint *m, unsigned number) {
    char host[LIMIT_NAME_BYTES + 1];
    snprintf(host, sizeof host, "%s%u", m->prefix, number);
    X509 *x = X509_new();
    bool ok = x && fill(m, host, x) && publish(m, host, x);
    X509_free(x);
    return ok;
}

static bool make_key(struct mint *m) {
    char agents[PATH_BYTES], name[LIMIT_NAME_BYTES + 32];
    snprintf(agents, sizeof agents, "%s/agents", m->dir);
    snprintf(name, sizeof name, "agents/%s.shared", m->prefix);
    mkdir(agents, 0700);
    umask(077);
    m->key = EVP_EC_gen("P-256");
    FILE *f = open_in(m->dir, name, "w");
    bool ok = f && m->key && PEM_write_PrivateKey(f, m->key, NULL, NULL, 0, NULL, NULL);
    return f && fclose(f) == 0 && ok;
}

int main(int argc, char **argv) {
    uint64_t hosts = 0;
    if (argc != 4 || !span_u64(span_str(argv[3]), &hosts) || hosts > HOSTS_MAX || strlen(argv[2]) > LIMIT_NAME_BYTES - 6) {
        fputs("usage: mint DIR PREFIX N    certificates DIR/agents/PREFIX1 … PREFIXN; DIR is trawl-certs'\n", stderr);
        return 2;
    }
    struct mint m = {.dir = argv[1], .prefix = argv[2]};
    bool ok = read_ca(&m) && make_key(&m);
    for (unsigned i = 1; ok && i <= hosts; i++) ok = make_one(&m, i);
    if (!ok) fprintf(stderr, "mint: the certificates could not be made\n");
    X509_free(m.ca);
    EVP_PKEY_free(m.ca_key);
    EVP_PKEY_free(m.key);
    return ok ? 0 : 1;
}
