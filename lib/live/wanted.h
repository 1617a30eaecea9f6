/* SPDX-License-Identifier: MIT */
/*
 * Which threads a collector records: its options as settings of the kernel's side (bpf/bpf.h), and the
 * decision about names that the kernel cannot make (prefixes and regular expressions).
 */
#ifndef WEIR_WANTED_H
#define WEIR_WANTED_H

#include "live/collect.h"

struct wanted;

/* Checks the options and fills SETTINGS. Ends the program, with status 2, for what is wrong. */
struct wanted *wanted_new(const struct collect_options *options, struct settings *settings);
void wanted_free(struct wanted *wanted);

/*
 * Fills the maps of the loaded object: names, and the roles of COMMAND (0: there is none), of the processes
 * asked for and of those that take what is written to the descriptor OUTPUT. Threads get the roles when the
 * program mark_tasks runs.
 */
void wanted_fill(struct wanted *wanted, struct bpfobject *object, uint32_t command, int output);

/* Whether processes have the kernel's numbers in /proc: not so in a PID namespace of our own. */
bool wanted_host_pids(const struct wanted *wanted);

/* Decides about an event whose name the kernel asks for, and tells the kernel. */
bool wanted_decides(struct wanted *wanted, const struct event *event);

#endif
