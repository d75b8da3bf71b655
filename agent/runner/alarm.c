#include "agent/runner/alarm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

enum { WINDOW_STEP_MS = 2000, WINDOW_MOST_MS = 10000, PATH_BYTES = 256, US_PER_MS = 1000 };
static const char *const files[] = {"cpu", "io", "memory"};

static void on_ready(struct loop_watch *w, uint32_t events) {
    struct alarm_slot *s = container_of(w, struct alarm_slot, watch);
    if (events & EPOLLERR) {
        alarm_clear(s->owner, s->number); /* the file is gone: its cgroup, or PSI as a whole */
        return;
    }
    if (events & EPOLLPRI) s->owner->rang(s->owner, s->number);
}

void alarm_init(struct alarm *a, struct loop *loop, const char *folder) {
    a->loop = loop;
    a->folder = folder;
    for (size_t i = 0; i < COUNT_OF(a->slots); i++) a->slots[i] = (struct alarm_slot){.watch = {.fd = -1, .ready = on_ready}, .owner = a};
}

static struct alarm_slot *find(struct alarm *a, uint64_t number) {
    for (size_t i = 0; i < COUNT_OF(a->slots); i++)
        if (a->slots[i].number == number) return &a->slots[i];
    return NULL;
}

void alarm_clear(struct alarm *a, uint64_t number) {
    struct alarm_slot *s = number ? find(a, number) : NULL;
    if (!s) return;
    int fd = s->watch.fd;
    loop_remove(a->loop, &s->watch);
    close(fd);
    s->number = 0;
}

void alarm_done(struct alarm *a) {
    for (size_t i = 0; a->loop && i < COUNT_OF(a->slots); i++) alarm_clear(a, a->slots[i].number);
}

static bool is_sound(const struct alarm_request *r) {
    return r->resource < COUNT_OF(files) && r->full <= 1 && r->window_ms % WINDOW_STEP_MS == 0 && r->window_ms > 0 &&
           r->window_ms <= WINDOW_MOST_MS && r->stall_ms > 0 && r->stall_ms <= r->window_ms;
}

static enum err refuse(enum err e, char *why, size_t size, const char *text) {
    snprintf(why, size, "%s", text);
    return e;
}

/* The kernel keeps the condition with the descriptor. */
static int open_condition(const char *path, const struct alarm_request *r) {
    char text[64];
    int n = snprintf(text, sizeof text, "%s %u %u", r->full ? "full" : "some", r->stall_ms * US_PER_MS, r->window_ms * US_PER_MS);
    AUTO_CLOSE int fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || write(fd, text, (size_t)n + 1) != n + 1) return -1;
    return TAKE_FD(fd);
}

enum err alarm_set(struct alarm *a, uint64_t number, const struct alarm_request *r, char *why, size_t why_size) {
    char path[PATH_BYTES];
    if (!is_sound(r)) return refuse(ERR_SYNTAX, why, why_size, "that is no pressure to wait for");
    if (find(a, number)) return refuse(ERR_EXISTS, why, why_size, "an alarm of this number is set");
    struct alarm_slot *s = find(a, 0);
    if (!s) return refuse(ERR_LIMIT, why, why_size, "as many alarms are set as there may be");
    snprintf(path, sizeof path, "%s/%s", a->folder, files[r->resource]);
    AUTO_CLOSE int fd = open_condition(path, r);
    if (fd < 0) {
        snprintf(why, why_size, "%s: %s", path, strerror(errno));
        return ERR_SYS;
    }
    enum err e = loop_add(a->loop, &s->watch, fd, EPOLLPRI);
    if (e) return refuse(e, why, why_size, err_text(e));
    TAKE_FD(fd);
    s->number = number;
    return ERR_OK;
}
