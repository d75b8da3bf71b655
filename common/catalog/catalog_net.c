#include "common/catalog/catalog_net.h"

#include "common/catalog/catalog_row.h"

/* ---- tcpconnlat ---- */

static const struct parse_column tcpconnlat_columns[] = {
    {.name = "TIME(s)", .type = COLUMN_DECIMAL, .unit = "s", .glued = true, .decimals = 3},
    {.name = "PID", .type = COLUMN_INT},
    {.name = "COMM", .type = COLUMN_TEXT, .blanks = true, .most = ROW_COMM_MOST},
    {.name = "IP", .type = COLUMN_INT},
    {.name = "SADDR", .type = COLUMN_ADDRESS},
    {.name = "LPORT", .type = COLUMN_PORT},
    {.name = "DADDR", .type = COLUMN_ADDRESS},
    {.name = "DPORT", .type = COLUMN_PORT},
    {.name = "LAT(ms)", .type = COLUMN_DECIMAL, .unit = "ms"},
};

static const struct flavour_param tcpconnlat_libbpf_params[] = {{PARAM_MIN_MS, ""}, {PARAM_PID, "-p"}};
static const struct flavour_param tcpconnlat_bcc_params[] = {{PARAM_MIN_MS, ""}, {PARAM_PID, "-p"}, {PARAM_FAMILY, "-="}};

static const struct flavour_param tcpconnlat_bpftrace_params[] = {{PARAM_MIN_MS, ""}, {PARAM_PID, ""}, {PARAM_FAMILY, ""}};
static const struct parse_column tcpconnlat_bpftrace_columns[] = {
    {.name = "TIME(s)", .type = COLUMN_DECIMAL, .unit = "s", .decimals = 6},
    {.name = "PID", .type = COLUMN_INT},
    {.name = "COMM", .type = COLUMN_TEXT},
    {.name = "IP", .type = COLUMN_INT},
    {.name = "SADDR", .type = COLUMN_ADDRESS},
    {.name = "LPORT", .type = COLUMN_PORT},
    {.name = "DADDR", .type = COLUMN_ADDRESS},
    {.name = "DPORT", .type = COLUMN_PORT},
    {.name = "LAT(ms)", .type = COLUMN_DECIMAL, .unit = "ms", .decimals = 3},
};

static const struct flavour tcpconnlat[] = {
    {LIBBPF,
     .binaries = {"tcpconnlat-libbpf", "tcpconnlat"},
     .defaults = {"-t", "-L"},
     .argv = {"{min-ms}"},
     .end = END_BY_SIGINT,
     PARAMS(tcpconnlat_libbpf_params),
     .capabilities = CAPS_TRACEFS,
     .capabilities_why = CAPS_TRACEFS_WHY PERF_EVENTS_WHY,
     .perf_events = true,
     .functions = {"tcp_v4_connect", "tcp_v6_connect", "tcp_rcv_state_process"},
     .n_ok_exits = 1,
     .tells = {"PID    COMM "},
     .parse = {.grammar = GRAMMAR_TABLE, COLUMNS(tcpconnlat_columns)}},
    {BCC,
     .binaries = {"tcpconnlat-bpfcc", "tcpconnlat"},
     .defaults = {"-t", "-L"},
     .argv = {"{min-ms}"},
     .end = END_BY_SIGINT,
     PARAMS(tcpconnlat_bcc_params),
     .functions = {"tcp_v4_connect", "tcp_v6_connect", "tcp_rcv_state_process"},
     .tells = {"PID     COMM "},
     .parse = {.grammar = GRAMMAR_TABLE, COLUMNS(tcpconnlat_columns)}},
    {BPFTRACE, BPFTRACE_CAPS, .program = "tcpconnlat.bt", .argv = {"{program}", "{seconds}", "{pid}", "{family}", "{min-ms}"},
     PARAMS(tcpconnlat_bpftrace_params), .tracepoints = {"sock:inet_sock_set_state"},
     .parse = {.grammar = GRAMMAR_JSON, COLUMNS(tcpconnlat_bpftrace_columns)}},
};

