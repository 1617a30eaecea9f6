// SPDX-License-Identifier: (MIT OR GPL-2.0-only)
/* Where threads are at each sample: their stacks, or what user space needs to find those itself. */
#include "bpf.h"
#include "collect-stacks.h"
#include "news.h"

const volatile bool kernel_frames = true, user_frames = true;
const volatile __u32 copy_bytes = 0;	/* of the user's stack; with 0 its frame pointers are followed here */

enum { ADDRESSES = STACKS_DEPTH * sizeof(__u64) };	/* bytes of them at most */

/* A sample on its way: more than the stack of a BPF program holds. */
struct room {
	struct stacks_sample sample;
	__u8 rest[ADDRESSES + STACKS_WORDS * sizeof(__u64) + STACKS_COPY_MAX];
};

/* One for each CPU; an array of that kind has smaller elements. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);		/* user space sets it */
	__type(key, __u32);
	__type(value, struct room);
} rooms SEC(".maps");

#if defined(__TARGET_ARCH_x86)
enum { WORDS = 21, STACK_WORD = 19 };	/* struct pt_regs ends with sp and ss */
#elif defined(__TARGET_ARCH_arm64)
enum { WORDS = 34, STACK_WORD = 31 };	/* struct user_pt_regs: x0 to x30, sp, pc, pstate */
#else
enum { WORDS = 1, STACK_WORD = 0 };
#endif

/* The registers of user space and what lies above its stack pointer, page by page: a missing one ends it. */
static __always_inline __u32 copy_stack(struct room *room, __u32 at, struct task_struct *task)
{
	struct pt_regs *registers = (struct pt_regs *)bpf_task_pt_regs(task);
	__u64 *words, from;
	__u32 copied = 0, n;

	if (at > ADDRESSES)
		return at;
	words = (__u64 *)(room->rest + at);
	if (bpf_probe_read_kernel(words, WORDS * sizeof *words, registers))
		return at;
	at += WORDS * sizeof *words;
	from = words[STACK_WORD];
	n = STACKS_PAGE - (from & (STACKS_PAGE - 1));
	for (int page = 0; page < STACKS_COPY_MAX / STACKS_PAGE && copied < copy_bytes; page++) {
		if (copied > STACKS_COPY_MAX - STACKS_PAGE || n > STACKS_PAGE ||
		    bpf_probe_read_user(room->rest + at + copied, n, (void *)(from + copied)))
			break;
		copied += n;
		n = STACKS_PAGE;
	}
	room->sample.words = WORDS;
	room->sample.copied = copied;
	return at + copied;
}

/* The addresses of one half, behind AT bytes of the rest; how many bytes they take. */
static __always_inline __u32 take_addresses(struct bpf_perf_event_data *ctx, struct room *room, __u32 at,
					    __u64 flags)
{
	long n;

	if (at > ADDRESSES)
		return 0;
	n = bpf_get_stack(ctx, room->rest + at, ADDRESSES, flags);
	return n > 0 && n <= ADDRESSES ? n : 0;
}

static __always_inline __u32 take_stacks(struct bpf_perf_event_data *ctx, struct room *room,
					 struct task_struct *task)
{
	__u32 at = 0, n;

	if (kernel_frames) {
		at = take_addresses(ctx, room, 0, 0);
		room->sample.kernels = at / sizeof(__u64);
	}
	if (!user_frames || task->flags & PF_KTHREAD)
		return at;
	if (copy_bytes)
		return copy_stack(room, at, task);
	n = take_addresses(ctx, room, at, BPF_F_USER_STACK);
	room->sample.users = n / sizeof(__u64);
	return at + n;
}

SEC("perf_event")
int on_sample(struct bpf_perf_event_data *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u32 cpu = bpf_get_smp_processor_id(), size;
	struct room *room;
	__u8 role;
	bool asked;

	run_begins();
	if (!task_is_wanted(task, &role, &asked))
		return 0;
	room = bpf_map_lookup_elem(&rooms, &cpu);
	if (!room)
		return 0;
	room->sample = (struct stacks_sample){ .exec = task->self_exec_id, .pid = process_here(task) };
	event_of(&room->sample.event, task, bpf_ktime_get_ns(), 0, role, asked);
	size = take_stacks(ctx, room, task);
	if (size > sizeof room->rest)
		return 0;
	news_tell_sometimes(task);
	event_output(room, sizeof room->sample + size);
	return 0;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *task)
{
	__u8 role;
	bool asked;

	run_begins();
	if (task_is_wanted(task, &role, &asked))
		news_tell(task);
	return 0;
}
