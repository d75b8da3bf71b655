/* What kind of device a disk is, so that its latency can be read. */
#pragma once

#include "common/model/capture.h"

/* "hdd", "ssd", "nvme", or "virtual" for one whose host does not say what is behind it; NULL: there is no such disk.  sys is "/sys". */
const char *disks_kind(const char *sys, struct span name);
/* Each histogram with a section "disk" gets one "kind" behind it, where the kind is known and there is room. */
void disks_name_kinds(const char *sys, struct hist_set *hists);
