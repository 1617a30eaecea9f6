/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
/* What the two sides of collect-syscalls tell each other. */
#ifndef WEIR_BPF_COLLECT_SYSCALLS_H
#define WEIR_BPF_COLLECT_SYSCALLS_H

#include "shared.h"

enum {
	CALL_NUMBERS = 512,	/* calls with lower numbers have a plan */
	CALL_ABIS = 2,		/* the machine's own calls, 32-bit ones */
	CALL_ARGUMENTS = 6,
	CALL_PATH = 4096,	/* bytes of a path, with its NUL: PATH_MAX */
	CALL_COMPAT = 1u << 31,	/* of what the sums are kept by: 32-bit; the rest is the number */
};

/* What the kernel's side has to know of a call. Arguments are counted from 1; 0: it has none such. */
struct call_plan {
	__u8 flags;
	__u8 fd, path, directory;
};

enum call_plan_flag {
	PLAN_LEFT_OUT = 1,	/* not asked for */
	PLAN_PIPE = 2,		/* writes two descriptors to its first argument */
};

/* The kinds of event: spans, and what LTTng records of the same moments. */
enum call_kind { CALL_SPAN, CALL_RAW_ENTRY, CALL_RAW_EXIT, CALL_RAW_FORK, CALL_RAW_EXEC, CALL_RAW_END };

enum call_flag {
	CALL_UNFINISHED = 1,	/* the thread ended */
	CALL_HAS_ARGUMENTS = 2,
	CALL_LATE_PATH = 4,	/* it could not be read at the entry */
};

struct call_event {
	struct event event;
	__u64 dur_ns;
	__s64 ret;
	__u32 nr;
	__s32 fd;		/* that it was given, or -1; of pipe the first one; of a fork the child's thread */
	__s32 other_fd;		/* of pipe the second one; of fcntl the command; of a fork the child's process */
	__u16 path_len;		/* bytes of the path, with its NUL, at the end of the event; 0: none is known */
	__u8 compat;
	__u8 flags;
};

struct call_event_long {
	struct call_event call;
	__u64 argument[CALL_ARGUMENTS];
	char path[CALL_PATH];
};

#ifndef __bpf__
_Static_assert(sizeof(struct call_event) == 72, "no holes");
_Static_assert(sizeof(struct call_event_long) == 72 + 48 + CALL_PATH, "no holes");
#endif

#endif
