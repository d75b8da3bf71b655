/* Rows: block devices, files, the page cache. */
#pragma once

#include "common/catalog/catalog.h"

extern const struct tool catalog_disk_biolatency, catalog_disk_biosnoop, catalog_disk_bitesize, catalog_disk_ext4slower, catalog_disk_fileslower,
    catalog_disk_cachestat;
