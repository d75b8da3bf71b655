#include "agent/runner/policy.h"

#include <errno.h>
#include <time.h>

#include "common/base/clock.h"
#include "common/catalog/catalog_class.h"
#include "common/catalog/duration.h"
#include "common/crypto/digest.h"
#include "common/identity/identity.h"
#include "common/sys/fds.h"

/* clang-format off */
#define TEXT(k, t, fb, h) {.key = #k, .type = t, .offset = offsetof(struct policy, k), .fallback = fb, .help = h}
#define NUMBER(k, name, t, lo, hi, fb, h) {.key = name, .type = t, .offset = offsetof(struct policy, k), .low = lo, .high = hi, .fallback = fb, .help = h}
#define KIB 1024ULL
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

const struct conf_item policy_items[] = {
    TEXT(fleet, CONF_TEXT, NULL, "the fleet that this host belongs to; certificates and orders of another are refused"),
    TEXT(host, CONF_TEXT, "", "this host's name in the fleet, as in its certificate; empty: the machine's host name"),
    TEXT(labels, CONF_LABELS, "", "facts that orders select by: role=web,zone=a"),
    TEXT(collector, CONF_TEXT, NULL, "HOST:PORT of the collector"),
    TEXT(tls_ca, CONF_PATH, "/etc/trawl/fleet-ca.pem", "the fleet's CA, which vouches for collectors"),
    TEXT(tls_cert, CONF_PATH, "/etc/trawl/agent.pem", "this agent's certificate"),
    TEXT(tls_key, CONF_PATH, "/etc/trawl/agent.key", "its key, readable by user"),
    TEXT(tls_crl, CONF_PATH, "", "certificates that the fleet's CA took back; empty: none"),
    TEXT(operators_ca, CONF_PATH, "/etc/trawl/operators-ca.pem", "the operators' CA, which vouches for who may order"),
    TEXT(operators_crl, CONF_PATH, "", "certificates that the operators' CA took back; empty: none"),
    TEXT(spool_dir, CONF_PATH, "/var/lib/trawl/spool", "results wait here until they are acknowledged; owned by user"),
    NUMBER(spool_bytes, "spool_bytes", CONF_SIZE_BYTES, MIB, 1024 * GIB, "64MiB", "the most that may wait; what is given up when it is full says spool_drop, and the answer says so"),
    TEXT(spool_drop, CONF_TEXT, "newest", "newest: a result that does not fit is given up.  oldest: results that have waited longest are, until it fits"),
    TEXT(agentd, CONF_PATH, TRAWL_AGENTD_PATH, "the unprivileged half, which the runner starts"),
    TEXT(user, CONF_TEXT, "trawl-agent", "whom it runs as"),
    TEXT(tools, CONF_WORDS, "all", "tools that may run here, by name; all: every tool of the catalogue"),
    TEXT(tool_dir, CONF_PATH, "", "look for tools here and nowhere else; every result is then marked replayed.  For tests and demonstrations"),
    NUMBER(max_duration_ns, "max_duration", CONF_DURATION_NS, NS_PER_S, 3600 * NS_PER_S, "10m", "the longest run"),
    NUMBER(max_concurrent, "max_concurrent", CONF_U64, 1, 64, "4", "tools that may run at the same time"),
    NUMBER(stdout_bytes, "stdout_bytes", CONF_SIZE_BYTES, 4 * KIB, GIB, "50MiB", "the most that is read of a tool's print-out; over it the tool is stopped and the result is partial"),
    NUMBER(stderr_bytes, "stderr_bytes", CONF_SIZE_BYTES, KIB, 16 * MIB, "64KiB", "the same for its complaints"),
    NUMBER(memory_bytes, "memory_bytes", CONF_SIZE_BYTES, 16 * MIB, 64 * GIB, "512MiB", "the most memory of a run: its cgroup's where there is one, else a compiled tool's own (RLIMIT_DATA)"),
    NUMBER(cpu_percent, "cpu_percent", CONF_U64, 1, 100 * 1024, "100", "the most CPU time of a run, in percent of one CPU: its cgroup's where there is one, else as much in all as that makes over its time (RLIMIT_CPU)"),
    TEXT(cgroup, CONF_TEXT, "auto", "cgroup (version 2) that each run gets one of its own in; auto: ours, if the service manager delegated it (Delegate=); none; or the path of one that is ours alone"),
    NUMBER(max_cost_ppm, "max_cost", CONF_PERCENT, 0, 1000000, "10%", "the most of the machine's CPU time that tools may cost; predicted, and over it a tool is refused with the figure; 0%: no budget"),
    NUMBER(brake_cpu_ppm, "brake_cpu", CONF_PERCENT, 0, 1000000, "50%", "a tool that uses more of one CPU than this over three seconds is stopped, and the result says so.  0%: never"),
    NUMBER(brake_pressure_ppm, "brake_pressure", CONF_PERCENT, 0, 1000000, "70%", "a tool is stopped, and the result says so, when the host's CPU pressure (PSI, some avg10) rises by more; 0%: never"),
    TEXT(tool_user, CONF_TEXT, "trawl-tools", "tools run as this user, with the few capabilities that their row names"),
    TEXT(pins, CONF_WORDS, "", "PATH=SHA256 of binaries that must be exactly these"),
    TEXT(pins_file, CONF_PATH, "", "a file of more pins, as trawl-runner pin prints them; owned by root; empty: none"),
    TEXT(may_sign, CONF_WORDS, IDENTITY_MAY_SIGN, "operators whose orders are obeyed: names, or role:runner or role:admin for everybody with at least that; a viewer's never are"),
    NUMBER(max_triggers, "max_triggers", CONF_U64, 0, LIMIT_TRIGGERS_PER_HOST, "16", "triggers that may be armed here; 0: none is, and what a trigger starts elsewhere is refused here"),
    TEXT(redact, CONF_WORDS, "", "what never leaves this host, whatever is ordered: ARGS (command lines), PATH (file names), HOST (host names and addresses)"),
    TEXT(lockdown_file, CONF_PATH, "/etc/trawl/lockdown", "while this file exists, nothing is started and what runs is stopped; its folder must exist"),
    TEXT(quiet_hours, CONF_WORDS, "", "22:00-06:00, local time: no tool is started in them"),
};
/* clang-format on */
const size_t policy_n_items = COUNT_OF(policy_items);

