#include "tests/unit/collector/world.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/sys/fds.h"

static const struct query last = {.campaign = {"last", 4}};

static struct campaign_info info_of(struct fake_console *c) {
    struct campaign_info info = {0};
    assert_int_equal(query_decode_info(buf_span(&c->answer), c->mem, &info), ERR_OK);
    return info;
}

static struct answer hist_of(struct fake_console *c) {
    struct answer a = {0};
    assert_int_equal(world_ask_query(c, RPC_CONSOLE_HIST, QUERY_HIST, &last), RPC_OK);
    assert_int_equal(query_decode_answer(QUERY_HIST, buf_span(&c->answer), c->mem, &a), ERR_OK);
    return a;
}

static void expect_words(const char *text, const char *words) {
    if (!strstr(text, words)) fail_msg("\"%s\" is not in: %s", words, text);
}

static void in_audit_log(struct world *w, const char *words) {
    struct buf text;
    buf_init(&text, 1 << 20);
    assert_int_equal(fds_read_file(ca_file(&w->ca, "audit.log"), &text), ERR_OK);
    expect_words(buf_str(&text), words);
    buf_done(&text);
}

static void send_and_wait(struct fake_agent *a, uint32_t part, struct span body) {
    a->acked = false;
    world_agent_part(a, part, body);
    world_turn_until(a->w, &a->acked);
}

static void a_campaign_runs_from_the_signature_to_the_merged_histogram(void **state) {
    struct world w;
    struct fake_agent one, two;
    struct fake_console ada;
    (void)state;
    world_make(&w);
    world_start(&w);
    world_agent(&w, &one, "web-1", "web-1");
    world_agent(&w, &two, "web-2", "web-2");
    world_wait_log(&w, "host=\"web-1\"");
    world_wait_log(&w, "host=\"web-2\"");
    world_console(&w, &ada, "ada");
    assert_int_equal(world_ask_query(&ada, RPC_CONSOLE_SHOW, QUERY_REF, &last), RPC_NOT_FOUND);
    assert_int_equal(world_order(&ada, &ada, 1, "runqlat", "role=db"), RPC_FAILED_PRECONDITION);
    expect_words(ada.why, "no host matches \"role=db\"; 2 hosts are known");

    assert_int_equal(world_order(&ada, &ada, 1, "runqlat", "role=web"), RPC_OK);
    struct campaign_detail detail = {0};
    assert_int_equal(query_decode_detail(buf_span(&ada.answer), ada.mem, &detail), ERR_OK);
    assert_int_equal(detail.n_targets, 2);
    world_turn_until(&w, &one.got_order);
    world_turn_until(&w, &two.got_order);
    assert_int_equal(world_order(&ada, &ada, 1, "runqlat", "role=web"), RPC_ALREADY_EXISTS);
    in_audit_log(&w, "campaign.not_started");

    struct outcome ok = made_ok(1), ok2 = made_ok(2);
    struct span whole = made_hist("usecs", 4, 10, &ok), first = made_hist("usecs", 4, 5, NULL), second = made_hist("usecs", 8, 7, &ok2);
    world_agent_state(&one, COVERAGE_RUNNING);
    send_and_wait(&one, 0, first);
    send_and_wait(&one, 0, first); /* the ack was lost, say */
    send_and_wait(&one, 1, second);
    send_and_wait(&two, 0, whole);
    assert_int_equal(world_ask_query(&ada, RPC_CONSOLE_WATCH, QUERY_REF, &last), RPC_OK);
    assert_true(ada.messages >= 1);
    struct campaign_info info = info_of(&ada);
    assert_true(span_eq_str(info.state, "done"));
    assert_true(span_eq_str(info.operator_name, "ada"));
    assert_int_equal(info.coverage[COVERAGE_OK], 2);

    struct answer a = hist_of(&ada);
    assert_int_equal(a.merged.n, 1);
    assert_int_equal(hist_total(&a.merged.hists[0]), 22);
    assert_int_equal(a.n_host_hists, 2);
    assert_int_equal(a.n_targets, 0);
    assert_int_equal(world_ask_query(&ada, RPC_CONSOLE_STACKS, QUERY_STACKS, &last), RPC_FAILED_PRECONDITION);
    expect_words(ada.why, "is of runqlat: histograms; try `trawl hist 01010101`");
    const struct query some = {.n = 5}, hosts = {.selector = SPAN_LIT("web-*")};
    struct campaign_list list = {0};
    assert_int_equal(world_ask_query(&ada, RPC_CONSOLE_CAMPAIGNS, QUERY_CAMPAIGNS, &some), RPC_OK);
    assert_int_equal(query_decode_campaigns(buf_span(&ada.answer), ada.mem, &list), ERR_OK);
    assert_int_equal(list.n, 1);
    struct host_list known = {0};
    assert_int_equal(world_ask_query(&ada, RPC_CONSOLE_HOSTS, QUERY_HOSTS, &hosts), RPC_OK);
    assert_int_equal(query_decode_hosts(buf_span(&ada.answer), ada.mem, &known), ERR_OK);
    assert_int_equal(known.n, 2);
    assert_true(known.hosts[0].online && known.hosts[0].cert_expires_wall_ns > clock_wall_ns());

    made_free(whole), made_free(first), made_free(second);
    world_console_done(&ada);
    world_agent_done(&one);
    world_agent_done(&two);
    assert_int_equal(world_end(&w, SIGTERM), 0);
    world_done(&w);
}

