/* agent.conf as trawl doctor reads it.  The console knows nothing of the agent's code, so the table is written a second time here; the test
 * doctor_conf holds it against agent/runner/policy.c, key by key. */
#pragma once

#include "common/conf/conf.h"

struct doctor_conf {
    char *fleet, *host, *labels, *collector, *tls_ca, *tls_cert, *tls_key, *tls_crl, *operators_ca, *operators_crl, *spool_dir, *spool_drop, *agentd, *user,
        *tools, *tool_dir, *tool_user, *pins, *pins_file, *may_sign, *redact, *lockdown_file, *quiet_hours, *cgroup;
    uint64_t spool_bytes, max_duration_ns, max_concurrent, stdout_bytes, stderr_bytes, memory_bytes, cpu_percent, max_cost_ppm, brake_cpu_ppm,
        brake_pressure_ppm, max_triggers;
};

extern const struct conf_item doctor_conf_items[];
extern const size_t doctor_conf_n_items;
