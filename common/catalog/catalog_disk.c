#include "common/catalog/catalog_disk.h"

#include "common/catalog/catalog_row.h"

/* ---- biolatency ---- */

static const struct flavour_param biolatency_libbpf_params[] = {{PARAM_MILLISECONDS, "-m"}, {PARAM_QUEUED, "-Q"}, {PARAM_PER_DISK, "-D"},   {PARAM_PER_FLAG, "-F"},
                                                                {PARAM_DISK, "-d"},         {PARAM_CGROUP, "-c"}, {PARAM_INTERVAL_S, "-T"}, {PARAM_ROUNDS, "-T"}};
static const struct flavour_param biolatency_bcc_params[] = {{PARAM_MILLISECONDS, "-m"}, {PARAM_QUEUED, "-Q"},     {PARAM_PER_DISK, "-D"},
                                                             {PARAM_DISK, "-d"},         {PARAM_INTERVAL_S, "-T"}, {PARAM_ROUNDS, "-T"}};

static const struct flavour biolatency[] = {
    {LIBBPF,
     .binaries = {"biolatency-libbpf", "biolatency"},
     .defaults = {"-D"},
     .argv = {"{interval}", "{count}"},
     .end = END_BY_ARGV,
     PARAMS(biolatency_libbpf_params),
     .capabilities = CAPS_TRACE,
     .capabilities_why = CAPS_TRACE_WHY,
     .n_ok_exits = 1,
     .tells = {TELL_LIBBPF},
     .parse = {.grammar = GRAMMAR_HISTOGRAM, .histogram_clamps = true, .clamp_low = UINT64_C(1) << 26}},
    {BCC,
     .binaries = {"biolatency-bpfcc", "biolatency"},
     .defaults = {"-D"},
     .argv = {"{interval}", "{count}"},
     .end = END_BY_ARGV,
     PARAMS(biolatency_bcc_params),
     .functions = {"blk_account_io_done|__blk_account_io_done"},
     .tells = {TELL_BCC, "{'ts': '"},
     .parse = {.grammar = GRAMMAR_HISTOGRAM, .dicts = true}},
};

/* What is not known to rotate is read as an SSD. */
static const struct band biolatency_bands[] = {
    {500, 100, 0, NULL}, {990, 1000, 50000, NULL}, {500, 5000, 0, "hdd"}, {990, 20000, 50000, "hdd"}};

const struct tool catalog_disk_biolatency = {
    .id = TOOL_BIOLATENCY,
    .name = "biolatency",
    .summary = "how long block devices take for an I/O, per disk",
    .reading = "On an SSD p50 under 100 us and p99 under 1 ms is good (5 ms and 20 ms on a rotating disk); p99 over 50 ms is a disk "
               "that is overloaded or failing.  Two humps are often a cache and what is behind it.",
    .kind = RESULT_HISTOGRAM,
    .cost = COST_LOW,
    .counter = COUNTER_DISK_IOS,
    FLAVOURS(biolatency),
    BANDS(biolatency_bands)};

/* ---- biosnoop ---- */

static const struct parse_column biosnoop_columns[] = {
    {.name = "TIME(s)", .type = COLUMN_DECIMAL, .unit = "s"},
    {.name = "TIMESTAMP", .type = COLUMN_TIME},
    {.name = "COMM", .type = COLUMN_TEXT, .blanks = true, .most = ROW_COMM_MOST},
    {.name = "PID", .type = COLUMN_INT},
    {.name = "DISK", .type = COLUMN_TEXT},
    {.name = "T", .type = COLUMN_TEXT},
    {.name = "SECTOR", .type = COLUMN_INT},
    {.name = "BYTES", .type = COLUMN_INT, .unit = "bytes"},
    {.name = "P", .type = COLUMN_TEXT, .one_of = "SR?", .optional = true},
    {.name = "QUE(ms)", .type = COLUMN_DECIMAL, .unit = "ms"},
    {.name = "LAT(ms)", .type = COLUMN_DECIMAL, .unit = "ms"},
};

static const struct flavour_param biosnoop_libbpf_params[] = {{PARAM_QUEUED, "-Q"}, {PARAM_DISK, "-d"}, {PARAM_CGROUP, "-c"}};
static const struct flavour_param biosnoop_bcc_params[] = {{PARAM_QUEUED, "-Q"}};