static void nothing_acknowledged_is_lost_or_counted_twice_through_kill_9(void **state) {
    struct world w;
    struct fake_agent one;
    struct fake_console ada;
    struct outcome ok = made_ok(3);
    struct span parts[] = {made_hist("usecs", 4, 5, NULL), made_hist("usecs", 8, 7, NULL), made_hist("usecs", 16, 9, &ok)};
    (void)state;
    world_make(&w);
    world_start(&w);
    world_agent(&w, &one, "web-1", "web-1");
    world_wait_log(&w, "host=\"web-1\"");
    world_console(&w, &ada, "ada");
    assert_int_equal(world_order(&ada, &ada, 2, "runqlat", "all"), RPC_OK);
    world_turn_until(&w, &one.got_order);
    send_and_wait(&one, 2, parts[2]);
    send_and_wait(&one, 0, parts[0]);
    assert_int_equal(world_end(&w, SIGKILL), -1);
    world_console_done(&ada);
    world_agent_done(&one);

    world_start(&w);
    world_console(&w, &ada, "ada");
    assert_int_equal(world_ask_query(&ada, RPC_CONSOLE_SHOW, QUERY_REF, &last), RPC_OK);
    struct campaign_detail detail = {0};
    assert_int_equal(query_decode_detail(buf_span(&ada.answer), ada.mem, &detail), ERR_OK);
    assert_int_equal(detail.targets[0].coverage, COVERAGE_RUNNING);
    struct answer a = hist_of(&ada);
    assert_int_equal(hist_total(&a.merged.hists[0]), 14);
    world_agent(&w, &one, "web-1", "web-1");
    world_turn_until(&w, &one.got_order); /* it has not ended: sent again */
    for (uint32_t i = 0; i < 3; i++) send_and_wait(&one, i, parts[i]);
    assert_int_equal(world_ask_query(&ada, RPC_CONSOLE_WATCH, QUERY_REF, &last), RPC_OK);
    assert_int_equal(info_of(&ada).coverage[COVERAGE_OK], 1);
    a = hist_of(&ada);
    assert_int_equal(hist_total(&a.merged.hists[0]), 21);

    /* And an ended campaign is read back when asked for. */
    assert_int_equal(world_end(&w, SIGTERM), 0);
    world_console_done(&ada);
    world_agent_done(&one);
    world_start(&w);
    world_console(&w, &ada, "ada");
    a = hist_of(&ada);
    assert_int_equal(hist_total(&a.merged.hists[0]), 21);
    assert_true(span_eq_str(a.info.state, "done"));
    for (size_t i = 0; i < COUNT_OF(parts); i++) made_free(parts[i]);
    world_console_done(&ada);
    world_done(&w);
}

static enum err size_of_summary(void *arg, const struct store_campaign *row) {
    size_t *n = arg;
    *n = row->summary.n;
    return ERR_OK;
}