enum { MINUTES_PER_DAY = 24 * 60, PINS_BYTES = 1 << 20 };

static bool minutes_of(struct span text, unsigned *out) {
    struct span hh, mm;
    uint64_t h = 0, m = 0;
    if (text.n != 5 || !span_cut(text, ':', &hh, &mm) || !span_u64(hh, &h) || !span_u64(mm, &m) || m > 59) return false;
    unsigned minutes = (unsigned)(h * 60 + m);
    if (hh.n != 2 || minutes > MINUTES_PER_DAY) return false;
    *out = minutes;
    return true;
}

static bool hours_of(struct span word, unsigned *out_from, unsigned *out_to) {
    struct span from, to;
    return span_cut(word, '-', &from, &to) && minutes_of(from, out_from) && minutes_of(to, out_to);
}

static bool pin_is_sound(struct span word) {
    size_t eq = span_rfind(word, '=');
    struct span path = span_head(word, eq), hex = span_drop(word, eq + 1);
    if (eq == word.n || !span_starts(path, SPAN_LIT("/")) || hex.n != (size_t)2 * DIGEST_BYTES) return false;
    for (size_t i = 0; i < hex.n; i++)
        if (!strchr("0123456789abcdefABCDEF", hex.p[i])) return false;
    return true;
}

static enum err check_words(const struct policy *p, char *why, size_t why_size) {
    if (strcmp(p->cgroup, "auto") != 0 && strcmp(p->cgroup, "none") != 0 && p->cgroup[0] != '/') {
        snprintf(why, why_size, "cgroup: \"%s\" is neither auto nor none nor an absolute path", p->cgroup);
        return ERR_SYNTAX;
    }
    if (strcmp(p->spool_drop, "newest") != 0 && strcmp(p->spool_drop, "oldest") != 0) {
        snprintf(why, why_size, "spool_drop: \"%s\" is neither newest nor oldest", p->spool_drop);
        return ERR_SYNTAX;
    }
    struct span rest = span_str(p->tools), word;
    while (span_word(&rest, &word))
        if (!span_eq_str(word, "all") && !catalog_find(word)) {
            snprintf(why, why_size, "tools: there is no tool \"%.*s\" in the catalogue", (int)word.n, word.p);
            return ERR_SYNTAX;
        }
    unsigned unused = 0;
    rest = span_str(p->pins);
    while (span_word(&rest, &word))
        if (!pin_is_sound(word)) {
            snprintf(why, why_size, "pins: \"%.*s\" is not PATH=SHA256 (64 hexadecimal digits)", (int)word.n, word.p);
            return ERR_SYNTAX;
        }
    if (!identity_may_sign_is_sound(p->may_sign, &word)) {
        snprintf(why, why_size, "may_sign: \"%.*s\" is neither an operator's name nor role:runner or role:admin", (int)word.n, word.p);
        return ERR_SYNTAX;
    }
    if (!catalog_class_words(p->redact, &unused, &word)) {
        snprintf(why, why_size, "redact: \"%.*s\" is not ARGS, PATH or HOST", (int)word.n, word.p);
        return ERR_SYNTAX;
    }
    rest = span_str(p->quiet_hours);
    unsigned from, to;
    while (span_word(&rest, &word))
        if (!hours_of(word, &from, &to)) {
            snprintf(why, why_size, "quiet_hours: \"%.*s\" is not HH:MM-HH:MM", (int)word.n, word.p);
            return ERR_SYNTAX;
        }
    return ERR_OK;
}