const struct tool catalog_net_tcpconnlat = {
    .id = TOOL_TCPCONNLAT,
    .name = "tcpconnlat",
    .summary = "how long outgoing TCP connections take to be established",
    .reading = "Read it as distance: under 1 ms the same datacenter, 1 to 5 ms the same region, 5 to 50 ms another region, over 100 ms another continent or a "
               "network problem, over 1 s a lost SYN, DNS or routing.  Refused connections are listed too.",
    .kind = RESULT_EVENTS,
    .cost = COST_LOW,
    .counter = COUNTER_TCP_OPENS,
    FLAVOURS(tcpconnlat)};

/* ---- tcpretrans ---- */

static const struct parse_column tcpretrans_columns[] = {
    {.name = "TIME", .type = COLUMN_TIME},
    {.name = "PID", .type = COLUMN_INT},
    {.name = "IP", .type = COLUMN_INT},
    {.name = "LADDR:LPORT", .type = COLUMN_TEXT},
    {.name = "T", .type = COLUMN_TEXT, .close = ">"},
    {.name = "RADDR:RPORT", .type = COLUMN_TEXT, .before = "<->"},
    {.name = "STATE", .type = COLUMN_TEXT},
    {.name = "SEQ", .type = COLUMN_INT},
    {.name = "RETRANSMITS", .type = COLUMN_INT},
};

static const struct flavour_param tcpretrans_bcc_params[] = {{PARAM_LOSS_PROBES, "-l"}, {PARAM_PER_FLOW, "-c"}, {PARAM_FAMILY, "-="}};

static const struct flavour_param tcpretrans_bpftrace_params[] = {{PARAM_FAMILY, ""}};
static const struct parse_column tcpretrans_bpftrace_columns[] = {
    {.name = "TIME", .type = COLUMN_TIME},  {.name = "PID", .type = COLUMN_INT},
    {.name = "IP", .type = COLUMN_INT},     {.name = "LADDR:LPORT", .type = COLUMN_TEXT, .pair = true},
    {.name = "T", .type = COLUMN_TEXT},     {.name = "RADDR:RPORT", .type = COLUMN_TEXT, .pair = true},
    {.name = "STATE", .type = COLUMN_TEXT},
};

static const struct flavour tcpretrans[] = {
    {BCC,
     .binaries = {"tcpretrans-bpfcc", "tcpretrans"},
     .end = END_BY_SIGINT,
     PARAMS(tcpretrans_bcc_params),
     .tracepoints = {"tcp:tcp_retransmit_skb"},
     .parse = {.grammar = GRAMMAR_TABLE, COLUMNS(tcpretrans_columns)}},
    {BPFTRACE, BPFTRACE_CAPS, .program = "tcpretrans.bt", .argv = {"{program}", "{seconds}", "{family}"},
     PARAMS(tcpretrans_bpftrace_params), .tracepoints = {"tcp:tcp_retransmit_skb"},
     .fields = {"trace_event_raw_tcp_retransmit_skb.family|trace_event_raw_tcp_event_sk_skb.family"},
     .parse = {.grammar = GRAMMAR_JSON, COLUMNS(tcpretrans_bpftrace_columns), .limits = "bpftrace: loss probes are not told apart"}},
};

const struct tool catalog_net_tcpretrans = {
    .id = TOOL_TCPRETRANS,
    .name = "tcpretrans",
    .summary = "TCP segments that are sent again, with both ends",
    .reading = "Many to one peer: the path to it, or the peer.  Many to all: this host's network.  SYN_SENT: the other side does not answer.  T: R a "
               "retransmit, L a loss probe (--loss-probes).  PID is whoever was on the CPU, not the sender.",
    .kind = RESULT_EVENTS,
    .cost = COST_LOW,
    .counter = COUNTER_TCP_RETRANSMITS,
    FLAVOURS(tcpretrans)};

/* ---- tcprtt ---- */

static const struct flavour_param tcprtt_params[] = {
    {PARAM_MILLISECONDS, "-m"}, {PARAM_LOCAL_PORT, "-p"}, {PARAM_PORT, "-P"}, {PARAM_PER_LOCAL, "-b"}, {PARAM_PER_REMOTE, "-B"},
    {PARAM_INTERVAL_S, "-T"},   {PARAM_ROUNDS, "-T"}};

