/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
/* Telling user space (lib/live/news.h) of programs whose stacks come, aside from the events: they may end soon. */
#ifndef WEIR_BPF_NEWS_H
#define WEIR_BPF_NEWS_H

#include "shared.h"

struct news_program {
	__u64 exec;			/* changes when the process executes another program */
	__u32 pid, unused;		/* pid: as the collector sees it in /proc */
};

#ifdef __bpf__

/* How many samples a program has. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct news_program);
	__type(value, __u32);
} seen SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 16);
} news SEC(".maps");

static __always_inline void news_tell(struct task_struct *task)
{
	struct news_program program = { .exec = task->self_exec_id, .pid = process_here(task) };

	bpf_ringbuf_output(&news, &program, sizeof program, BPF_RB_FORCE_WAKEUP);
}

/* At its first, second, fourth ... sample: it gets its libraries after it has begun, and others later. */
static __always_inline void news_tell_sometimes(struct task_struct *task)
{
	struct news_program program = { .exec = task->self_exec_id, .pid = process_here(task) };
	__u32 *samples = bpf_map_lookup_elem(&seen, &program), n = samples ? *samples + 1 : 1;

	if (samples)
		*samples = n;
	else
		bpf_map_update_elem(&seen, &program, &n, BPF_ANY);
	if (!(n & (n - 1)))
		news_tell(task);
}

#endif
#endif
