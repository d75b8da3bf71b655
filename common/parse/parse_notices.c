#include "common/parse/parse_notices.h"

#include "common/base/num.h"

/* Said by tools that work: nothing to count, nothing to tell. */
static const char *const harmless[] = {
    "failed to get syms",
    "Could not open ",
    "sh: 1: modprobe: not found",
    "chdir(/lib/modules/",
    "cannot attach kprobe, probe entry may not exist",
    "Current kernel does not have __vfs_",
    "WARNING: tcp_drop() kernel function not found or traceable",
    "couldn't set RLIMIT_MEMLOCK",
    "ERROR: Unknown error -1: couldn't set RLIMIT_MEMLOCK",
    "WARNING: Could not read symbols from ",
    "WARNING: Addrspace ",
    "DEBUG: Struct offset mismatch ",
    "During handling of the above exception",
    "Detaching...",
    "HINT: ",
    "Try `",
};

/* Signs of failure.  The heaviest one found is what the user reads; of equals the first. */
struct sign {
    const char *text;
    int weight;
    bool anywhere; /* else only at the start of the line, and then on stdout too */
};
static const struct sign signs[] = {
    {"Unable to find kernel headers", 100, false},
    {"failed to resolve CO-RE relocation", 97, true},
    {"access beyond struct", 97, true},
    {"Operation not permitted", 95, true},
    {"Permission denied", 95, true},
    {"failed to find kernel BTF type ID", 95, true},
    {" error: ", 94, true},
    {"unrecognized option", 95, true},
    {"invalid option", 95, true},
    {"nrecognized positional argument", 95, true},
    {"cannot be used together", 95, true},
    {"min_block_time should be smaller", 95, false},
    {"invaild partition name", 95, false},
    {"invalid partition name", 95, false},
    {"std::bad_alloc", 95, true},
    {"terminate called after throwing", 94, false},
    {"  what():  ", 95, false},
    {"ERROR", 92, false},
    {": ERROR: ", 92, true},
    {"Invalid ", 90, false},
    {"invalid ", 90, false},
    {"failed to create kprobe", 85, true},
    {"failed to add legacy kprobe", 85, true},
    {"failed to create tracepoint", 85, true},
    {"BPF program load failed", 80, true},
    {"cannot attach ", 70, false},
    {"failed to load", 60, true},
    {"failed to attach", 60, true},
    {"failed to open", 60, true},
    {"failed to create", 60, true},
    {"failed to init", 60, true},
    {"failed to fetch", 60, true},
    {"Usage: ", 20, false},
    {"usage: ", 20, false},
};
enum { WEIGHT_EXCEPTION = 93, WEIGHT_INTERRUPT = 40 };

static bool starts(struct span line, const char *with) { return span_starts(line, span_str(with)); }

static void sign(struct parse_job *job, int weight, struct span why) {
    if (weight <= job->signs.weight) return;
    job->signs.weight = weight;
    job->signs.why = why;
}

/* The number behind before, when the line is "before N after…". */
static bool counted(struct span line, const char *before, const char *after, uint64_t *out) {
    if (!starts(line, before)) return false;
    struct span rest = span_drop(line, strlen(before)), number;
    return span_word(&rest, &number) && starts(rest, after) && span_u64(number, out);
}

static uint64_t loss_of_tool(struct span line) {
    uint64_t n = 0;
    if (counted(line, "WARNING: ", " stack traces ", &n)) return n;
    if (starts(line, "ERROR: failed to look up stack id ")) return 1;
    return starts(line, "    [Missed ") || starts(line, "WARN: Skipped an event") ? 1 : 0;
}

static uint64_t loss_of_kernel(struct span line) {
    uint64_t n = 0;
    if (counted(line, "lost ", " events on CPU #", &n) || counted(line, "Lost ", " events on CPU #", &n)) return n;
    return counted(line, "Possibly lost ", " samples", &n) ? n : 0;
}