static const struct flavour_param tcprtt_bpftrace_params[] = {
    {PARAM_LOCAL_PORT, ""}, {PARAM_PORT, ""}, {PARAM_INTERVAL_S, ""}, {PARAM_ROUNDS, ""}};

static const struct flavour tcprtt[] = {
    {LIBBPF,
     .binaries = {"tcprtt-libbpf", "tcprtt"},
     .argv = {"-i", "{interval}", "-d", "{intervals}"}, /* without -i it never ends */
     .end = END_BY_ARGV,
     PARAMS(tcprtt_params),
     .capabilities = CAPS_TRACEFS,
     .capabilities_why = CAPS_TRACEFS_WHY,
     .functions = {"tcp_rcv_established"},
     .n_ok_exits = 1,
     .known_wrong = "libbpf-tools 0.26: IPv6 peers are counted under invented IPv4 addresses; --per-local-address is refused by the verifier",
     .tells = {TELL_LIBBPF},
     .parse = {.grammar = GRAMMAR_HISTOGRAM, .histogram_clamps = true, .clamp_low = UINT64_C(1) << 26}},
    {BCC,
     .binaries = {"tcprtt-bpfcc", "tcprtt"},
     .argv = {"-i", "{interval}", "-d", "{intervals}"},
     .end = END_BY_ARGV,
     PARAMS(tcprtt_params),
     .functions = {"tcp_rcv_established"},
     .fails_with_macro = "linux/tcp.h:tcp_sk", /* bcc's rewriter stumbles over its _Generic */
     .compiles_from = "0.29",
     .tells = {TELL_BCC},
     .parse = {.grammar = GRAMMAR_HISTOGRAM}},
    {BPFTRACE, BPFTRACE_CAPS, .program = "tcprtt.bt", .argv = {"{program}", "{interval}", "{count}", "{local-port}", "{port}"},
     PARAMS(tcprtt_bpftrace_params), .tracepoints = {"tcp:tcp_probe"}, .parse = {.grammar = GRAMMAR_JSON}},
};

const struct tool catalog_net_tcprtt = {
    .id = TOOL_TCPRTT,
    .name = "tcprtt",
    .summary = "round-trip times of TCP connections, as the kernel measures them",
    .reading = "Read it as distance, as tcpconnlat.  A tail far behind the median is congestion or loss on the way; --per-remote-address tells to whom.  "
               "Each received segment counts, so busy connections dominate.",
    .kind = RESULT_HISTOGRAM,
    .cost = COST_MEDIUM,
    .counter = COUNTER_TCP_SEGMENTS,
    FLAVOURS(tcprtt)};

/* ---- tcpdrop ---- */

static const struct parse_column tcpdrop_columns[] = {
    {.name = "TIME", .type = COLUMN_TIME},
    {.name = "PID", .type = COLUMN_INT},
    {.name = "IP", .type = COLUMN_INT},
    {.name = "SADDR:SPORT", .type = COLUMN_TEXT},
    {.name = "DADDR:DPORT", .type = COLUMN_TEXT, .before = ">"},
    {.name = "STATE", .type = COLUMN_TEXT},
    {.name = "FLAGS", .type = COLUMN_TEXT, .open = "(", .close = ")"},
    {.name = "REASON", .type = COLUMN_TEXT, .open = "(", .close = ")"},
    {.name = "REASON", .type = COLUMN_TEXT},
};

static const struct flavour_param tcpdrop_bcc_params[] = {{PARAM_FAMILY, "-="}};

static const struct parse_column tcpdrop_bpftrace_columns[] = {
    {.name = "TIME", .type = COLUMN_TIME},
    {.name = "PID", .type = COLUMN_INT},
    {.name = "IP", .type = COLUMN_INT},
    {.name = "SADDR:SPORT", .type = COLUMN_TEXT, .pair = true},
    {.name = "DADDR:DPORT", .type = COLUMN_TEXT, .pair = true},
    {.name = "STATE", .type = COLUMN_TEXT},
    {.name = "FLAGS", .type = COLUMN_TEXT},
};