static const struct parse_column biosnoop_bpftrace_columns[] = {
    {.name = "TIME(s)", .type = COLUMN_DECIMAL, .unit = "s", .decimals = 6},
    {.name = "COMM", .type = COLUMN_TEXT},
    {.name = "PID", .type = COLUMN_INT},
    {.name = "DISK", .type = COLUMN_TEXT, .pair = true},
    {.name = "T", .type = COLUMN_TEXT},
    {.name = "SECTOR", .type = COLUMN_INT},
    {.name = "BYTES", .type = COLUMN_INT, .unit = "bytes"},
    {.name = "LAT(ms)", .type = COLUMN_DECIMAL, .unit = "ms", .decimals = 3},
};

static const struct flavour biosnoop[] = {
    {LIBBPF,
     .binaries = {"biosnoop-libbpf", "biosnoop"},
     .argv = {"{seconds}"},
     .end = END_BY_ARGV,
     PARAMS(biosnoop_libbpf_params),
     .capabilities = CAPS_TRACEFS,
     .capabilities_why = CAPS_TRACEFS_WHY PERF_EVENTS_WHY,
     .perf_events = true,
     .functions = {"blk_account_io_start|__blk_account_io_start"},
     .n_ok_exits = 1,
     .tells = {"DISK    T    SECTOR"},
     .parse = {.grammar = GRAMMAR_TABLE, COLUMNS(biosnoop_columns)}},
    {BCC,
     .binaries = {"biosnoop-bpfcc", "biosnoop"},
     .end = END_BY_SIGINT,
     PARAMS(biosnoop_bcc_params),
     .functions = {"blk_account_io_start|__blk_account_io_start", "blk_account_io_done|__blk_account_io_done"},
     .tells = {"T SECTOR "},
     .parse = {.grammar = GRAMMAR_TABLE, COLUMNS(biosnoop_columns)}},
    {BPFTRACE, BPFTRACE_CAPS, .program = "biosnoop.bt", .argv = {"{program}", "{seconds}"},
     .fields = {"trace_event_raw_block_rq.bytes"},
     .tracepoints = {"block:block_getrq", "block:block_rq_issue", "block:block_rq_complete"},
     .parse = {.grammar = GRAMMAR_JSON,
               COLUMNS(biosnoop_bpftrace_columns),
               .limits = "bpftrace: DISK is the device's number (254:0), not its name"}},
};

const struct tool catalog_disk_biosnoop = {
    .id = TOOL_BIOSNOOP,
    .name = "biosnoop",
    .summary = "each block I/O: who, which disk, read or write, where, how much, how long",
    .reading = "Rank by LAT(ms) for the slow ones and by BYTES for the large ones.  PID and COMM are whoever issued the I/O, which for writes is often a "
               "kernel worker.  T: R read, W write, F flush, D discard, with S sync, M metadata, A read-ahead behind it (libbpf).",
    .kind = RESULT_EVENTS,
    .cost = COST_MEDIUM,
    .counter = COUNTER_DISK_IOS,
    FLAVOURS(biosnoop)};

/* ---- bitesize ---- */

static const struct flavour_param bitesize_libbpf_params[] = {{PARAM_COMM, "-c"}, {PARAM_DISK, "-d"}, {PARAM_INTERVAL_S, "-T"}, {PARAM_ROUNDS, "-T"}};

static const struct flavour_param bitesize_bpftrace_params[] = {{PARAM_COMM, ""}, {PARAM_INTERVAL_S, ""}, {PARAM_ROUNDS, ""}};

static const struct flavour bitesize[] = {
    {LIBBPF,
     .binaries = {"bitesize-libbpf", "bitesize"},
     .argv = {"{interval}", "{count}"},
     .end = END_BY_ARGV,
     PARAMS(bitesize_libbpf_params),
     .capabilities = CAPS_TRACE,
     .capabilities_why = CAPS_TRACE_WHY,
     .n_ok_exits = 1,
     .tells = {TELL_LIBBPF, "Tracing block device I/O"},
     .parse = {.grammar = GRAMMAR_HISTOGRAM, .histogram_clamps = true, .clamp_low = UINT64_C(1) << 19}},
    {BCC,
     .binaries = {"bitesize-bpfcc", "bitesize"},
     .end = END_BY_SIGINT,
     .tracepoints = {"block:block_rq_issue"},
     .tells = {TELL_BCC, "Tracing block I/O"},
     .parse = {.grammar = GRAMMAR_HISTOGRAM}},
    {BPFTRACE, BPFTRACE_CAPS, .program = "bitesize.bt", .argv = {"{program}", "{interval}", "{count}", "{comm}"},
     PARAMS(bitesize_bpftrace_params), .tracepoints = {"block:block_rq_issue"},
     .parse = {.grammar = GRAMMAR_JSON, .section_key = "Process Name"}},
};

