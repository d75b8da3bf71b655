/* agentd's captures with everything around them that a host has, except a network: a real spool and journal in a folder of
 * their own, operators' certificates, and a runner played by the test at the other end of the socket. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka wants these first */
#include <cmocka.h>

#include "agent/daemon/captures.h"
#include "tests/support/ca.h"
#include "tests/support/folder.h"

/* What runqlat prints: 130 events. */
#define STAGE_HISTOGRAM                                                                                                                    \
    SPAN_LIT("     usecs               : count    distribution\n"                                                                          \
             "         0 -> 1          : 3        |*                                       |\n"                                            \
             "         2 -> 3          : 120      |****************************************|\n"                                            \
             "         4 -> 7          : 7        |**                                      |\n")

struct stage {
    /* of all tests */
    struct ca ca, other_ca;
    struct signer *ann, *mallory; /* mallory: an operator of the same fleet by another CA */
    struct trust *operators;
    /* of one test */
    struct folder dir;
    struct policy policy;
    struct loop *loop;
    struct spool *spool;
    struct journal *journal;
    struct locked locked;
    struct deeds deeds;
    struct captures *captures;
    struct capabilities capabilities;
    struct channel runner;
    int agent_fd, sock; /* our end and the runner's; sock -1: it is gone */
    unsigned gone;
    size_t fds; /* that were open before the test */
};

/* How a campaign ended, as the spool tells it. */
struct told {
    struct outcome outcome; /* its texts are below */
    char reason[LIMIT_REASON_BYTES + 1], notes[2048];
    size_t parts;
    uint64_t hist_total, rows;
};

/* cmocka's fixtures: of the group, and of each test. */
int stage_group_setup(void **state);
int stage_group_teardown(void **state);
int stage_setup(void **state);
int stage_teardown(void **state); /* fails when a descriptor was left open */

/* As after kill -9: everything is read from the disk again. */
void stage_restart(struct stage *s);
void stage_spool_cap(struct stage *s, uint64_t bytes); /* restarts with it */

/* As if the crash had come before the journal's last note of the campaign. */
void stage_unnote(struct stage *s, unsigned char campaign);
/* As if so much time had passed since the order was taken; for the next restart. */
void stage_age(struct stage *s, unsigned char campaign, unsigned seconds);
/* The disk alters a byte of every spooled part. */
void stage_damage(struct stage *s);

struct campaign_id stage_id(unsigned char n);
/* runqlat for 5 s on every host, in date. */
struct spec stage_spec(unsigned char campaign);
/* Sign and hand over, as if it had come from the collector. */
void stage_order(struct stage *s, const struct spec *spec, const struct signer *by);
void stage_order_runqlat(struct stage *s, unsigned char campaign);

/* What agentd asked of the runner; fails when there is nothing. */
struct request stage_asked(struct stage *s);
bool stage_asked_nothing(struct stage *s);
/* The runner reports; agentd has handled it when this returns. */
void stage_report(struct stage *s, const struct report *r, const int *fds, size_t n_fds);
void stage_report_kind(struct stage *s, enum report_kind kind, uint64_t run);
/* STARTED with two pipes, whose writing ends are out[0] (stdout) and out[1] (stderr). */
void stage_started(struct stage *s, uint64_t run, int out[2]);
void stage_write(struct stage *s, int fd, struct span text); /* turns the loop when the pipe is full */
/* The tool ends: its descriptors close, ENDED is reported. */
void stage_ended(struct stage *s, uint64_t run, int fds[2]);
/* The same, of a tool that prints text and ends. */
void stage_runs(struct stage *s, uint64_t run, struct span text);
void stage_turn(struct stage *s, unsigned ms);

/* Reads the campaign's parts.  False: there are none, or not all. */
bool stage_told(struct stage *s, unsigned char campaign, struct told *out);
void stage_ends(struct stage *s, unsigned char campaign, enum coverage want, const char *reason);
/* The collector acknowledges everything. */
void stage_acknowledge(struct stage *s);
