/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
/*
 * What every collector's kernel side (bpf.h) and its user side (lib/live/collect.h) share: settings that are fixed
 * before the load, the head of each event, and the counters of each CPU.
 */
#ifndef WEIR_BPF_SHARED_H
#define WEIR_BPF_SHARED_H

#ifndef __bpf__
#include <stdint.h>
#include <linux/types.h>
#endif

enum {
	COMM = 16,		/* bytes of a thread's name, with its NUL */
	NAMES_MAX = 1024,	/* names that the filter knows at a time */
	CGROUPS_MAX = 16,
	PREFIXES_MAX = 16,
	COUNTED_CPUS = 1024,	/* CPUs past that share counters */
	ANCESTORS = 64,		/* how far up the parents of a process are looked at */
};

/* What a thread is to the filter; a thread takes that of the one that made it. */
enum role {
	ROLE_NONE,
	ROLE_JOB,		/* of the processes asked for: -P, or the command */
	/* To record what reads the collector's output would never end: */
	ROLE_READER,		/* of its pipe, and what that starts */
	ROLE_TERMINAL,		/* shows its output; what it starts is not meant */
	ROLE_SELF,		/* the collector */
};

/* How names are filtered. */
enum names_by {
	NAMES_ALL,
	NAMES_LISTED,		/* those in the map `names` only */
	NAMES_ASKED,		/* user space decides about those not in the map, which pass meanwhile */
};

struct settings {
	__u64 threshold_ns;
	__u64 cgroups[CGROUPS_MAX];	/* ids: inode numbers of their directories */
	__u32 cgroups_n;
	__u32 wake_bytes;		/* a ring that holds that many wakes user space at once */
	__u8 names_by;			/* enum names_by */
	__u8 roles;			/* threads may have a role */
	__u8 job_only;			/* those of ROLE_JOB pass */
	__u8 children;			/* a role goes on to new processes, not to new threads only */
};

/* Each event of the ring begins with this; `ts` is CLOCK_MONOTONIC. */
struct event {
	__u64 ts;
	__u32 cpu;
	__u32 pid, tid;
	__u8 kind;		/* the collector's own */
	__u8 role;
	__u8 asked;		/* its name is not decided yet */
	__u8 unused;
	char comm[COMM];
};

/* Of one CPU, written there only; a cache line. */
struct counter {
	__u64 sent, lost;
	__u64 first_lost, last_lost;	/* when; user space takes differences */
	__u64 runs;			/* of programs */
	__u64 unused[3];
};

#ifndef __bpf__
_Static_assert(sizeof(struct event) == 40, "the head of an event has no holes");
_Static_assert(sizeof(struct counter) == 64, "a counter is a cache line");
#endif

#endif
