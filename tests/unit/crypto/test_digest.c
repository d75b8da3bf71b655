#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/buf.h"
#include "common/crypto/digest.h"

static void assert_hex(const unsigned char sum[DIGEST_BYTES], const char *want) {
    char hex[2 * DIGEST_BYTES + 1];
    for (size_t i = 0; i < DIGEST_BYTES; i++) snprintf(hex + 2 * i, 3, "%02x", sum[i]);
    assert_string_equal(hex, want);
}

#define SHA256_EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define SHA256_ABC   "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static void the_published_examples_come_out(void **state) {
    (void)state;
    unsigned char sum[DIGEST_BYTES];
    assert_int_equal(digest_bytes(SPAN_LIT("abc"), sum), ERR_OK);
    assert_hex(sum, SHA256_ABC);
    assert_int_equal(digest_bytes(SPAN_LIT(""), sum), ERR_OK);
    assert_hex(sum, SHA256_EMPTY);
    assert_int_equal(digest_bytes(SPAN_NONE, sum), ERR_OK);
    assert_hex(sum, SHA256_EMPTY);
}

static int file_of(const char *text, size_t n) {
    char path[] = "/tmp/trawl-digest-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(write(fd, text, n), n);
    return fd;
}

static void a_file_is_read_from_its_beginning_and_stays_where_it_was(void **state) {
    (void)state;
    unsigned char sum[DIGEST_BYTES];
    int fd = file_of("abc", 3);
    assert_int_equal(lseek(fd, 2, SEEK_SET), 2);
    assert_int_equal(digest_fd(fd, sum), ERR_OK);
    assert_hex(sum, SHA256_ABC);
    assert_int_equal(lseek(fd, 0, SEEK_CUR), 2);
    close(fd);
}

static void a_file_of_several_pieces_is_as_its_bytes(void **state) {
    (void)state;
    static char text[100001];
    for (size_t i = 0; i < sizeof text; i++) text[i] = (char)(i * 7 + i / 251);
    unsigned char of_file[DIGEST_BYTES], of_bytes[DIGEST_BYTES];
    int fd = file_of(text, sizeof text);
    assert_int_equal(digest_fd(fd, of_file), ERR_OK);
    assert_int_equal(digest_bytes(span_of(text, sizeof text), of_bytes), ERR_OK);
    assert_memory_equal(of_file, of_bytes, DIGEST_BYTES);
    close(fd);
}

static void what_cannot_be_read_has_no_digest(void **state) {
    (void)state;
    unsigned char sum[DIGEST_BYTES] = {7};
    assert_int_equal(digest_fd(-1, sum), ERR_SYS);
    assert_int_equal(errno, EBADF);
    int folder = open("/", O_RDONLY | O_DIRECTORY);
    assert_int_equal(digest_fd(folder, sum), ERR_SYS);
    assert_int_equal(errno, EISDIR);
    assert_int_equal(sum[0], 7);
    close(folder);
}

static void random_bytes_differ(void **state) {
    (void)state;
    unsigned char a[32] = {0}, b[32] = {0};
    assert_int_equal(digest_random(a, sizeof a), ERR_OK);
    assert_int_equal(digest_random(b, sizeof b), ERR_OK);
    assert_memory_not_equal(a, b, sizeof a);
    assert_int_equal(digest_random(a, 0), ERR_OK);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_examples_come_out),
        cmocka_unit_test(a_file_is_read_from_its_beginning_and_stays_where_it_was),
        cmocka_unit_test(a_file_of_several_pieces_is_as_its_bytes),
        cmocka_unit_test(what_cannot_be_read_has_no_digest),
        cmocka_unit_test(random_bytes_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
