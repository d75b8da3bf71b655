#include "tests/support/fault_file.h"

#include <errno.h>
#include <stdint.h>
#include <sys/types.h>

/* The linker sends our objects' calls here, and __real_… to the C library's. */
int __real_openat(int dir, const char *name, int flags, mode_t mode);
ssize_t __real_write(int fd, const void *p, size_t n);
int __real_fsync(int fd);
int __real_fchmod(int fd, mode_t mode);
int __real_close(int fd);
int __real_renameat(int dir, const char *from, int to_dir, const char *to);
int __wrap_openat(int dir, const char *name, int flags, mode_t mode);
ssize_t __wrap_write(int fd, const void *p, size_t n);
int __wrap_fsync(int fd);
int __wrap_fchmod(int fd, mode_t mode);
int __wrap_close(int fd);
int __wrap_renameat(int dir, const char *from, int to_dir, const char *to);

static size_t longest_write = SIZE_MAX;

void fault_file_longest_write(size_t bytes) { longest_write = bytes; }

static bool fails(void) {
    if (!fault_now()) return false;
    errno = EIO;
    return true;
}

int __wrap_openat(int dir, const char *name, int flags, mode_t mode) { return fails() ? -1 : __real_openat(dir, name, flags, mode); }
ssize_t __wrap_write(int fd, const void *p, size_t n) { return fails() ? -1 : __real_write(fd, p, n < longest_write ? n : longest_write); }
int __wrap_fsync(int fd) { return fails() ? -1 : __real_fsync(fd); }
int __wrap_fchmod(int fd, mode_t mode) { return fails() ? -1 : __real_fchmod(fd, mode); }
int __wrap_close(int fd) {
    int r = __real_close(fd); /* closed in any case, as Linux does */
    return fails() ? -1 : r;
}
int __wrap_renameat(int dir, const char *from, int to_dir, const char *to) { return fails() ? -1 : __real_renameat(dir, from, to_dir, to); }
