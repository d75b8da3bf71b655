/* What tools are to see: so many of each thing, by one process.  A line on stdin asks for it, a line on stdout says that it is done and
 * what there is to find.  It ends with its input.
 *
 *   exec N WORD           N times /bin/true WORD
 *   read FILE N BYTES     N reads of so many bytes each, past the cache, never two neighbours
 *   cold FILE             the file's pages are dropped from the cache and read one by one: "PAGES"
 *   connect 4|6 N         N connections over loopback: "PORT"
 *   refused N             N of them to a port where nobody listens: "PORT"
 *   listen                the port that echo will use: "PORT"
 *   echo N                N bytes there and back over one connection
 *   resend N              connections that nobody answers, until N segments were sent again: "PORT SEGMENTS"
 *   lookup N NAME         N look-ups
 *   nap MS N              N times asleep
 * As a program of its own:  workload burn CPU THREADS   that many threads that never leave this CPU by themselves */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/base/span.h"

enum { WORDS = 4, LINE_BYTES = 512, PAGE = 4096, HANGING = 8, RESEND_S = 30 };

static int kept = -1; /* the listener of echo */

static void die(const char *what) {
    perror(what);
    exit(1);
}

static void run_many(unsigned n, const char *word) {
    while (n-- > 0) {
        pid_t pid = fork();
        if (pid == 0) {
            char path[] = "/bin/true"; /* on the stack, in memory: execsnoop cannot read what is not there yet */
            execl(path, path, word, (char *)NULL);
            _exit(127);
        }
        if (pid < 0 || waitpid(pid, NULL, 0) != pid) die("fork");
    }
}

static void read_many(const char *path, unsigned n, size_t bytes) {
    int fd = open(path, O_RDONLY | O_DIRECT);
    void *room = aligned_alloc(PAGE, bytes);
    if (fd < 0 || !room) die(path);
    for (unsigned i = 0; i < n; i++)
        if (pread(fd, room, bytes, (off_t)(2 * i * bytes)) != (ssize_t)bytes) die(path);
    close(fd);
    free(room);
}

static void read_cold(const char *path) {
    char room[PAGE];
    struct stat st;
    int fd = open(path, O_RDONLY);
    if (fd < 0 || fstat(fd, &st) != 0 || fsync(fd) != 0) die(path);
    if (posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) != 0 || posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM) != 0) die(path);
    unsigned pages = 0;
    while (read(fd, room, sizeof room) == (ssize_t)sizeof room) pages++;
    close(fd);
    printf("%u\n", pages);
}

/* A listener on a port of the system's choice. */
static int listen_on(int family, int backlog, struct sockaddr_storage *at, socklen_t *n) {
    memset(at, 0, sizeof *at);
    at->ss_family = (sa_family_t)family;
    if (family == AF_INET)
        ((struct sockaddr_in *)at)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    else
        ((struct sockaddr_in6 *)at)->sin6_addr = in6addr_loopback;
    *n = family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)at, *n) != 0 || (backlog >= 0 && listen(fd, backlog) != 0)) die("listen");
    if (getsockname(fd, (struct sockaddr *)at, n) != 0) die("getsockname");
    return fd;
}

static unsigned port_of(const struct sockaddr_storage *at) {
    return ntohs(at->ss_family == AF_INET ? ((const struct sockaddr_in *)at)->sin_port : ((const struct sockaddr_in6 *)at)->sin6_port);
}