/* What its targets are is not even looked at: here there are two, and the summary says seven. */
static void a_list_is_made_of_summaries(void **state) {
    static const struct span hosts[] = {{"web-1", 5}, {"web-2", 5}};
    struct world w;
    struct fake_console ada;
    struct made_dir d;
    struct buf summary;
    struct campaign_list list = {0};
    const struct campaign_info info = {
        .id = SPAN_LIT("07"), .operator_name = SPAN_LIT("ada"), .state = SPAN_LIT("done"), .targeted = 7, .coverage = {[COVERAGE_OK] = 7}};
    const struct query some = {.n = 5};
    (void)state;
    world_make(&w);
    snprintf(d.store, sizeof d.store, "%s", w.store);
    buf_init(&summary, 0);
    assert_int_equal(query_encode_info(&info, &summary), ERR_OK);
    struct store *s = made_store(&d, STORE_WRITER);
    made_put_campaign(s, made_id(7), "runqlat", hosts, 2);
    struct store_op end = {.kind = STORE_END_CAMPAIGN, .end = {.id = made_id(7), .ended_wall_ns = 1, .summary = buf_span(&summary)}};
    struct store_op *ops = &end;
    assert_int_equal(store_apply(s, &ops, 1), ERR_OK);
    store_close(s);
    buf_done(&summary);
    world_start(&w);
    world_console(&w, &ada, "ada");
    assert_int_equal(world_ask_query(&ada, RPC_CONSOLE_CAMPAIGNS, QUERY_CAMPAIGNS, &some), RPC_OK);
    assert_int_equal(query_decode_campaigns(buf_span(&ada.answer), ada.mem, &list), ERR_OK);
    assert_int_equal(list.n, 1);
    assert_int_equal(list.campaigns[0].targeted, 7);
    world_console_done(&ada);
    assert_int_equal(world_end(&w, SIGTERM), 0);
    world_done(&w);
}

static void a_stop_reaches_the_agents_and_ends_the_campaign(void **state) {
    struct world w;
    struct fake_agent one;
    struct fake_console ada;
    struct outcome cancelled = made_ok(1);
    (void)state;
    cancelled.coverage = COVERAGE_CANCELLED;
    struct span body = made_hist("usecs", 4, 5, &cancelled);
    world_make(&w);
    world_start(&w);
    world_agent(&w, &one, "web-1", "web-1");
    world_wait_log(&w, "host=\"web-1\"");
    world_console(&w, &ada, "ada");
    assert_int_equal(world_order(&ada, &ada, 3, "runqlat", "all"), RPC_OK);
    world_turn_until(&w, &one.got_order);
    world_agent_state(&one, COVERAGE_RUNNING);
    const struct query prefix = {.campaign = SPAN_LIT("0303")};
    assert_int_equal(world_ask_query(&ada, RPC_CONSOLE_STOP, QUERY_REF, &prefix), RPC_OK);
    world_turn_until(&w, &one.got_stop);
    send_and_wait(&one, 0, body);
    assert_int_equal(world_ask_query(&ada, RPC_CONSOLE_WATCH, QUERY_REF, &last), RPC_OK);
    struct campaign_info info = info_of(&ada);
    assert_true(span_eq_str(info.state, "stopped"));
    assert_int_equal(info.coverage[COVERAGE_CANCELLED], 1);
    assert_int_equal(info.with_result, 1);
    struct answer a = hist_of(&ada);
    assert_int_equal(hist_total(&a.merged.hists[0]), 5);
    assert_int_equal(a.info.with_result, 1);
    world_console_done(&ada);
    world_agent_done(&one);
    assert_int_equal(world_end(&w, SIGTERM), 0);
    struct made_dir d;
    struct campaign_id id = made_id(3);
    size_t summary_bytes = 0;
    snprintf(d.store, sizeof d.store, "%s", w.store);
    struct store *s = made_store(&d, STORE_WRITER);
    assert_int_equal(store_campaign(s, &id, size_of_summary, &summary_bytes), ERR_OK);
    assert_true(summary_bytes > 0);
    store_close(s);
    world_start(&w); /* and when it is read back */
    world_console(&w, &ada, "ada");
    assert_int_equal(world_ask_query(&ada, RPC_CONSOLE_WATCH, QUERY_REF, &last), RPC_OK);
    assert_int_equal(info_of(&ada).with_result, 1);
    made_free(body);
    world_console_done(&ada);
    world_done(&w);
}