static bool is_harmless(struct span line) {
    if (starts(line, "^C")) line = span_drop(line, 2); /* the terminal's echo in a print-out kept by hand */
    if (line.n == 0) return true;
    for (size_t i = 0; i < COUNT_OF(harmless); i++)
        if (starts(line, harmless[i])) return true;
    return false;
}

static bool is_loss(struct parse_job *job, struct span line, bool on_stderr) {
    struct ledger *l = &job->capture->ledger;
    uint64_t tool = loss_of_tool(line), kernel = on_stderr || !job->apart ? loss_of_kernel(line) : 0;
    l->tool = num_sat_add(l->tool, tool);
    l->kernel = num_sat_add(l->kernel, kernel);
    return tool > 0 || kernel > 0;
}

bool parse_notices_loss(struct parse_job *job, struct span line) { return is_loss(job, line, false); }

/* A traceback's lines up to the exception's own, which is the first that is not indented. */
static bool in_traceback(struct parse_job *job, struct span line, bool on_stderr) {
    struct parse_signs *s = &job->signs;
    if (job->apart && !on_stderr) return false;
    if (starts(line, "Exception ignored ")) return s->in_ignored = true;
    if (starts(line, "Traceback (most recent call last)")) return s->in_traceback = true;
    if (!s->in_traceback) return false;
    if (line.n == 0 || line.p[0] == ' ' || line.p[0] == '\t') return true;
    s->in_traceback = false;
    bool asked = starts(line, "KeyboardInterrupt") || starts(line, "SystemExit");
    if (s->in_ignored) {
        if (!asked) job->capture->ledger.tool = num_sat_add(job->capture->ledger.tool, 1);
    } else {
        s->died = true;
        sign(job, asked ? WEIGHT_INTERRUPT : WEIGHT_EXCEPTION, line);
    }
    s->in_ignored = false;
    return true;
}

bool parse_notices_aside(struct parse_job *job, struct span line) {
    if (job->apart) return false;
    return in_traceback(job, line, false) || is_loss(job, line, false) || is_harmless(line);
}

/* "libbpf: …", "/usr/sbin/runqlat: unrecognized option": a program names itself. */
static bool is_named(struct span line) {
    size_t blank = span_find(line, ' ');
    return blank < line.n && blank > 1 && line.p[blank - 1] == ':';
}

static bool is_sign(struct parse_job *job, struct span line, bool on_stderr) {
    bool found = false;
    on_stderr = on_stderr || is_named(line); /* both streams in one file */
    for (size_t i = 0; i < COUNT_OF(signs); i++) {
        const struct sign *s = &signs[i];
        bool here = s->anywhere && on_stderr ? span_find_span(line, span_str(s->text)) < line.n : starts(line, s->text);
        if (here) sign(job, s->weight, line);
        found = found || here;
    }
    return found;
}

bool parse_notices_sign(struct parse_job *job, struct span line) { return is_sign(job, line, false); }

/* Behind "Usage: " whatever follows explains it, when the tool prints nothing else. */
static bool in_usage(struct parse_job *job, struct span line) {
    struct parse_signs *s = &job->signs;
    if (starts(line, "Usage: ") || starts(line, "usage: ")) s->in_usage = true;
    return s->in_usage && !job->has_rows && !job->has_banner;
}

static bool is_known(struct parse_job *job, struct span line, bool on_stderr) {
    if (in_traceback(job, line, on_stderr) || is_loss(job, line, on_stderr)) return true;
    if (in_usage(job, line)) {
        IGNORED(is_sign(job, line, on_stderr)); /* what is wrong with the usage says more than the usage */
        return true;
    }
    return is_harmless(line) || is_sign(job, line, on_stderr);
}

