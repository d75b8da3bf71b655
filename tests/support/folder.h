/* A temporary folder of a test's own: made empty, removed with what is in it (one level). */
#pragma once

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct folder {
    char path[64];
};

static inline void folder_make(struct folder *f) {
    snprintf(f->path, sizeof f->path, "/tmp/trawl-test.XXXXXX");
    if (!mkdtemp(f->path)) abort();
}

static inline size_t folder_each(const struct folder *f, int remove_them) {
    DIR *d = opendir(f->path);
    size_t n = 0;
    for (struct dirent *e; d && (e = readdir(d));) {
        if (e->d_name[0] == '.' && (e->d_name[1] == '\0' || e->d_name[1] == '.')) continue;
        n++;
        if (remove_them) unlinkat(dirfd(d), e->d_name, 0);
    }
    if (d) closedir(d);
    return n;
}

static inline size_t folder_count(const struct folder *f) { return folder_each(f, 0); }

static inline void folder_remove(struct folder *f) {
    folder_each(f, 1);
    rmdir(f->path);
}