static void agents_and_operators_act_only_for_themselves(void **state) {
    struct world w;
    struct fake_agent liar, one;
    struct fake_console ada, bob;
    (void)state;
    world_make(&w);
    ca_operator(&w.ca, "bob");
    world_start(&w);
    world_agent(&w, &liar, "web-1", "web-2");
    world_turn_until(&w, &liar.ended);
    assert_int_equal(liar.status, RPC_PERMISSION_DENIED);
    expect_words(liar.why, "the certificate is web-1's, the facts are web-2's");
    world_agent(&w, &one, "web-2", "web-2");
    world_wait_log(&w, "host=\"web-2\"");
    world_console(&w, &ada, "ada");
    world_console(&w, &bob, "bob");
    assert_int_equal(world_order(&bob, &ada, 4, "runqlat", "all"), RPC_PERMISSION_DENIED);
    expect_words(bob.why, "signed by ada, but this connection is bob's");
    assert_int_equal(world_ask(&ada, RPC_CONSOLE_START, SPAN_LIT("\377\377")), RPC_INVALID_ARGUMENT);
    assert_int_equal(world_order(&ada, &ada, 4, "runqlat", "all"), RPC_OK);
    world_turn_until(&w, &one.got_order);
    struct outcome ok = made_ok(1);
    struct span body = made_hist("usecs", 4, 5, &ok);
    world_agent_part_as(&one, "web-1", 0, body);
    world_wait_log(&w, "part.malformed");
    world_agent_part(&one, 0, SPAN_LIT("\377\377\377"));
    send_and_wait(&one, 0, body); /* the session goes on */
    assert_int_equal(one.acks, 1);
    made_free(body);
    world_console_done(&ada);
    world_console_done(&bob);
    world_agent_done(&liar);
    world_agent_done(&one);
    assert_int_equal(world_end(&w, SIGTERM), 0);
    world_done(&w);
}

static void the_newer_session_of_a_host_wins_and_the_older_is_told(void **state) {
    struct world w;
    struct fake_agent old, fresh;
    (void)state;
    world_make(&w);
    world_start(&w);
    world_agent(&w, &old, "web-1", "web-1");
    world_wait_log(&w, "agent.connected");
    world_agent(&w, &fresh, "web-1", "web-1");
    world_turn_until(&w, &old.ended);
    expect_words(old.why, "another session of host web-1 has begun");
    struct fake_console ada;
    const struct query hosts = {.selector = SPAN_LIT("")};
    struct host_list known = {0};
    world_console(&w, &ada, "ada");
    assert_int_equal(world_ask_query(&ada, RPC_CONSOLE_HOSTS, QUERY_HOSTS, &hosts), RPC_OK);
    assert_int_equal(query_decode_hosts(buf_span(&ada.answer), ada.mem, &known), ERR_OK);
    assert_int_equal(known.n, 1);
    assert_true(known.hosts[0].online);
    assert_false(fresh.ended);
    world_console_done(&ada);
    world_agent_done(&old);
    world_agent_done(&fresh);
    world_done(&w);
}

