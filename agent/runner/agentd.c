#include "agent/runner/agentd.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>

#include "agent/runner/request.h"
#include "agent/runner/spawn.h"
#include "common/base/auto.h"
#include "common/base/log.h"
#include "common/sys/fds.h"
#include "common/sys/priv.h"

static char *plain(const char *s) {
    char *p;
    memcpy(&p, &s, sizeof p); /* execve's vectors are not const, though nothing writes through them */
    return p;
}

__attribute__((noreturn)) static void die(const char *step) {
    LOG(LOG_ERR, "agentd.not_started", KV("step", step), KV("why", strerror(errno)));
    _exit(126);
}

__attribute__((noreturn)) static void become_agentd(const struct policy *p, const char *config_path, int sock, uid_t uid, gid_t gid,
                                                    pid_t parent) {
    char *argv[] = {p->agentd, plain("--config"), plain(config_path), NULL};
    char *envp[] = {plain("PATH=/usr/sbin:/usr/bin:/sbin:/bin"), plain("HOME=/"), plain("LANG=C"), NULL};
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    spawn_reset_signals();
    if (null < 0 || dup2(null, 0) < 0) die("standard input");
    if (sock == REQUEST_FD ? fcntl(sock, F_SETFD, 0) != 0 : dup2(sock, REQUEST_FD) < 0) die("request socket");
    fds_close_from(REQUEST_FD + 1);
    if (setsid() < 0 || chdir("/") != 0) die("session");
    if (priv_become(uid, gid, 0) != ERR_OK) die("user");
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent) die("parent");
    execve(p->agentd, argv, envp);
    die(p->agentd);
}

enum err agentd_start(const struct policy *p, const char *config_path, int sock, pid_t *out_pid, struct buf *out_why) {
    uid_t uid;
    gid_t gid;
    enum err e = priv_user(p->user, &uid, &gid);
    if (e) {
        buf_add_fmt(out_why, "user %s does not exist", p->user);
        return e;
    }
    if (uid == 0) {
        buf_add_fmt(out_why, "user %s is root: agentd runs as one without privileges", p->user);
        return ERR_REFUSED;
    }
    pid_t own = getpid(), pid = fork();
    if (pid < 0) {
        buf_add_str(out_why, strerror(errno));
        return ERR_SYS;
    }
    if (pid == 0) become_agentd(p, config_path, sock, uid, gid, own);
    *out_pid = pid;
    return ERR_OK;
}
