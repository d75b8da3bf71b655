#include "common/catalog/catalog_tools.h"

#include "common/catalog/catalog_cpu.h"
#include "common/catalog/catalog_disk.h"
#include "common/catalog/catalog_net.h"
#include "common/catalog/catalog_process.h"

const struct tool *const catalog_tools[TOOL__COUNT] = {
    [TOOL_RUNQLAT] = &catalog_cpu_runqlat,
    [TOOL_BIOLATENCY] = &catalog_disk_biolatency,
    [TOOL_EXECSNOOP] = &catalog_process_execsnoop,
    [TOOL_OFFCPUTIME] = &catalog_process_offcputime,
    [TOOL_RUNQLEN] = &catalog_cpu_runqlen,
    [TOOL_CPUDIST] = &catalog_cpu_cpudist,
    [TOOL_HARDIRQS] = &catalog_cpu_hardirqs,
    [TOOL_SOFTIRQS] = &catalog_cpu_softirqs,
    [TOOL_PROFILE] = &catalog_process_profile,
    [TOOL_BIOSNOOP] = &catalog_disk_biosnoop,
    [TOOL_EXT4SLOWER] = &catalog_disk_ext4slower,
    [TOOL_FILESLOWER] = &catalog_disk_fileslower,
    [TOOL_BITESIZE] = &catalog_disk_bitesize,
    [TOOL_TCPCONNLAT] = &catalog_net_tcpconnlat,
    [TOOL_TCPRETRANS] = &catalog_net_tcpretrans,
    [TOOL_TCPRTT] = &catalog_net_tcprtt,
    [TOOL_GETHOSTLATENCY] = &catalog_net_gethostlatency,
    [TOOL_TCPDROP] = &catalog_net_tcpdrop,
    [TOOL_TCPSTATES] = &catalog_net_tcpstates,
    [TOOL_CACHESTAT] = &catalog_disk_cachestat,
};