static const struct flavour tcpdrop[] = {
    {BCC,
     .binaries = {"tcpdrop-bpfcc", "tcpdrop"},
     .end = END_BY_SIGINT,
     PARAMS(tcpdrop_bcc_params),
     .tracepoints = {"skb:kfree_skb"},
     .known_wrong = "kernels without the function tcp_drop (5.18 and later): only what is dropped on its way out, since a segment that came in "
                    "is no socket's any more when it is dropped",
     .wrong_without = "tcp_drop",
     .parse = {.grammar = GRAMMAR_TABLE,
               COLUMNS(tcpdrop_columns),
               .row_stacks = true,
               .limits = "bcc: segments that no socket waits for (a closed port) are not shown"}},
    {BPFTRACE, BPFTRACE_SYMBOLS, .program = "tcpdrop.bt", .argv = {"{program}", "{seconds}", "{family}"},
     PARAMS(tcpretrans_bpftrace_params), .tracepoints = {"skb:kfree_skb"},
     .parse =
         {.grammar = GRAMMAR_JSON,
          COLUMNS(tcpdrop_bpftrace_columns),
          .row_stacks = true,
          .limits =
              "bpftrace: STATE is empty for segments without a socket, FLAGS for unusual ones; IPv6 with extension headers is not seen"}},
};

const struct tool catalog_net_tcpdrop = {
    .id = TOOL_TCPDROP,
    .name = "tcpdrop",
    .summary = "TCP segments that the kernel drops, with the kernel stack that dropped them",
    .reading = "The stack says why: a full listen queue, a closed port, a checksum, a queue discipline.  Segments that are freed at the end of a connection "
               "may be among them.  PID is whoever was on the CPU.",
    .kind = RESULT_EVENTS,
    .cost = COST_MEDIUM,
    .counter = COUNTER_TCP_SEGMENTS,
    FLAVOURS(tcpdrop)};

/* ---- tcpstates ---- */

#define TCPSTATES_COLUMNS                                                                                                                            \
    {.name = "TIME", .type = COLUMN_TIME}, {.name = "SKADDR", .type = COLUMN_TEXT}, {.name = "C-PID", .type = COLUMN_INT},                            \
        {.name = "PID", .type = COLUMN_INT}, {.name = "C-COMM", .type = COLUMN_TEXT, .blanks = true, .most = ROW_COMM_MOST},                          \
        {.name = "COMM", .type = COLUMN_TEXT, .blanks = true, .most = ROW_COMM_MOST}, {.name = "IP", .type = COLUMN_INT},                             \
        {.name = "LADDR", .type = COLUMN_ADDRESS}, {.name = "LPORT", .type = COLUMN_PORT}, {.name = "RADDR", .type = COLUMN_ADDRESS},                 \
        {.name = "RPORT", .type = COLUMN_PORT}, {.name = "OLDSTATE", .type = COLUMN_TEXT},                                                            \
        {.name = "NEWSTATE", .type = COLUMN_TEXT, .before = "->"}, {.name = "MS", .type = COLUMN_DECIMAL, .unit = "ms"}

/* libbpf's -T prints clock times below TIME(s). */
static const struct parse_column tcpstates_libbpf_columns[] = {{.name = "TIME(s)", .type = COLUMN_TIME}, TCPSTATES_COLUMNS};
static const struct parse_column tcpstates_bcc_columns[] = {{.name = "TIME(s)", .type = COLUMN_DECIMAL, .unit = "s"}, TCPSTATES_COLUMNS};

static const struct flavour_param tcpstates_libbpf_params[] = {{PARAM_LOCAL_PORT, "-L"}, {PARAM_PORT, "-D"}, {PARAM_FAMILY, "-="}};
static const struct flavour_param tcpstates_bcc_params[] = {{PARAM_LOCAL_PORT, "-L"}, {PARAM_PORT, "-D"}};

