/* A folder that only root can write to, all the way up, with tools in it; and a runner to run them with the test as its agentd. */
#pragma once

#include "agent/runner/policy.h"
#include "agent/runner/request.h"

/* NULL, or why the tests of this folder cannot run here. */
const char *stage_missing(void);

enum { STAGE_PATH_BYTES = 256 };

struct stage {
    char dir[STAGE_PATH_BYTES]; /* /run/trawl-test.XXXXXX */
    struct policy policy;       /* tool_dir = dir; every tool; nobody */
    int sock;                   /* our end; -1 */
    int runner;                 /* its pid; 0 */
};

int stage_open(struct stage *s);
void stage_close(struct stage *s); /* kills the runner, removes the folder */

/* The same for cmocka: *state is a struct stage. */
int stage_set_up(void **state);
int stage_tear_down(void **state);

/* "dir/name" in a buffer that lives until the next but three. */
const char *stage_path(const struct stage *s, const char *name);
void stage_write(const struct stage *s, const char *name, const char *text, unsigned mode);
void stage_copy(const struct stage *s, const char *from, const char *name, unsigned mode);
/* A tool that is fake_tool in this mode, "replay FILE 1" say, run by a shell script. */
void stage_fake(const struct stage *s, const char *tool, const char *mode);

void stage_start(struct stage *s);       /* forks the runner */
int stage_wait_runner(struct stage *s);  /* its exit code; -signal */
void stage_ask(const struct stage *s, enum request_kind kind, uint64_t run, enum tool_id tool, unsigned seconds);
/* The next report, with its descriptors (-1: none).  False after timeout_ms or at end of file. */
bool stage_hear(const struct stage *s, int timeout_ms, struct report *out, int out_fds[2]);
/* Everything until end of file (a terminal's end is EIO), at most cap bytes kept; the whole length returned. */
size_t stage_drain(int fd, int timeout_ms, char *out, size_t cap);
/* Processes with text in their command line. */
size_t stage_count_processes(const char *text);