const struct tool catalog_disk_bitesize = {
    .id = TOOL_BITESIZE,
    .name = "bitesize",
    .summary = "how large block I/Os are, by process, in kilobytes",
    .reading = "Many small I/Os where large ones were possible (a copy in 4 KB pieces) cost more than they need to; sizes at the disk's upper limit are "
               "streaming.",
    .kind = RESULT_HISTOGRAM,
    .cost = COST_LOW,
    .counter = COUNTER_DISK_IOS,
    FLAVOURS(bitesize)};

/* ---- ext4slower, fileslower ---- */

static const struct parse_column ext4slower_columns[] = {
    {.name = "TIME", .type = COLUMN_TIME},
    {.name = "ENDTIME_us", .type = COLUMN_INT, .unit = "us"},
    {.name = "ENDTIME_ns", .type = COLUMN_INT, .unit = "ns"},
    {.name = "COMM", .type = COLUMN_TEXT, .blanks = true, .most = ROW_COMM_MOST},
    {.name = "TASK", .type = COLUMN_TEXT, .blanks = true, .most = ROW_COMM_MOST},
    {.name = "PID", .type = COLUMN_INT},
    {.name = "T", .type = COLUMN_TEXT, .one_of = "RWOSF"},
    {.name = "TYPE", .type = COLUMN_TEXT, .one_of = "RWOSF"},
    {.name = "BYTES", .type = COLUMN_INT, .unit = "bytes"},
    {.name = "OFF_KB", .type = COLUMN_INT, .unit = "KB"},
    {.name = "OFFSET_b", .type = COLUMN_INT, .unit = "bytes"},
    {.name = "LAT(ms)", .type = COLUMN_DECIMAL, .unit = "ms"},
    {.name = "LATENCY_us", .type = COLUMN_INT, .unit = "us"},
    {.name = "FILENAME", .type = COLUMN_TEXT, .to_end = true, .most = 160},
    {.name = "FILE", .type = COLUMN_TEXT, .to_end = true, .most = 160},
};
#define EXT4SLOWER_PARSE .grammar = GRAMMAR_TABLE, COLUMNS(ext4slower_columns), .multiline_last = true

static const struct flavour_param ext4slower_params[] = {{PARAM_MIN_MS, ""}, {PARAM_PID, "-p"}};

static const struct flavour_param ext4slower_bpftrace_params[] = {{PARAM_MIN_MS, ""}, {PARAM_PID, ""}};
static const struct parse_column ext4slower_bpftrace_columns[] = {
    {.name = "TIME", .type = COLUMN_TIME},
    {.name = "COMM", .type = COLUMN_TEXT},
    {.name = "PID", .type = COLUMN_INT},
    {.name = "T", .type = COLUMN_TEXT},
    {.name = "BYTES", .type = COLUMN_INT, .unit = "bytes"},
    {.name = "LAT(ms)", .type = COLUMN_DECIMAL, .unit = "ms", .decimals = 3},
    {.name = "FILENAME", .type = COLUMN_TEXT},
};

static const struct flavour ext4slower[] = {
    {LIBBPF,
     .binaries = {"ext4slower-libbpf", "ext4slower"},
     .argv = {"-d", "{seconds}", "-m", "{min-ms}"},
     .min_ms = 10,
     .end = END_BY_ARGV,
     PARAMS(ext4slower_params),
     .capabilities = CAPS_TRACEFS | CAP(SYS_ADMIN),
     .capabilities_why = CAPS_TRACE_WHY "; ext4 is a module on most kernels: CAP_SYS_ADMIN reads the types of modules, CAP_DAC_READ_SEARCH tracefs",
     .functions = {"ext4_file_read_iter", "ext4_file_write_iter", "ext4_sync_file"},
     .ok_exits = {0, 1}, /* 1: after a good run too, when its last look at the buffer found events; the print-out decides */
     .n_ok_exits = 2,
     .tells = {"COMM             PID     T", "ENDTIME_ns,"},
     .parse = {EXT4SLOWER_PARSE}},
    {BCC,
     .binaries = {"ext4slower-bpfcc", "ext4slower"},
     .argv = {"{min-ms}"},
     .min_ms = 10,
     .end = END_BY_SIGINT,
     PARAMS(ext4slower_params),
     .functions = {"ext4_file_read_iter", "ext4_file_write_iter", "ext4_sync_file"},
     .tells = {"COMM           PID", "ENDTIME_us,", "ERROR: no ext4_file_operations"},
     .parse = {EXT4SLOWER_PARSE}},
    {BPFTRACE, BPFTRACE_CAPS, .program = "ext4slower.bt", .argv = {"{program}", "{seconds}", "{min-ms}", "{pid}"}, .min_ms = 10,
     PARAMS(ext4slower_bpftrace_params),
     .parse = {.grammar = GRAMMAR_JSON,
               COLUMNS(ext4slower_bpftrace_columns),
               .limits =
                   "bpftrace: read, pread64, readv, write, pwrite64, writev, fsync and fdatasync are seen; opens, io_uring, sendfile and "
                   "mapped files are not, nor where in the file (OFF_KB)"}},
};