/* Before, they took each other's place for ever, and nobody was told. */
static void of_two_agents_with_one_name_the_newer_is_refused_in_the_end(void **state) {
    enum { N = 4 };
    struct world w;
    struct fake_agent a[N], again;
    struct fake_console ada;
    const struct query hosts = {.selector = SPAN_LIT("")};
    struct host_list known = {0};
    (void)state;
    world_make(&w);
    world_start(&w);
    for (int i = 0; i < N; i++) {
        world_agent(&w, &a[i], "web-1", "web-1");
        if (i) world_turn_until(&w, &a[i - 1].ended); /* once, twice, three times a newer one is believed */
    }
    for (int i = 0; i < 2; i++) {
        world_agent_refused(&w, &again, "web-1");
        expect_words(again.why, "two agents say that they are web-1: 127.0.0.1:");
        expect_words(again.why, "give one another name");
        world_agent_done(&again);
    }
    assert_false(a[N - 1].ended);
    world_wait_log(&w, "host.twice");
    assert_null(strstr(strstr(w.text, "host.twice") + 1, "host.twice")); /* said once */
    world_console(&w, &ada, "ada");
    assert_int_equal(world_ask_query(&ada, RPC_CONSOLE_HOSTS, QUERY_HOSTS, &hosts), RPC_OK);
    assert_int_equal(query_decode_hosts(buf_span(&ada.answer), ada.mem, &known), ERR_OK);
    assert_int_equal(known.n, 1);
    assert_true(known.hosts[0].note.n > 0);
    world_agent_done(&a[N - 1]); /* the present one goes: there is room for another */
    w.n_text = 0;                /* it is the next one that is waited for */
    w.text[0] = 0;
    world_wait_log(&w, "agent.disconnected");
    world_agent(&w, &a[N - 1], "web-1", "web-1");
    for (int i = 0; i < N; i++) world_agent_done(&a[i]);
    world_console_done(&ada);
    assert_int_equal(world_end(&w, SIGTERM), 0);
    world_done(&w);
}

static void a_reload_keeps_what_is_connected(void **state) {
    struct world w;
    struct fake_agent one;
    (void)state;
    world_make(&w);
    world_start(&w);
    world_agent(&w, &one, "web-1", "web-1");
    world_wait_log(&w, "agent.connected");
    kill(w.pid, SIGHUP);
    world_wait_log(&w, "what=\"agents\"");
    world_wait_log(&w, "what=\"consoles\"");
    assert_false(one.ended);
    world_agent_done(&one);
    assert_int_equal(world_end(&w, SIGTERM), 0);
    world_done(&w);
}

static void limit_files(struct world *w, rlim_t bytes) {
    const struct rlimit r = {.rlim_cur = bytes, .rlim_max = RLIM_INFINITY};
    assert_int_equal(prlimit(w->pid, RLIMIT_FSIZE, &r, NULL), 0);
}

/* The daemon's files may not grow: what a full disk is to it. */
static void with_a_full_disk_agents_wait_consoles_are_told_and_nothing_is_lost(void **state) {
    struct world w;
    struct fake_agent one;
    struct fake_console ada;
    struct outcome ok = made_ok(3);
    struct span parts[] = {made_hist("usecs", 4, 5, NULL), made_hist("usecs", 8, 7, NULL), made_hist("usecs", 16, 9, &ok)};
    (void)state;
    world_make(&w);
    world_start(&w);
    world_agent(&w, &one, "web-1", "web-1");
    world_wait_log(&w, "agent.connected");
    world_console(&w, &ada, "ada");
    assert_int_equal(world_order(&ada, &ada, 5, "runqlat", "all"), RPC_OK);
    world_turn_until(&w, &one.got_order);
    limit_files(&w, 4096);
    for (uint32_t i = 0; i < COUNT_OF(parts); i++) world_agent_part(&one, i, parts[i]);
    world_wait_log(&w, "store.failed");
    for (int i = 0; i < 20; i++) assert_int_equal(loop_turn(w.loop, 20), ERR_OK);
    assert_int_equal(one.acks, 0);
    assert_int_equal(world_order(&ada, &ada, 6, "runqlat", "all"), RPC_UNAVAILABLE);
    expect_words(ada.why, "cannot write to its store");
    assert_int_equal(world_ask_query(&ada, RPC_CONSOLE_SHOW, QUERY_REF, &last), RPC_OK); /* it still answers */
    limit_files(&w, RLIM_INFINITY);
    assert_int_equal(world_ask_query(&ada, RPC_CONSOLE_WATCH, QUERY_REF, &last), RPC_OK);
    assert_int_equal(info_of(&ada).coverage[COVERAGE_OK], 1);
    world_wait_log(&w, "store.recovered");
    struct answer a = hist_of(&ada);
    assert_int_equal(hist_total(&a.merged.hists[0]), 21);
    assert_int_equal(one.acks, 3);
    for (size_t i = 0; i < COUNT_OF(parts); i++) made_free(parts[i]);
    world_console_done(&ada);
    world_agent_done(&one);
    assert_int_equal(world_end(&w, SIGTERM), 0);
    world_done(&w);
}

