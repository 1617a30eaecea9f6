/* SPDX-License-Identifier: MIT */
/* Control groups, version 1 and 2, by the ids that the kernel's own structures hold. */
#ifndef WEIR_CGROUP_H
#define WEIR_CGROUP_H

#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

/*
 * The id of the cgroup whose directory PATH is: absolute, or below where cgroups are mounted
 * (`system.slice/x.service`; with version 1, `cpu/x`). 0: there is none; errno tells why.
 */
uint64_t cgroup_id(const char *path);

/*
 * The path of the cgroup ID in the hierarchy that limits CPUs, below where that is mounted (`/docker/...`), escaped as in
 * records; empty: none there has that id. Valid until the next call, which need not look for an id again that was asked
 * for lately: O(cgroups) else.
 */
struct slice cgroup_name(uint64_t id);

/*
 * The ids of the cgroups of the container NAME: a directory whose name holds it where NAME is a container's id
 * (12 hexadecimal digits or more), else the cgroups of the first process that docker or podman names for
 * it. Returns how many, at most MAX; 0: no such container runs.
 */
size_t cgroup_of_container(const char *name, uint64_t *ids, size_t max);

#endif
