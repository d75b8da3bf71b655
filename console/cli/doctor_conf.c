#include "console/cli/doctor_conf.h"

#include "common/base/auto.h"
#include "common/base/clock.h"
#include "common/identity/identity.h"
#include "common/wire/limits.h"

/* clang-format off */
#define TEXT(k, t, fb) {.key = #k, .type = t, .offset = offsetof(struct doctor_conf, k), .fallback = fb, .help = "see trawl-runner --print-config"}
#define NUMBER(k, name, t, lo, hi, fb) {.key = name, .type = t, .offset = offsetof(struct doctor_conf, k), .low = lo, .high = hi, .fallback = fb, .help = ""}
#define KIB 1024ULL
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

const struct conf_item doctor_conf_items[] = {
    TEXT(fleet, CONF_TEXT, NULL),
    TEXT(host, CONF_TEXT, ""),
    TEXT(labels, CONF_LABELS, ""),
    TEXT(collector, CONF_TEXT, NULL),
    TEXT(tls_ca, CONF_PATH, "/etc/trawl/fleet-ca.pem"),
    TEXT(tls_cert, CONF_PATH, "/etc/trawl/agent.pem"),
    TEXT(tls_key, CONF_PATH, "/etc/trawl/agent.key"),
    TEXT(tls_crl, CONF_PATH, ""),
    TEXT(operators_ca, CONF_PATH, "/etc/trawl/operators-ca.pem"),
    TEXT(operators_crl, CONF_PATH, ""),
    TEXT(spool_dir, CONF_PATH, "/var/lib/trawl/spool"),
    NUMBER(spool_bytes, "spool_bytes", CONF_SIZE_BYTES, MIB, 1024 * GIB, "64MiB"),
    TEXT(spool_drop, CONF_TEXT, "newest"),
    TEXT(agentd, CONF_PATH, TRAWL_AGENTD_PATH),
    TEXT(user, CONF_TEXT, "trawl-agent"),
    TEXT(tools, CONF_WORDS, "all"),
    TEXT(tool_dir, CONF_PATH, ""),
    NUMBER(max_duration_ns, "max_duration", CONF_DURATION_NS, NS_PER_S, 3600 * NS_PER_S, "10m"),
    NUMBER(max_concurrent, "max_concurrent", CONF_U64, 1, 64, "4"),
    NUMBER(stdout_bytes, "stdout_bytes", CONF_SIZE_BYTES, 4 * KIB, GIB, "50MiB"),
    NUMBER(stderr_bytes, "stderr_bytes", CONF_SIZE_BYTES, KIB, 16 * MIB, "64KiB"),
    NUMBER(memory_bytes, "memory_bytes", CONF_SIZE_BYTES, 16 * MIB, 64 * GIB, "512MiB"),
    NUMBER(cpu_percent, "cpu_percent", CONF_U64, 1, 100 * 1024, "100"),
    TEXT(cgroup, CONF_TEXT, "auto"),
    NUMBER(max_cost_ppm, "max_cost", CONF_PERCENT, 0, 1000000, "10%"),
    NUMBER(brake_cpu_ppm, "brake_cpu", CONF_PERCENT, 0, 1000000, "50%"),
    NUMBER(brake_pressure_ppm, "brake_pressure", CONF_PERCENT, 0, 1000000, "70%"),
    TEXT(tool_user, CONF_TEXT, "trawl-tools"),
    TEXT(pins, CONF_WORDS, ""),
    TEXT(pins_file, CONF_PATH, ""),
    TEXT(may_sign, CONF_WORDS, IDENTITY_MAY_SIGN),
    NUMBER(max_triggers, "max_triggers", CONF_U64, 0, LIMIT_TRIGGERS_PER_HOST, "16"),
    TEXT(redact, CONF_WORDS, ""),
    TEXT(lockdown_file, CONF_PATH, "/etc/trawl/lockdown"),
    TEXT(quiet_hours, CONF_WORDS, ""),
};
/* clang-format on */
const size_t doctor_conf_n_items = COUNT_OF(doctor_conf_items);
