/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
/* What the two sides of collect-stacks tell each other. */
#ifndef WEIR_BPF_COLLECT_STACKS_H
#define WEIR_BPF_COLLECT_STACKS_H

#include "shared.h"

enum {
	STACKS_DEPTH = 127,		/* frames, as kernel.perf_event_max_stack has them */
	STACKS_WORDS = 34,		/* registers as the kernel keeps them: x86-64 has 21, arm64 34 */
	STACKS_PAGE = 4096,
	STACKS_COPY_MAX = 60 << 10,	/* bytes of a stack, whole pages */
};

/* Behind it: the kernel's addresses, then the user's, or the registers and a copy of the user's stack. */
struct stacks_sample {
	struct event event;
	__u64 exec;			/* changes when the process executes another program */
	__u32 kernels, users;		/* addresses */
	__u32 words, copied;		/* registers; bytes of the stack */
	__u32 pid, unused;		/* as the collector sees it in /proc */
};

#ifndef __bpf__
_Static_assert(sizeof(struct stacks_sample) == 72, "no holes");
#endif

#endif