/* More ended campaigns than stay loaded: each is read back when somebody asks, or when a host's result comes late. */
static void ended_campaigns_are_read_back_and_a_late_result_still_counts(void **state) {
    enum { N = 90 };
    static const struct span hosts[] = {{"web-1", 5}, {"web-2", 5}};
    struct world w;
    struct fake_agent late;
    struct fake_console ada;
    struct outcome ok = made_ok(1);
    struct span body = made_hist("usecs", 4, 5, &ok), outcome = made_outcome(&ok);
    (void)state;
    world_make(&w);
    struct made_dir d;
    snprintf(d.store, sizeof d.store, "%s", w.store);
    struct store *s = made_store(&d, STORE_WRITER);
    for (unsigned char i = 1; i <= N; i++) {
        made_put_campaign(s, made_id(i), "runqlat", hosts, 2);
        assert_int_equal(made_put_part(s, made_id(i), "web-2", "runqlat", 0, body), STORE_DONE);
        struct store_op end[] = {
            {.kind = STORE_END_TARGET, .target = {.campaign = made_id(i), .host = hosts[1], .coverage = COVERAGE_OK, .outcome = outcome}},
            {.kind = STORE_END_TARGET,
             .target = {.campaign = made_id(i), .host = hosts[0], .coverage = COVERAGE_OFFLINE, .reason = SPAN_LIT("away")}},
            {.kind = STORE_END_CAMPAIGN, .end = {.id = made_id(i), .ended_wall_ns = 1}}};
        struct store_op *ops[] = {&end[0], &end[1], &end[2]};
        assert_int_equal(store_apply(s, ops, 3), ERR_OK);
    }
    store_close(s);
    world_start(&w);
    world_console(&w, &ada, "ada");
    for (int round = 0; round < 2; round++) {
        const struct query all = {.n = 2 * N};
        struct campaign_list list = {0};
        assert_int_equal(world_ask_query(&ada, RPC_CONSOLE_CAMPAIGNS, QUERY_CAMPAIGNS, &all), RPC_OK);
        assert_int_equal(query_decode_campaigns(buf_span(&ada.answer), ada.mem, &list), ERR_OK);
        assert_int_equal(list.n, N);
        assert_int_equal(list.campaigns[N - 1].coverage[COVERAGE_OFFLINE], 1);
        uint64_t until_ns = clock_mono_ns() + 1200 * NS_PER_MS; /* longer than a tick, which unloads */
        while (clock_mono_ns() < until_ns) assert_int_equal(loop_turn(w.loop, 50), ERR_OK);
    }
    struct answer a = hist_of(&ada);
    assert_int_equal(hist_total(&a.merged.hists[0]), 5);
    assert_int_equal(a.n_targets, 1);
    world_agent(&w, &late, "web-1", "web-1");
    late.campaign = made_id(1);
    send_and_wait(&late, 0, body);
    const struct query first = {.campaign = SPAN_LIT("01")};
    struct campaign_detail detail = {0};
    assert_int_equal(world_ask_query(&ada, RPC_CONSOLE_SHOW, QUERY_REF, &first), RPC_OK);
    assert_int_equal(query_decode_detail(buf_span(&ada.answer), ada.mem, &detail), ERR_OK);
    assert_int_equal(detail.info.coverage[COVERAGE_OK], 2);
    late.campaign = made_id(200); /* nobody's: acknowledged, so that the agent forgets it */
    send_and_wait(&late, 0, body);
    world_wait_log(&w, "part.refused");
    made_free(body);
    made_free(outcome);
    world_console_done(&ada);
    world_agent_done(&late);
    assert_int_equal(world_end(&w, SIGTERM), 0);
    world_done(&w);
}