static int connect_to(const struct sockaddr_storage *at, socklen_t n, int flags) {
    int fd = socket(at->ss_family, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
    if (fd < 0) die("socket");
    if (connect(fd, (const struct sockaddr *)at, n) != 0 && errno != ECONNREFUSED && errno != EINPROGRESS) die("connect");
    return fd;
}

static void connect_many(int family, unsigned times) {
    struct sockaddr_storage at;
    socklen_t n;
    int listener = listen_on(family, 16, &at, &n);
    for (unsigned i = 0; i < times; i++) {
        int there = connect_to(&at, n, 0), here = accept(listener, NULL, NULL);
        if (here < 0) die("accept");
        close(there);
        close(here);
    }
    close(listener);
    printf("%u\n", port_of(&at));
}

/* Bound and not listening: nobody else can take the port meanwhile. */
static void be_refused(unsigned times) {
    struct sockaddr_storage at;
    socklen_t n;
    int bound = listen_on(AF_INET, -1, &at, &n);
    for (unsigned i = 0; i < times; i++) close(connect_to(&at, n, 0));
    close(bound);
    printf("%u\n", port_of(&at));
}

static void keep_listener(void) {
    struct sockaddr_storage at;
    socklen_t n;
    if (kept < 0) kept = listen_on(AF_INET, 16, &at, &n);
    printf("%u\n", port_of(&at));
}

static void echo(unsigned times) {
    struct sockaddr_storage at;
    socklen_t n = sizeof at;
    char c = 'x';
    if (getsockname(kept, (struct sockaddr *)&at, &n) != 0) die("listen first");
    int there = connect_to(&at, n, 0), here = accept(kept, NULL, NULL);
    for (unsigned i = 0; i < times; i++)
        if (write(there, &c, 1) != 1 || read(here, &c, 1) != 1 || write(here, &c, 1) != 1 || read(there, &c, 1) != 1) die("echo");
    close(there);
    close(here);
}

static unsigned sent_again(const int *fds, unsigned n) {
    unsigned sum = 0;
    for (unsigned i = 0; i < n; i++) {
        struct tcp_info info = {0};
        socklen_t size = sizeof info;
        if (getsockopt(fds[i], IPPROTO_TCP, TCP_INFO, &info, &size) == 0) sum += info.tcpi_total_retrans;
    }
    return sum;
}

/* A listener takes one more than its backlog; whoever comes then is not heard. */
static void resend(unsigned least) {
    struct sockaddr_storage at;
    socklen_t n;
    int listener = listen_on(AF_INET, 0, &at, &n), first = connect_to(&at, n, 0), fds[HANGING];
    for (unsigned i = 0; i < HANGING; i++) fds[i] = connect_to(&at, n, SOCK_NONBLOCK);
    for (unsigned looks = 0; sent_again(fds, HANGING) < least && looks < RESEND_S * 20; looks++) poll(NULL, 0, 50);
    unsigned sum = sent_again(fds, HANGING);
    for (unsigned i = 0; i < HANGING; i++) close(fds[i]);
    close(first);
    close(listener);
    printf("%u %u\n", port_of(&at), sum);
}

static void look_up(unsigned times, const char *name) {
    for (unsigned i = 0; i < times; i++) {
        struct addrinfo *found = NULL;
        if (getaddrinfo(name, NULL, NULL, &found) == 0) freeaddrinfo(found);
    }
}

static void nap(unsigned ms, unsigned times) {
    const struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    while (times-- > 0) nanosleep(&t, NULL);
}

static void *spin(void *arg) {
    for (volatile unsigned long i = 0;; i++) {
    }
    return arg;
}

static int burn(int cpu, unsigned threads) {
    cpu_set_t set;
    pthread_t t;
    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    if (sched_setaffinity(0, sizeof set, &set) != 0) die("sched_setaffinity");
    while (--threads > 0)
        if (pthread_create(&t, NULL, spin, NULL) != 0) die("pthread_create");
    spin(NULL);
    return 1;
}

/* A word of the line, taken out of it. */
static const char *next(struct span *rest) {
    static char words[WORDS][LINE_BYTES];
    static unsigned turn;
    struct span word = SPAN_NONE;
    char *out = words[turn++ % WORDS];
    if (!span_word(rest, &word)) die("a word is missing");
    snprintf(out, LINE_BYTES, "%.*s", (int)word.n, word.p);
    return out;
}

static unsigned number(struct span *rest) {
    uint64_t n;
    if (!span_u64(span_str(next(rest)), &n)) die("not a number");
    return (unsigned)n;
}

static bool is(const char *what, const char *name) { return span_eq_str(span_str(what), name); }

/* Those that say what there is to find. */
static bool obey_and_say(const char *what, struct span *rest) {
    if (is(what, "cold")) {
        read_cold(next(rest));
    } else if (is(what, "connect")) {
        int family = number(rest) == 6 ? AF_INET6 : AF_INET;
        connect_many(family, number(rest));
    } else if (is(what, "refused")) {
        be_refused(number(rest));
    } else if (is(what, "listen")) {
        keep_listener();
    } else if (is(what, "resend")) {
        resend(number(rest));
    } else {
        return false;
    }
    return true;
}

static void obey(const char *what, struct span *rest) {
    if (is(what, "read")) {
        const char *path = next(rest);
        unsigned n = number(rest);
        read_many(path, n, number(rest));
    } else if (is(what, "nap")) {
        unsigned ms = number(rest);
        nap(ms, number(rest));
    } else {
        unsigned n = number(rest);
        if (is(what, "exec"))
            run_many(n, next(rest));
        else if (is(what, "echo"))
            echo(n);
        else if (is(what, "lookup"))
            look_up(n, next(rest));
        else
            die(what);
    }
    puts("done");
}

int main(int argc, char **argv) {
    char line[LINE_BYTES];
    prctl(PR_SET_NAME, "twl-load");
    if (argc == 4 && is(argv[1], "burn")) {
        struct span cpu = span_str(argv[2]), threads = span_str(argv[3]);
        return burn((int)number(&cpu), number(&threads));
    }
    while (fgets(line, sizeof line, stdin)) {
        struct span rest = span_head(span_str(line), strcspn(line, "\n"));
        const char *what = next(&rest);
        if (!obey_and_say(what, &rest)) obey(what, &rest);
        fflush(stdout);
    }
    return 0;
}
