/* A tool that misbehaves on demand: fake_tool MODE [ARG…] -- the argv that the runner gave.
 * Built without sanitizers, because it runs under the runner's memory limit. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <termios.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signo) {
    (void)signo;
    interrupted = 1;
}

/* What follows is a tool's loop as the real ones have it: SIGINT ends it and lets the summary be printed. */
static void sleep_until_interrupted(uint64_t seconds) {
    struct sigaction sa = {.sa_handler = on_interrupt};
    sigaction(SIGINT, &sa, NULL);
    for (uint64_t i = 0; i < seconds * 100 && !interrupted; i++) usleep(10000);
}

static uint64_t number(const char *text, uint64_t otherwise) {
    uint64_t n = 0;
    if (!text || !*text) return otherwise;
    for (; *text; text++) {
        if (*text < '0' || *text > '9') return otherwise;
        n = n * 10 + (uint64_t)(*text - '0');
    }
    return n;
}

static int copy_file(const char *path) {
    FILE *f = path ? fopen(path, "r") : NULL;
    if (!f) {
        fprintf(stderr, "fake_tool: cannot open the recording\n");
        return 1;
    }
    char piece[4096];
    for (size_t n; (n = fread(piece, 1, sizeof piece, f)) > 0;)
        if (fwrite(piece, 1, n, stdout) != n) break;
    fclose(f);
    return fflush(stdout) != 0;
}

static int flood(int fd, uint64_t bytes) {
    char piece[8192];
    memset(piece, 'x', sizeof piece);
    for (size_t i = 63; i < sizeof piece; i += 64) piece[i] = '\n';
    while (bytes > 0) {
        size_t n = bytes < sizeof piece ? (size_t)bytes : sizeof piece;
        ssize_t done = write(fd, piece, n);
        if (done <= 0) return 1;
        bytes -= (uint64_t)done;
    }
    return 0;
}

static int garbage(uint64_t bytes) {
    uint64_t x = 88172645463325252ULL;
    for (; bytes > 0; bytes--) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        putchar((int)(x & 255));
    }
    return fflush(stdout) != 0;
}

__attribute__((noreturn)) static void stay(void) {
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    for (;;) pause();
}

/* A grandchild in a session of its own that holds the output open and listens to nobody. */
static int orphan(void) {
    if (fork() == 0) {
        setsid();
        if (fork() == 0) stay();
        _exit(0);
    }
    if (fork() == 0) stay();
    usleep(50000); /* so that both are on their way when the parent ends */
    puts("left two behind");
    return fflush(stdout) != 0;
}

static void show_status(void) {
    static const char *const wanted[] = {"Uid:", "Gid:", "Groups:", "SigBlk:", "SigIgn:", "CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:", "NoNewPrivs:", "Seccomp:"};
    FILE *f = fopen("/proc/self/status", "r");
    char line[512];
    while (f && fgets(line, sizeof line, f))
        for (size_t i = 0; i < COUNT_OF(wanted); i++)
            if (strncmp(line, wanted[i], strlen(wanted[i])) == 0) fputs(line, stdout);
    if (f) fclose(f);
}

static void show_descriptors(void) {
    DIR *d = opendir("/proc/self/fd");
    for (struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d)) {
        char to[256];
        ssize_t n = readlinkat(dirfd(d), e->d_name, to, sizeof to);
        uint64_t fd = number(e->d_name, UINT64_MAX);
        if (n > 0 && fd != (uint64_t)dirfd(d)) printf("fd %s %.*s\n", e->d_name, (int)n, to);
    }
    if (d) closedir(d);
}

static void show_limit(const char *name, __rlimit_resource_t what) {
    struct rlimit r;
    if (getrlimit(what, &r) == 0) printf("limit %s %lld\n", name, r.rlim_cur == RLIM_INFINITY ? -1LL : (long long)r.rlim_cur);
}

static void show_places(void) {
    static const char *const places[] = {"/tmp", "/var/tmp", "/dev/shm", "/run"};
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        char path[64];
        snprintf(path, sizeof path, "%s/trawl-fake-%d", places[i], (int)getpid());
        int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        printf("file in %s: %s\n", places[i], fd >= 0 ? "made" : strerror(errno));
        if (fd >= 0) close(fd);
        if (fd >= 0) unlink(path);
    }
}

/* Everything that a tool could inherit. */
static int show(int argc, char **argv) {
    extern char **environ;
    char cwd[PATH_MAX];
    struct termios t;
    int death = 0;
    for (int i = 0; i < argc; i++) printf("argv %d %s\n", i, argv[i]);
    for (char **e = environ; *e; e++) printf("env %s\n", *e);
    show_status();
    show_descriptors();
    show_places();
    show_limit("core", RLIMIT_CORE);
    show_limit("nofile", RLIMIT_NOFILE);
    show_limit("memlock", RLIMIT_MEMLOCK);
    show_limit("fsize", RLIMIT_FSIZE);
    show_limit("data", RLIMIT_DATA);
    prctl(PR_GET_PDEATHSIG, &death);
    printf("pid %d leader %d deathsig %d\n", getpid(), getsid(0) == getpid() && getpgid(0) == getpid(), death);
    printf("nice %d\n", getpriority(PRIO_PROCESS, 0));
    printf("cwd %s umask %03o\n", getcwd(cwd, sizeof cwd) ? cwd : "?", (unsigned)umask(0));
    printf("tty %d raw %d controlling %d\n", isatty(1), tcgetattr(1, &t) == 0 && !(t.c_oflag & OPOST), open("/dev/tty", O_RDWR | O_CLOEXEC) >= 0);
    return fflush(stdout) != 0;
}

int main(int argc, char **argv) {
    const char *mode = argc > 1 ? argv[1] : "";
    const char *arg = argc > 2 ? argv[2] : NULL;
    if (strcmp(mode, "replay") == 0) { /* FILE SECONDS: the recording, when the time is over or at SIGINT */
        sleep_until_interrupted(number(argc > 3 ? argv[3] : NULL, 0));
        return copy_file(arg);
    }
    if (strcmp(mode, "stream") == 0) { /* FILE: the recording at once, then waits for SIGINT */
        int result = copy_file(arg);
        sleep_until_interrupted(86400);
        return result;
    }
    if (strcmp(mode, "flood-stdout") == 0) return flood(1, number(arg, 600ULL << 20));
    if (strcmp(mode, "flood-stderr") == 0) return flood(2, number(arg, 600ULL << 20));
    if (strcmp(mode, "garbage") == 0) return garbage(number(arg, 65536));
    if (strcmp(mode, "stubborn") == 0) stay();
    if (strcmp(mode, "orphan") == 0) return orphan();
    if (strcmp(mode, "never") == 0)
        for (;;) pause();
    if (strcmp(mode, "burn") == 0) { /* a CPU, until SIGINT */
        signal(SIGINT, on_interrupt);
        while (!interrupted) number("1234567890", 0);
        return 0;
    }
    if (strcmp(mode, "exit") == 0) return (int)number(arg, 3);
    if (strcmp(mode, "signal") == 0) return raise((int)number(arg, SIGSEGV));
    if (strcmp(mode, "argv") == 0) {
        for (int i = 2; i < argc; i++) printf("argv %s\n", argv[i]);
        return fflush(stdout) != 0;
    }
    if (strcmp(mode, "show") == 0) return show(argc - 2, argv + 2);
    fprintf(stderr, "fake_tool: unknown mode\n");
    return 64;
}