/* What it prints on both outputs, and its exit code. */
static int run_it(struct world *w, const char *option, char *out, size_t size) {
    int fds[2], status = 0;
    size_t n = 0;
    assert_int_equal(pipe(fds), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        dup2(fds[1], 1);
        dup2(fds[1], 2);
        execl(COLLECTORD, COLLECTORD, "--config", w->config, option, (char *)NULL);
        _exit(127);
    }
    close(fds[1]);
    for (ssize_t r; n < size - 1 && (r = read(fds[0], out + n, size - 1 - n)) > 0;) n += (size_t)r;
    out[n] = 0;
    close(fds[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void configure(struct world *w, const char *certificate, const char *more) {
    FILE *f = fopen(w->config, "w");
    assert_non_null(f);
    fprintf(f, "fleet = test\nlisten = 127.0.0.1:0\nconsole_listen = 127.0.0.1:0\ntls_ca = %s\n", ca_file(&w->ca, "fleet-ca.pem"));
    fprintf(f, "tls_cert = %s/%s.pem\ntls_key = %s/%s.key\n", w->ca.dir, certificate, w->ca.dir, certificate);
    fprintf(f, "operators_ca = %s\nstore = %s\n%s", ca_file(&w->ca, "operators-ca.pem"), w->store, more);
    assert_int_equal(fclose(f), 0);
}

static void a_collector_that_cannot_start_says_why(void **state) {
    struct world w;
    static char out[16384];
    (void)state;
    world_make(&w);
    configure(&w, "agents/web-1", "");
    assert_int_equal(run_it(&w, NULL, out, sizeof out), 1);
    expect_words(out, "not a collector's but of role agent");
    configure(&w, "collectors/c-1", "name = c-2\n");
    assert_int_equal(run_it(&w, "--check", out, sizeof out), 1);
    expect_words(out, "the certificate is for the collector c-1, the configuration says c-2");
    configure(&w, "collectors/c-9", "");
    assert_int_equal(run_it(&w, NULL, out, sizeof out), 1);
    expect_words(out, "c-9.pem");
    configure(&w, "collectors/c-1", "no_such_key = 1\n");
    assert_int_equal(run_it(&w, NULL, out, sizeof out), 1);
    expect_words(out, "no_such_key");
    configure(&w, "collectors/c-1", "http_listen = nowhere.invalid:1\n");
    assert_int_equal(run_it(&w, "--check", out, sizeof out), 1);
    expect_words(out, "http_listen: nowhere.invalid is not found");
    configure(&w, "collectors/c-1", "http_listen = 192.0.2.1:0\n"); /* nobody's (TEST-NET-1) */
    assert_int_equal(run_it(&w, "--check", out, sizeof out), 1);
    expect_words(out, "http_listen: cannot listen at 192.0.2.1:0: ");
    configure(&w, "collectors/c-1", "");
    assert_int_equal(run_it(&w, "--check", out, sizeof out), 0);
    expect_words(out, "does not exist yet");
    world_start(&w);
    assert_int_equal(run_it(&w, "--check", out, sizeof out), 0); /* beside the one that runs */
    configure(&w, "collectors/c-1", "");
    assert_int_equal(run_it(&w, NULL, out, sizeof out), 1);
    expect_words(out, "another process has it open for writing");
    assert_int_equal(world_end(&w, SIGTERM), 0);
    FILE *f = fopen(w.store, "r+");
    assert_non_null(f);
    fputs("this is no database, as anybody can see", f);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(run_it(&w, "--check", out, sizeof out), 1);
    expect_words(out, "file is not a database");
    world_done(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_campaign_runs_from_the_signature_to_the_merged_histogram),
        cmocka_unit_test(nothing_acknowledged_is_lost_or_counted_twice_through_kill_9),
        cmocka_unit_test(a_list_is_made_of_summaries),
        cmocka_unit_test(a_stop_reaches_the_agents_and_ends_the_campaign),
        cmocka_unit_test(agents_and_operators_act_only_for_themselves),
        cmocka_unit_test(the_newer_session_of_a_host_wins_and_the_older_is_told),
        cmocka_unit_test(of_two_agents_with_one_name_the_newer_is_refused_in_the_end),
        cmocka_unit_test(a_reload_keeps_what_is_connected),
        cmocka_unit_test(with_a_full_disk_agents_wait_consoles_are_told_and_nothing_is_lost),
        cmocka_unit_test(ended_campaigns_are_read_back_and_a_late_result_still_counts),
        cmocka_unit_test(a_collector_that_cannot_start_says_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