const struct tool catalog_disk_ext4slower = {
    .id = TOOL_EXT4SLOWER,
    .name = "ext4slower",
    .summary = "reads, writes, opens and syncs on ext4 that took longer than 10 ms (--min-ms)",
    .reading = "What applications wait for, caches included, so nearer to users than biosnoop.  T: R read, W write, O open, S or F sync.  --min-ms 0 "
               "prints every operation: many rows, and lost ones.",
    .kind = RESULT_EVENTS,
    .cost = COST_MEDIUM,
    .counter = COUNTER_FILE_OPERATIONS,
    FLAVOURS(ext4slower)};

static const struct parse_column fileslower_columns[] = {
    {.name = "TIME(s)", .type = COLUMN_DECIMAL, .unit = "s"},
    {.name = "COMM", .type = COLUMN_TEXT, .blanks = true, .most = ROW_COMM_MOST},
    {.name = "TID", .type = COLUMN_INT},
    {.name = "D", .type = COLUMN_TEXT, .one_of = "RW"},
    {.name = "BYTES", .type = COLUMN_INT, .unit = "bytes"},
    {.name = "LAT(ms)", .type = COLUMN_DECIMAL, .unit = "ms"},
    {.name = "FILENAME", .type = COLUMN_TEXT, .to_end = true, .most = 160},
};

static const struct flavour_param fileslower_bcc_params[] = {{PARAM_MIN_MS, ""}, {PARAM_PID, "-p"}, {PARAM_ALL_FILES, "-a"}};

static const struct flavour_param fileslower_bpftrace_params[] = {{PARAM_MIN_MS, ""}, {PARAM_PID, ""}, {PARAM_ALL_FILES, ""}};
static const struct parse_column fileslower_bpftrace_columns[] = {
    {.name = "TIME(s)", .type = COLUMN_DECIMAL, .unit = "s", .decimals = 6},
    {.name = "COMM", .type = COLUMN_TEXT},
    {.name = "TID", .type = COLUMN_INT},
    {.name = "D", .type = COLUMN_TEXT},
    {.name = "BYTES", .type = COLUMN_INT, .unit = "bytes"},
    {.name = "LAT(ms)", .type = COLUMN_DECIMAL, .unit = "ms", .decimals = 3},
    {.name = "FILENAME", .type = COLUMN_TEXT},
};

static const struct flavour fileslower[] = {
    {BCC,
     .binaries = {"fileslower-bpfcc", "fileslower"},
     .argv = {"{min-ms}"},
     .min_ms = 10,
     .end = END_BY_SIGINT,
     PARAMS(fileslower_bcc_params),
     .functions = {"__vfs_read|vfs_read", "__vfs_write|vfs_write"},
     .parse = {.grammar = GRAMMAR_TABLE, COLUMNS(fileslower_columns), .multiline_last = true}},
    {BPFTRACE, BPFTRACE_CAPS, .program = "fileslower.bt", .argv = {"{program}", "{seconds}", "{min-ms}", "{pid}", "{all-files}"},
     .min_ms = 10, PARAMS(fileslower_bpftrace_params),
     .parse = {.grammar = GRAMMAR_JSON,
               COLUMNS(fileslower_bpftrace_columns),
               .limits =
                   "bpftrace: read, pread64, readv, write, pwrite64 and writev are seen; io_uring, sendfile and mapped files are not"}},
};