enum err policy_load(const char *path, struct policy *out, char *why, size_t why_size) {
    *out = (struct policy){0};
    enum err e = conf_load(policy_items, policy_n_items, path, out, why, why_size);
    return e ? e : check_words(out, why, why_size);
}

static enum err add_pin(struct span line, struct buf *pins) {
    struct span hex, path, more;
    size_t before = pins->n;
    if (!span_word(&line, &hex) || !span_word(&line, &path) || span_word(&line, &more)) return ERR_SYNTAX;
    buf_add_char(pins, ' ');
    buf_add(pins, path);
    buf_add_char(pins, '=');
    buf_add(pins, hex);
    if (buf_failed(pins)) return buf_failed(pins);
    return pin_is_sound(span_drop(buf_span(pins), before + 1)) ? ERR_OK : ERR_SYNTAX;
}

static enum err add_pins(struct span text, struct buf *pins, unsigned *out_line) {
    struct span line;
    enum err e = ERR_OK;
    for (*out_line = 0; !e && span_line(&text, &line);) {
        ++*out_line;
        line = span_trim(line);
        if (line.n && line.p[0] != '#') e = add_pin(line, pins);
    }
    return e;
}

enum err policy_read_pins(struct policy *p, char *why, size_t why_size) {
    struct buf text, pins;
    unsigned line = 0;
    if (!p->pins_file[0]) return ERR_OK;
    buf_init(&text, PINS_BYTES);
    buf_init(&pins, 2 * PINS_BYTES);
    buf_add_str(&pins, p->pins);
    enum err e = fds_read_file(p->pins_file, &text);
    if (!e) e = add_pins(buf_span(&text), &pins, &line);
    const char *all = e ? NULL : buf_str(&pins);
    char *copy = all ? strdup(all) : NULL;
    if (!e && !copy) e = ERR_NOMEM;
    if (e == ERR_SYNTAX) snprintf(why, why_size, "%s:%u: expected SHA256 and an absolute path", p->pins_file, line);
    else if (e) snprintf(why, why_size, "%s: %s", p->pins_file, e == ERR_SYS ? strerror(errno) : err_text(e));
    buf_done(&text);
    buf_done(&pins);
    if (e) return e;
    free(p->pins);
    p->pins = copy;
    return ERR_OK;
}

void policy_done(struct policy *p) { conf_done(policy_items, policy_n_items, p); }

static bool lists_tool(const char *tools, const char *name) {
    struct span rest = span_str(tools), word;
    while (span_word(&rest, &word))
        if (span_eq_str(word, "all") || span_eq_str(word, name)) return true;
    return false;
}

/* The word of quiet_hours that holds now; empty when none does.  "22:00-06:00" goes over midnight. */
static struct span quiet_now(const char *quiet_hours, uint64_t wall_ns) {
    struct tm tm;
    time_t now = (time_t)(wall_ns / NS_PER_S);
    struct span rest = span_str(quiet_hours), word;
    while (span_word(&rest, &word)) {
        unsigned from, to;
        if (!localtime_r(&now, &tm) || !hours_of(word, &from, &to)) return word; /* cannot tell: quiet */
        unsigned minute = (unsigned)(tm.tm_hour * 60 + tm.tm_min);
        bool inside = from <= to ? minute >= from && minute < to : minute >= from || minute < to;
        if (inside) return word;
    }
    return SPAN_NONE;
}

bool policy_is_quiet(const struct policy *p, uint64_t wall_ns, struct buf *out_why) {
    struct span quiet = quiet_now(p->quiet_hours, wall_ns);
    if (quiet.n) buf_add_fmt(out_why, "quiet hours of this host: %.*s local time", (int)quiet.n, quiet.p);
    return quiet.n > 0;
}

enum err policy_admits(const struct policy *p, const struct tool *t, unsigned seconds, size_t running_now, uint64_t wall_ns,
                       struct buf *out_why) {
    if (!lists_tool(p->tools, t->name)) {
        buf_add_fmt(out_why, "%s is not among the tools that this host allows", t->name);
        return ERR_REFUSED;
    }
    if (duration_is_refused(seconds, p->max_duration_ns / NS_PER_S, out_why)) return ERR_REFUSED;
    if (running_now >= p->max_concurrent) {
        buf_add_fmt(out_why, "%zu tools run already, this host allows %llu at the same time", running_now,
                    (unsigned long long)p->max_concurrent);
        return ERR_REFUSED;
    }
    return policy_is_quiet(p, wall_ns, out_why) ? ERR_REFUSED : ERR_OK;
}
