/* Signing and verifying while memory runs out: each allocation, ours and OpenSSL's, fails in turn.  Whatever happens, a failure
 * leaves the results untouched, and a bad signature never becomes a good one. */
#include <openssl/crypto.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/clock.h"
#include "common/crypto/digest.h"
#include "common/crypto/sign.h"
#include "tests/support/ca.h"

#define DOMAIN SPAN_LIT("trawl test v1\n")
#define TEXT   SPAN_LIT("runqlat on web-* for 10 s")

/* Calls to OpenSSL's allocator until the one that fails; < 0: none does. */
static long countdown = -1;
static bool failed;

static bool fails_now(void) {
    if (countdown < 0 || countdown-- > 0) return false;
    failed = true;
    return true;
}
static void *get(size_t n, const char *file, int line) {
    (void)file, (void)line;
    return fails_now() ? NULL : malloc(n);
}
static void *get_again(void *p, size_t n, const char *file, int line) {
    (void)file, (void)line;
    return fails_now() ? NULL : realloc(p, n);
}
static void give_back(void *p, const char *file, int line) {
    (void)file, (void)line;
    free(p);
}

struct fixture {
    struct ca ca;
    struct signer *signer;
    struct trust *trust;
    struct buf signature, chain;
};

static int setup(void **state) {
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    ca_make(&f->ca, "prod");
    ca_operator(&f->ca, "ann");
    buf_init(&f->signature, 0);
    buf_init(&f->chain, 0);
    assert_int_equal(sign_load(ca_file(&f->ca, "operators/ann.pem"), ca_file(&f->ca, "operators/ann.key"), NULL, 0, &f->signer), ERR_OK);
    assert_int_equal(sign_trust_load(ca_file(&f->ca, "operators-ca.pem"), ca_file(&f->ca, "operators.crl"), NULL, 0, &f->trust), ERR_OK);
    assert_int_equal(sign_bytes(f->signer, DOMAIN, TEXT, &f->signature), ERR_OK);
    assert_int_equal(sign_chain(f->signer, &f->chain), ERR_OK);
    *state = f;
    return 0;
}

static int teardown(void **state) {
    struct fixture *f = *state;
    sign_free(f->signer);
    sign_trust_free(f->trust);
    buf_done(&f->signature);
    buf_done(&f->chain);
    ca_done(&f->ca);
    free(f);
    return 0;
}

static enum err verify(struct fixture *f, struct span text, char *uri) {
    return sign_verify(f->trust, clock_wall_ns(), DOMAIN, text, buf_span(&f->signature), buf_span(&f->chain), uri, SIGN_URI_BYTES, NULL, 0);
}

/* The n-th allocation fails, until a run sees no failure: every one of the first hundred, then fewer, since there are thousands. */
#define FOR_EACH_ALLOCATION(n) for (long n = 0; failed = false, countdown = n, n < 100000; n += 1 + n / 100)
#define STOP_COUNTING()        (countdown = -1)

static void verifying_fails_cleanly_and_never_passes_what_is_bad(void **state) {
    struct fixture *f = *state;
    char uri[SIGN_URI_BYTES];
    FOR_EACH_ALLOCATION(n) {
        snprintf(uri, sizeof uri, "untouched");
        enum err e = verify(f, TEXT, uri);
        STOP_COUNTING();
        if (e)
            assert_string_equal(uri, "untouched");
        else
            assert_string_equal(uri, "spiffe://prod/operator/ann/runner");
        if (!failed) {
            assert_int_equal(e, ERR_OK);
            assert_true(n > 20);
            break;
        }
    }
    FOR_EACH_ALLOCATION(n) {
        snprintf(uri, sizeof uri, "untouched");
        enum err e = verify(f, SPAN_LIT("something else"), uri);
        STOP_COUNTING();
        assert_int_not_equal(e, ERR_OK);
        assert_string_equal(uri, "untouched");
        if (!failed) break;
    }
}

static void signing_fails_cleanly(void **state) {
    struct fixture *f = *state;
    struct buf out;
    buf_init(&out, 0);
    FOR_EACH_ALLOCATION(n) {
        buf_reset(&out);
        enum err e = sign_bytes(f->signer, DOMAIN, TEXT, &out);
        STOP_COUNTING();
        if (e) assert_int_equal(out.n, 0);
        if (!failed) {
            assert_int_equal(e, ERR_OK);
            assert_true(n > 2);
            break;
        }
    }
    FOR_EACH_ALLOCATION(n) {
        buf_reset(&out);
        enum err e = sign_chain(f->signer, &out);
        STOP_COUNTING();
        if (e) assert_int_equal(out.n, 0);
        if (!failed) break;
    }
    buf_done(&out);
}

static void loading_fails_cleanly(void **state) {
    struct fixture *f = *state;
    char why[256];
    FOR_EACH_ALLOCATION(n) {
        struct signer *s = NULL;
        why[0] = '\0';
        enum err e = sign_load(ca_file(&f->ca, "operators/ann.pem"), ca_file(&f->ca, "operators/ann.key"), why, sizeof why, &s);
        STOP_COUNTING();
        assert_int_equal(e != ERR_OK, s == NULL);
        assert_int_equal(e != ERR_OK, why[0] != '\0');
        sign_free(s);
        if (!failed) {
            assert_int_equal(e, ERR_OK);
            assert_true(n > 20);
            break;
        }
    }
    FOR_EACH_ALLOCATION(n) {
        struct trust *t = NULL;
        why[0] = '\0';
        enum err e = sign_trust_load(ca_file(&f->ca, "operators-ca.pem"), ca_file(&f->ca, "operators.crl"), why, sizeof why, &t);
        STOP_COUNTING();
        assert_int_equal(e != ERR_OK, t == NULL);
        assert_int_equal(e != ERR_OK, why[0] != '\0');
        sign_trust_free(t);
        if (!failed) {
            assert_int_equal(e, ERR_OK);
            break;
        }
    }
}

static void a_digest_is_whole_or_none(void **state) {
    (void)state;
    unsigned char sum[DIGEST_BYTES];
    FOR_EACH_ALLOCATION(n) {
        memset(sum, 7, sizeof sum);
        enum err e = digest_bytes(TEXT, sum);
        STOP_COUNTING();
        if (e) assert_int_equal(sum[0] == 7 && sum[31] == 7, true);
        if (!failed) break;
    }
    FILE *f = tmpfile();
    assert_non_null(f);
    FOR_EACH_ALLOCATION(n) {
        memset(sum, 7, sizeof sum);
        enum err e = digest_fd(fileno(f), sum);
        STOP_COUNTING();
        if (e) assert_int_equal(sum[0] == 7 && sum[31] == 7, true);
        if (!failed) {
            assert_int_equal(e, ERR_OK);
            assert_int_equal(sum[0], 0xe3);
            break;
        }
    }
    fclose(f);
}

int main(void) {
    if (!CRYPTO_set_mem_functions(get, get_again, give_back)) {
        printf("skipped: OpenSSL has allocated before main\n");
        return 77;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verifying_fails_cleanly_and_never_passes_what_is_bad),
        cmocka_unit_test(signing_fails_cleanly),
        cmocka_unit_test(loading_fails_cleanly),
        cmocka_unit_test(a_digest_is_whole_or_none),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