const struct tool catalog_disk_fileslower = {
    .id = TOOL_FILESLOWER,
    .name = "fileslower",
    .summary = "synchronous reads and writes of files, on any file system, that took longer than 10 ms (--min-ms)",
    .reading = "What applications wait for, whatever the file system.  D: R read, W write.  The name is the file's alone, without its folder, and cut at 31 "
               "bytes.  --min-ms 0 prints every operation: many rows, and lost ones.",
    .kind = RESULT_EVENTS,
    .cost = COST_HIGH,
    .counter = COUNTER_FILE_OPERATIONS,
    FLAVOURS(fileslower)};

/* ---- cachestat ---- */

static const struct parse_column cachestat_columns[] = {
    {.name = "TIME", .type = COLUMN_TIME},
    {.name = "TOTAL", .type = COLUMN_INT},
    {.name = "HITS", .type = COLUMN_INT},
    {.name = "MISSES", .type = COLUMN_INT},
    {.name = "DIRTIES", .type = COLUMN_INT},
    {.name = "HITRATIO", .type = COLUMN_DECIMAL, .unit = "%"},
    {.name = "READ_HIT%", .type = COLUMN_DECIMAL, .unit = "%"},
    {.name = "WRITE_HIT%", .type = COLUMN_DECIMAL, .unit = "%"},
    {.name = "BUFFERS_MB", .type = COLUMN_INT, .unit = "MB"},
    {.name = "CACHED_MB", .type = COLUMN_INT, .unit = "MB"},
};

static const struct flavour_param cachestat_params[] = {{PARAM_INTERVAL_S, ""}, {PARAM_ROUNDS, ""}};

static const struct parse_column cachestat_bpftrace_columns[] = {{.name = "TIME", .type = COLUMN_TIME},
                                                                 {.name = "MISSES", .type = COLUMN_INT}};

static const struct flavour cachestat[] = {
    {LIBBPF,
     .binaries = {"cachestat-libbpf", "cachestat"},
     .defaults = {"-T"},
     .argv = {"{interval}", "{count}"},
     .interval_s = 1,
     .end = END_BY_ARGV,
     PARAMS(cachestat_params),
     .capabilities = CAPS_TRACEFS,
     .capabilities_why = CAPS_TRACEFS_WHY,
     .functions = {"add_to_page_cache_lru", "mark_page_accessed", "account_page_dirtied|folio_account_dirtied", "mark_buffer_dirty"},
     .n_ok_exits = 1,
     .known_wrong = "kernels whose page cache works with folios (5.16 and later): next to nothing is counted",
     .wrong_with_function = "folio_mark_accessed",
     .parse = {.grammar = GRAMMAR_TABLE, COLUMNS(cachestat_columns)}},
    {BCC,
     .binaries = {"cachestat-bpfcc", "cachestat"},
     .defaults = {"-T"},
     .argv = {"{interval}", "{count}"},
     .interval_s = 1,
     .end = END_BY_ARGV,
     PARAMS(cachestat_params),
     /* without (folio_)account_page_dirtied it runs, too */
     .functions = {"add_to_page_cache_lru", "mark_page_accessed", "mark_buffer_dirty"},
     .known_wrong = "bcc up to 0.31 on kernels whose page cache works with folios (5.16 and later): misses always 0, 100 % hits",
     .wrong_with_function = "folio_mark_accessed",
     .tells = {"Detaching..."},
     .parse = {.grammar = GRAMMAR_TABLE, COLUMNS(cachestat_columns)}},
    {BPFTRACE, BPFTRACE_CAPS, .program = "cachestat.bt", .argv = {"{program}", "{interval}", "{count}"}, .interval_s = 1,
     PARAMS(cachestat_params), .tracepoints = {"filemap:mm_filemap_add_to_page_cache"},
     .fields = {"trace_event_raw_mm_filemap_op_page_cache.order"},
     .parse = {.grammar = GRAMMAR_JSON,
               COLUMNS(cachestat_bpftrace_columns),
               .limits = "bpftrace: hits pass no tracepoint, so there are only misses; needs a kernel whose tracepoint tells a folio's "
                         "size (6.15 and later)"}},
};

const struct tool catalog_disk_cachestat = {
    .id = TOOL_CACHESTAT,
    .name = "cachestat",
    .summary = "hits and misses of the page cache, each second (--interval)",
    .reading = "HITRATIO well below 100 % while reads are slow: the working set does not fit into memory, or is read for the first time.  DIRTIES are pages "
               "written.  A row is an interval.",
    .kind = RESULT_EVENTS,
    .cost = COST_MEDIUM,
    .counter = COUNTER_FILE_OPERATIONS,
    FLAVOURS(cachestat)};
