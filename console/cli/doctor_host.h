/* trawl doctor's look at a host: its kernel, and the tools that the catalogue names.  The runner checks more before it runs one. */
#pragma once

#include "console/cli/doctor.h"
#include "console/cli/doctor_conf.h"

void doctor_host_kernel(struct doctor *d);
void doctor_host_tools(struct doctor *d, const struct doctor_conf *conf);
/* The file and every folder above it are root's and writable by nobody else. */
bool doctor_host_only_root(const char *path, char *why, size_t why_size);
