/* Runs a fuzz target over every file of the folders named on the command line, without a fuzzer.  Fails when there is none. */
#include <dirent.h>
#include <stdint.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { PATH_BYTES = 4096, INPUT_BYTES_MAX = 16 * 1024 * 1024 };

static int run_file(const char *path) {
    struct stat st;
    FILE *f = fopen(path, "rb");
    if (!f || fstat(fileno(f), &st) != 0 || st.st_size > INPUT_BYTES_MAX) {
        fprintf(stderr, "%s: cannot be read\n", path);
        if (f) fclose(f);
        return -1;
    }
    size_t n = (size_t)st.st_size;
    uint8_t *data = malloc(n ? n : 1); /* exactly as large as the input: a sanitizer sees the first byte behind it */
    int r = data && fread(data, 1, n, f) == n ? LLVMFuzzerTestOneInput(data, n) : -1;
    if (r != 0) fprintf(stderr, "%s: not run\n", path);
    free(data);
    fclose(f);
    return r;
}

static int run_folder(const char *folder, size_t *count) {
    DIR *d = opendir(folder);
    int r = 0;
    if (!d) {
        perror(folder);
        return -1;
    }
    for (const struct dirent *entry = readdir(d); entry && r == 0; entry = readdir(d)) {
        char path[PATH_BYTES];
        if (entry->d_name[0] == '.') continue;
        if ((size_t)snprintf(path, sizeof path, "%s/%s", folder, entry->d_name) >= sizeof path) r = -1;
        if (r == 0) r = run_file(path);
        ++*count;
    }
    closedir(d);
    return r;
}

int main(int argc, char **argv) {
    size_t count = 0;
    for (int i = 1; i < argc; i++)
        if (run_folder(argv[i], &count) != 0) return 1;
    printf("%zu inputs\n", count);
    return count ? 0 : 1;
}
