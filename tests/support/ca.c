#include "tests/support/ca.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/wait.h>

extern char **environ;

enum { ARGS_MAX = 16 };

__attribute__((noreturn)) static void give_up(const char *what) {
    fprintf(stderr, "test CA: %s\n", what);
    abort();
}

/* The script needs nothing else than what is in every shell, and this. */
static bool have_openssl(void) {
    static const char *const places[] = {"/usr/bin/openssl", "/bin/openssl", "/usr/local/bin/openssl"};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        if (access(places[i], X_OK) == 0) return true;
    return false;
}

/* posix_spawn leaves the strings alone, whatever its type says. */
static void script(const char *const *argv) {
    posix_spawn_file_actions_t actions;
    if (posix_spawn_file_actions_init(&actions) != 0) give_up("out of memory");
    if (posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0) != 0) give_up("out of memory");
    union {
        const char *const *in;
        char *const *out;
    } args = {.in = argv};
    pid_t pid = 0;
    int failed = posix_spawn(&pid, argv[0], &actions, NULL, args.out, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failed) give_up("certs/trawl-certs cannot be started");
    int status = 0;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR) give_up("certs/trawl-certs is lost");
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) give_up("certs/trawl-certs failed");
}

void ca_run(struct ca *ca, const char *command, ...) {
    const char *argv[ARGS_MAX + 1] = {TRAWL_SOURCE_DIR "/certs/trawl-certs", ca->dir, command};
    size_t n = 3;
    va_list args;
    va_start(args, command);
    const char *arg = NULL;
    while ((arg = va_arg(args, const char *))) {
        if (n == ARGS_MAX) give_up("too many arguments");
        argv[n++] = arg;
    }
    va_end(args);
    script(argv);
}

void ca_make(struct ca *ca, const char *fleet) {
    if (!have_openssl()) {
        printf("skipped: the openssl command is not installed\n");
        exit(77);
    }
    *ca = (struct ca){.dir = "/tmp/trawl-ca-XXXXXX"};
    if (!mkdtemp(ca->dir)) give_up("no temporary folder");
    ca_run(ca, "init", fleet, NULL);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *where) {
    (void)st, (void)kind, (void)where;
    return remove(path);
}

void ca_done(struct ca *ca) {
    if (ca->dir[0] && nftw(ca->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0) give_up("the temporary folder cannot be removed");
    ca->dir[0] = '\0';
}

void ca_agent(struct ca *ca, const char *host) { ca_run(ca, "agent", host, NULL); }
void ca_collector(struct ca *ca, const char *name) { ca_run(ca, "collector", name, NULL); }
void ca_operator(struct ca *ca, const char *name) { ca_run(ca, "operator", name, NULL); }
void ca_revoke(struct ca *ca, const char *file) { ca_run(ca, "revoke", ca_file(ca, file), NULL); }

const char *ca_file(struct ca *ca, const char *name) {
    size_t dir = strlen(ca->dir), rest = strlen(name) + 1;
    char *path = ca->paths[ca->next++ % CA_PATHS];
    if (dir + 1 + rest > CA_PATH_BYTES) give_up("a path is too long");
    memcpy(path, ca->dir, dir);
    path[dir] = '/';
    memcpy(path + dir + 1, name, rest);
    return path;
}