/* "Tracing … Hit Ctrl-C to end.", "Sampling at 49 Hertz of … for 5 secs." */
static bool is_banner(struct span line) {
    if (!starts(line, "Tracing ") && !starts(line, "Sampling ") && !starts(line, "Summarize ")) return false;
    struct span s = span_trim_end(line);
    return span_eq_str(s, "Tracing ext4 operations") || span_ends(s, SPAN_LIT("to end.")) || span_ends(s, SPAN_LIT("to end")) ||
           span_ends(s, SPAN_LIT(" secs.")) || span_ends(s, SPAN_LIT(" sec.")) || span_ends(s, SPAN_LIT(" ms"));
}

bool parse_notices_line(struct parse_job *job, struct span line) {
    if (is_banner(line)) return job->has_banner = true;
    return is_known(job, line, false) || starts(line, "libbpf: ");
}

void parse_notices_stderr(struct parse_job *job, struct span err) {
    struct span line;
    while (parse_job_line(job, &err, &line)) {
        if (parse_job_is_blank(line) || is_known(job, line, true)) continue;
        if (job->signs.n_said++ == 0) job->signs.said = line;
    }
}

/* ---- the judgement ---- */

static enum err note_number(struct parse_job *job, uint64_t n, const char *what) {
    char text[96];
    if (n == 0) return ERR_OK;
    int length = snprintf(text, sizeof text, "%llu", (unsigned long long)n);
    return parse_job_note(job, "", span_of(text, (size_t)length), what);
}

static enum err note_failure(struct parse_job *job) {
    struct capture *c = job->capture;
    const struct parse_signs *s = &job->signs;
    bool silent = !job->has_rows && !job->has_banner && c->ledger.parse == 0;
    if (!job->has_rows && s->weight > 0) {
        c->failed = true;
        return parse_job_note(job, "", s->why, "");
    }
    if (silent && s->n_said > 0) {
        c->failed = true;
        return parse_job_note(job, "", s->said, "");
    }
    if (silent) {
        c->partial = true;
        return parse_job_note(job,
                              job->spec->grammar == GRAMMAR_STACKS
                                  ? "the tool printed nothing at all: there was nothing, or what it held back was lost when it was stopped"
                                  : "the tool printed nothing at all: what it held back was lost when it was stopped",
                              SPAN_NONE, "");
    }
    if (s->weight == 0) return ERR_OK;
    c->partial = c->partial || s->died;
    return parse_job_note(job, s->died ? "the tool died while it printed: " : "the tool complained: ", s->why, "");
}

static enum err note_losses(struct parse_job *job) {
    const struct ledger *l = &job->capture->ledger;
    enum err e = note_number(job, l->kernel, " events lost in the kernel's buffers");
    if (!e) e = note_number(job, l->tool, " stacks or events that the tool could not show");
    if (!e) e = note_number(job, job->negative_counts, " counts were printed negative: 2^32 added");
    if (!e) e = note_number(job, job->null_cells, " cells of numeric columns are not numbers");
    return e;
}

static enum err note_unknown(struct parse_job *job) {
    char before[96];
    uint64_t n = job->capture->ledger.parse;
    if (n == 0) return ERR_OK;
    snprintf(before, sizeof before, "%llu %s not understood, the first: ", (unsigned long long)n, n == 1 ? "line was" : "lines were");
    return parse_job_note(job, before, job->unknown, "");
}

enum err parse_notices_judge(struct parse_job *job, const struct parse_input *in) {
    struct capture *c = job->capture;
    enum err e = note_failure(job);
    if (!e && in->cut) e = parse_job_note(job, "the print-out was cut short", SPAN_NONE, "");
    if (!e && job->cut && !in->cut) e = parse_job_note(job, "the print-out ends in the middle of a line", SPAN_NONE, "");
    if (!e) e = note_losses(job);
    if (!e) e = note_unknown(job);
    if (!e && job->signs.n_said > 0 && !c->failed) e = parse_job_note(job, "the tool said: ", job->signs.said, "");
    if (!e && job->spec->limits) e = parse_job_note(job, job->spec->limits, SPAN_NONE, "");
    c->partial = c->partial || c->failed || in->cut || job->cut || c->ledger.kernel > 0;
    return e;
}