static const struct flavour tcpstates[] = {
    {LIBBPF,
     .binaries = {"tcpstates-libbpf", "tcpstates"},
     .defaults = {"-T", "-w"},
     .end = END_BY_SIGINT,
     PARAMS(tcpstates_libbpf_params),
     .capabilities = CAPS_TRACEFS,
     .capabilities_why = CAPS_TRACEFS_WHY PERF_EVENTS_WHY,
     .perf_events = true,
     .needs_tracefs = true,
     .tracepoints = {"sock:inet_sock_set_state"},
     .n_ok_exits = 1,
     .tells = {" PID     COMM "},
     .parse = {.grammar = GRAMMAR_TABLE, COLUMNS(tcpstates_libbpf_columns)}},
    {BCC,
     .binaries = {"tcpstates-bpfcc", "tcpstates"},
     .defaults = {"-T", "-w"},
     .end = END_BY_SIGINT,
     PARAMS(tcpstates_bcc_params),
     .tracepoints = {"sock:inet_sock_set_state"},
     .tells = {"C-PID"},
     .parse = {.grammar = GRAMMAR_TABLE, COLUMNS(tcpstates_bcc_columns)}},
};

const struct tool catalog_net_tcpstates = {
    .id = TOOL_TCPSTATES,
    .name = "tcpstates",
    .summary = "TCP connections as they change state, and how long each state lasted",
    .reading = "MS is the time spent in OLDSTATE (0 in a connection's first row).  Long SYN_SENT: the other side; long CLOSE_WAIT: this side's application "
               "does not close.  PID and COMM are whoever was on the CPU, often not the owner.",
    .kind = RESULT_EVENTS,
    .cost = COST_LOW,
    .counter = COUNTER_TCP_OPENS,
    FLAVOURS(tcpstates)};

/* ---- gethostlatency ---- */

#define GETHOSTLATENCY_COLUMNS                                                                                                                       \
    {.name = "TIME", .type = COLUMN_TIME}, {.name = "PID", .type = COLUMN_INT},                                                                       \
        {.name = "COMM", .type = COLUMN_TEXT, .blanks = true, .width = 17, .most = ROW_COMM_MOST},                                                    \
        {.name = "LATms", .type = COLUMN_DECIMAL, .unit = "ms"}, {.name = "HOST", .type = COLUMN_TEXT, .to_end = true, .most = 256}

static const struct parse_column gethostlatency_columns[] = {GETHOSTLATENCY_COLUMNS};

/* No --pid: the uprobe's pid is looked up in the tool's own PID namespace, where no other process has one (docs/adr/0001). */
static const struct flavour gethostlatency[] = {
    {LIBBPF,
     .binaries = {"gethostlatency-libbpf", "gethostlatency"},
     .end = END_BY_SIGINT,
     .capabilities = CAPS_TRACE | CAP(SYS_ADMIN),
     .capabilities_why = CAPS_TRACE_WHY "; CAP_SYS_ADMIN is what the kernel asks of whoever makes a uprobe",
     .n_ok_exits = 1,
     .tells = {"LATms      HOST"},
     .parse = {.grammar = GRAMMAR_TABLE, COLUMNS(gethostlatency_columns), .multiline_last = true}},
    {BCC,
     .binaries = {"gethostlatency-bpfcc", "gethostlatency"},
     .end = END_BY_SIGINT,
     .tells = {"LATms HOST"},
     .parse = {.grammar = GRAMMAR_TABLE, COLUMNS(gethostlatency_columns), .multiline_last = true}},
};

const struct tool catalog_net_gethostlatency = {
    .id = TOOL_GETHOSTLATENCY,
    .name = "gethostlatency",
    .summary = "how long name look-ups (getaddrinfo, gethostbyname) take",
    .reading = "Under a millisecond is /etc/hosts or a cache, some milliseconds a near server; seconds are time-outs of a server that does not answer.  A "
               "failed look-up is not marked.  Programs with a resolver of their own (Go, static ones) and those in containers are not seen.",
    .kind = RESULT_EVENTS,
    .cost = COST_LOW,
    .counter = COUNTER_CONSTANT,
    FLAVOURS(gethostlatency)};
