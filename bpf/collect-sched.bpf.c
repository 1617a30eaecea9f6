// SPDX-License-Identifier: (MIT OR GPL-2.0-only)
/*
 * The stretches of each thread, running, runnable or blocked: each thread's present one is kept beside the
 * thread, and told when it ends. So a lost event loses one stretch, and the next one is right.
 */
#include "bpf.h"
#include "collect-sched.h"
#include "news.h"
#include "sums.h"
#include "throttle.h"

const volatile bool spans = true, raw = false, aggregate = false, stacks = false;
const volatile __u32 yield_nr = 0;	/* the system call sched_yield; with 0 it is not told from preemption */

struct stretch {
	__u64 since;
	__u32 waker_tid;
	__u32 cpu;		/* that it left last */
	__u8 state, why, letter, clipped;
	__u8 has_waker, waker_irq;
	char waker_comm[COMM];
	struct throttle throttle;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct stretch);
} stretches SEC(".maps");

/* Where each thread that sleeps does; filled with `stacks` only. */
struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct sched_stack);
} sleeps SEC(".maps");

/* A span with its stack on its way: more than the stack of a BPF program holds. */
struct room {
	struct sched_span span;
	struct sched_program program;
	__u64 addresses[2 * SCHED_DEPTH];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct room);
} rooms SEC(".maps");

/*
 * What a CPU is doing on top of a thread is in its count of reasons not to preempt (include/linux/preempt.h). Some
 * machines keep it beside the thread that is interrupted, x86 beside the CPU; from 6.2 to 6.14, within a struct.
 */
extern const int __preempt_count __ksym __weak;
extern const struct pcpu_hot pcpu_hot __ksym __weak;
enum { IN_SOFTIRQ = 0x100, IN_HARDIRQ = 0xff0000 };

static __always_inline bool in_interrupt(void)
{
	struct task_struct *current = bpf_get_current_task_btf();
	__u32 count;

	if (bpf_core_field_exists(current->thread_info.preempt_count))
		count = (__u32)current->thread_info.preempt_count;
	else if (&pcpu_hot)
		count = (__u32)((const struct pcpu_hot *)bpf_this_cpu_ptr(&pcpu_hot))->preempt_count;
	else	/* which is refused where there is no such variable */
		count = (__u32)*(const int *)bpf_this_cpu_ptr(&__preempt_count);
	return (count & (IN_SOFTIRQ | IN_HARDIRQ)) != 0;
}

/* Where the kernel tells no addresses of its variables (CONFIG_KALLSYMS_ALL), handlers are counted instead. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __s32);
} handlers SEC(".maps");

static __always_inline __s32 *handlers_here(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&handlers, &zero);
}

static __always_inline int handler_begins(void)
{
	__s32 *n = handlers_here();

	run_begins();
	if (n)
		++*n;
	return 0;
}

static __always_inline int handler_ends(void)
{
	__s32 *n = handlers_here();

	run_begins();
	if (n && *n > 0)	/* it may have begun before the recording */
		--*n;
	return 0;
}

/* No handler is left by a switch: what was counted is of one whose end was not seen, as while programs attach. */
static __always_inline void no_handler(void)
{
	__s32 *n = handlers_here();

	if (n)
		*n = 0;
}

#define HANDLER(tracepoint, does) \
	SEC("tp_btf/" #tracepoint) int tracepoint(void *ctx) { return does(); }
HANDLER(irq_handler_entry, handler_begins)
HANDLER(irq_handler_exit, handler_ends)
HANDLER(softirq_entry, handler_begins)
HANDLER(softirq_exit, handler_ends)
HANDLER(hrtimer_expire_entry, handler_begins)
HANDLER(hrtimer_expire_exit, handler_ends)

/* What /proc/PID/stat shows: the order of the kernel's task_state_array. */
static __always_inline __u8 letter_of(__u32 state)
{
	if (state & STATE_NOLOAD)
		return 'I';
	if (state & STATE_INTERRUPTIBLE)
		return 'S';
	if (state & STATE_UNINTERRUPTIBLE)
		return 'D';
	if (state & STATE_STOPPED)
		return 'T';
	if (state & STATE_TRACED)
		return 't';
	if (state & (STATE_DEAD | STATE_EXIT_DEAD))
		return 'X';
	if (state & STATE_ZOMBIE)
		return 'Z';
	if (state & STATE_PARKED)
		return 'P';
	return state ? 'D' : 'R';	/* bits that only the kernel's own sleeps have */
}

/* As a tracer shows it: __task_state_index() of include/linux/sched.h, as a bit. */
static __always_inline __u32 reported(__u32 state, bool preempt)
{
	__u32 bits = state & STATE_REPORT;

	if (preempt)
		return 0x100;
	if ((state & (STATE_UNINTERRUPTIBLE | STATE_NOLOAD)) == (STATE_UNINTERRUPTIBLE | STATE_NOLOAD))
		return 0x80;
	/* The highest one alone. */
	for (__u32 bit = 0x40; bit; bit >>= 1)
		if (bits & bit)
			return bit;
	return 0;
}

static __always_inline bool yields(struct task_struct *prev)
{
	struct pt_regs *regs;

	if (!yield_nr)
		return false;
	regs = (struct pt_regs *)bpf_task_pt_regs((void *)prev);
	if (bpf_core_field_exists(regs->orig_ax))
		return BPF_CORE_READ(regs, orig_ax) == yield_nr;
	if (bpf_core_field_exists(regs->syscallno))
		return (__u32)BPF_CORE_READ(regs, syscallno) == yield_nr;
	return false;
}

static __always_inline struct stretch *stretch_of(struct task_struct *task)
{
	return bpf_task_storage_get(&stretches, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
}

/* Events that do not follow from those before: a kernel may hide some. What they contradict is not told. */
__u64 contradictions;

static __always_inline void contradicts(void)
{
	__sync_fetch_and_add(&contradictions, 1);
}

/* Sleeps whose wakeup was not seen: before 6.2 a thread has no storage while an interrupted program uses any. */
__u64 unwoken;

static __always_inline void fill(struct sched_span *span, struct task_struct *task, struct stretch *stretch, __u64 ts,
				 __u8 role, bool asked)
{
	event_of(&span->event, task, ts, SCHED_SPAN, role, asked);
	span->dur_ns = ts - stretch->since;
	span->state = stretch->state;
	span->why = stretch->why;
	span->letter = stretch->letter;
	span->clipped = stretch->clipped;
	span->waker_irq = span->has_other = span->throttled = 0;
	span->kernels = span->users = 0;
	if (stretch->state == SCHED_BLOCKED) {
		span->event.cpu = stretch->cpu;
		span->has_other = stretch->has_waker;
		span->other_tid = stretch->waker_tid;
		span->waker_irq = stretch->has_waker && stretch->waker_irq;
		__builtin_memcpy(span->other_comm, stretch->waker_comm, COMM);
	}
}

/* A sleep, with where it began; the addresses of the program follow those of the kernel. */
static __always_inline void output_with_stack(struct task_struct *task, struct stretch *stretch, __u64 ts, __u8 role,
					      bool asked)
{
	struct sched_stack *stack = bpf_task_storage_get(&sleeps, task, NULL, 0);
	__u32 zero = 0, kernels = 0, users = 0;
	struct room *room = bpf_map_lookup_elem(&rooms, &zero);

	if (!room) {
		event_lost();
		return;
	}
	fill(&room->span, task, stretch, ts, role, asked);
	if (stack && !stretch->clipped) {
		room->program = stack->program;
		kernels = stack->kernels <= SCHED_DEPTH ? stack->kernels : 0;
		users = stack->users <= SCHED_DEPTH ? stack->users : 0;
		bpf_probe_read_kernel(room->addresses, kernels * sizeof(__u64), stack->addresses);
		if (kernels <= SCHED_DEPTH)
			bpf_probe_read_kernel(room->addresses + kernels, users * sizeof(__u64),
					      stack->addresses + SCHED_DEPTH);
	}
	room->span.kernels = (__u8)kernels;
	room->span.users = (__u8)users;
	event_output(room, sizeof room->span + sizeof room->program + (kernels + users) * sizeof(__u64));
}

static __always_inline struct sched_held held_until(const struct throttle *throttle, __u64 ts)
{
	struct sched_held held = { .ns = throttle_took(throttle, ts), .cgroup = throttle->cgroup };

	held.after_ns = throttle->held ? 0 : ts - throttle->since - held.ns;
	return held;
}

static __always_inline struct sched_span *reserve_throttled(const struct sched_held *held)
{
	struct sched_throttled *event = event_reserve(sizeof *event);

	if (!event)
		return NULL;
	event->held = *held;
	return &event->span;
}

/* The stretch of TASK under way ends: tells it, if it is wanted. */
static __always_inline void ends(struct task_struct *task, struct stretch *stretch, __u64 ts, __u8 why,
				 __u32 other_tid, const char *other_comm)
{
	struct sched_held held = { 0 };
	__u64 dur = ts - stretch->since;
	struct sched_span *span;
	__u8 state = stretch->state, role;
	bool asked;

	if (!spans || state == SCHED_UNKNOWN || dur < settings.threshold_ns || (__s64)dur < 0)
		return;
	if (!task_is_wanted(task, &role, &asked))
		return;
	if (aggregate) {
		sums_add(task, state, dur);
		return;
	}
	if (stacks && state == SCHED_BLOCKED) {
		output_with_stack(task, stretch, ts, role, asked);
		return;
	}
	if (state == SCHED_RUNNABLE)
		held = held_until(&stretch->throttle, ts);
	span = held.ns ? reserve_throttled(&held) : event_reserve(sizeof *span);
	if (!span)
		return;
	fill(span, task, stretch, ts, role, asked);
	if (state == SCHED_RUNNING)
		span->why = why;
	if (other_comm && state != SCHED_BLOCKED) {
		span->has_other = 1;
		span->other_tid = other_tid;
		bpf_probe_read_kernel(span->other_comm, COMM, other_comm);
	}
	span->throttled = held.ns != 0;
	event_submit(span);
}

/* The thread goes to sleep: keeps where. */
static __always_inline void take_stack(void *ctx, struct task_struct *task)
{
	struct sched_stack *stack = bpf_task_storage_get(&sleeps, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	enum { BYTES = SCHED_DEPTH * sizeof(__u64) };
	long n;

	if (!stack)
		return;
	stack->program = (struct sched_program){ .exec = task->self_exec_id, .pid = process_here(task) };
	n = bpf_get_stack(ctx, stack->addresses, BYTES, 0);
	stack->kernels = n > 0 ? n / sizeof(__u64) : 0;
	n = bpf_get_stack(ctx, stack->addresses + SCHED_DEPTH, BYTES, BPF_F_USER_STACK);
	stack->users = n > 0 ? n / sizeof(__u64) : 0;
	if (stack->users && role_is_wanted(task, task_role(task)))
		news_tell_sometimes(task);
}

static __always_inline void begins(struct stretch *stretch, __u64 ts, __u8 state, __u8 why, __u8 letter)
{
	stretch->since = ts;
	stretch->state = state;
	stretch->why = why;
	stretch->letter = letter;
	stretch->cpu = bpf_get_smp_processor_id();
	stretch->clipped = 0;
	stretch->has_waker = 0;
	stretch->throttle.queue = 0;
}

/* The thread begins to wait for a CPU, or for quota. In a recording of events alone no more is kept of it. */
static __always_inline void begins_to_wait(struct task_struct *task, __u64 ts)
{
	struct stretch *stretch;

	if (throttle_may_hold(task) && (stretch = stretch_of(task)) && !stretch->throttle.queue)
		throttle_begins(&stretch->throttle, task, ts);
}

/* LTTng's numbers for priorities: 20 is nice 0. */
static __always_inline __u32 prio_of(struct task_struct *task)
{
	return (__u32)(task->prio - 100);
}

/* WAITED: that of the named thread, which gets the CPU; or NULL. */
static __always_inline void raw_event(struct task_struct *current, struct task_struct *named, __u64 ts, __u8 kind,
				      __u32 prev_state, bool flag, const struct throttle *waited)
{
	struct sched_raw *event;
	__u8 role, other_role;
	bool asked, other_asked;

	if (!task_is_wanted(current, &role, &asked)) {
		if (!task_is_wanted(named, &other_role, &other_asked))
			return;
		asked = false;	/* it is in for the other one's sake */
	} else if (asked && task_is_wanted(named, &other_role, &other_asked) && !other_asked) {
		asked = false;
	}
	event = event_reserve(sizeof *event);
	if (!event)
		return;
	event_of(&event->event, current, ts, kind, role, asked);
	event->prev_prio = prio_of(current);
	event->prev_state = prev_state;
	event->next_tid = (__u32)named->pid;
	event->next_prio = prio_of(named);
	event->target_cpu = event->event.cpu;
	event->flag = flag;
	event->held = waited ? held_until(waited, ts) : (struct sched_held){ 0 };
	bpf_probe_read_kernel(event->next_comm, COMM, named->comm);
	event_submit(event);
}

static __always_inline void raw_switch(struct task_struct *prev, struct task_struct *next, __u64 ts, __u32 state,
				       bool yielded)
{
	struct stretch *stretch = next->pid ? bpf_task_storage_get(&stretches, next, NULL, 0) : NULL;

	raw_event(prev, next, ts, SCHED_RAW_SWITCH, state, yielded, stretch ? &stretch->throttle : NULL);
	if (stretch && !spans)
		stretch->throttle.queue = 0;
}

static __always_inline void switches(void *ctx, bool preempt, struct task_struct *prev, struct task_struct *next, __u32 state)
{
	__u64 ts = bpf_ktime_get_ns();
	bool yielded = false;
	struct stretch *stretch;

	run_begins();
	no_handler();
	state |= (__u32)prev->exit_state;
	if (prev->pid && (preempt || !state))
		yielded = !preempt && yields(prev);
	if (raw)
		raw_switch(prev, next, ts, reported(state, preempt), yielded);
	if (raw && !spans && (preempt || !state))
		begins_to_wait(prev, ts);
	if (!spans)
		return;
	if (prev->pid && (stretch = stretch_of(prev))) {
		__u8 letter = preempt ? 'R' : letter_of(state);
		__u8 why = letter == 'X' || letter == 'Z' ? SCHED_EXIT : letter != 'R' ? SCHED_SLEEP :
			   yielded ? SCHED_YIELD : SCHED_PREEMPT;

		if (stretch->state == SCHED_RUNNING)
			ends(prev, stretch, ts, why, (__u32)next->pid, next->comm);
		else if (stretch->state != SCHED_UNKNOWN)
			contradicts();
		if (stacks && why == SCHED_SLEEP)
			take_stack(ctx, prev);
		begins(stretch, ts, why == SCHED_EXIT ? SCHED_UNKNOWN : why == SCHED_SLEEP ? SCHED_BLOCKED :
		       SCHED_RUNNABLE, why, letter);
		if (stretch->state == SCHED_RUNNABLE)
			begins_to_wait(prev, ts);
	}
	if (next->pid && (stretch = stretch_of(next))) {
		if (stretch->state == SCHED_BLOCKED && !stretch->clipped)
			__sync_fetch_and_add(&unwoken, 1);
		if (stretch->state != SCHED_RUNNING)
			ends(next, stretch, ts, SCHED_PREEMPT, (__u32)prev->pid, prev->pid ? prev->comm : NULL);
		else
			contradicts();
		begins(stretch, ts, SCHED_RUNNING, 0, 0);
	}
}

SEC("tp_btf/sched_switch")
int BPF_PROG(on_switch, bool preempt, struct task_struct *prev, struct task_struct *next, unsigned int state)
{
	switches(ctx, preempt, prev, next, state);
	return 0;
}

/* Before 5.18 the tracepoint does not pass the state. */
SEC("tp_btf/sched_switch")
int BPF_PROG(on_switch_without_state, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	__u32 state;

	if (bpf_core_field_exists(prev->__state))
		state = BPF_CORE_READ(prev, __state);
	else
		state = (__u32)BPF_CORE_READ((struct task_struct___state *)prev, state);
	switches(ctx, preempt, prev, next, state);
	return 0;
}

/* The waker is known here, and not where the thread becomes runnable: that may be on another CPU. */
static __always_inline int waking(struct task_struct *task, bool irq)
{
	struct task_struct *current = bpf_get_current_task_btf();
	struct stretch *stretch;

	run_begins();
	if (raw)
		raw_event(current, task, bpf_ktime_get_ns(), SCHED_RAW_WAKING, 0, irq, NULL);
	if (!spans || !(stretch = stretch_of(task)))
		return 0;
	stretch->has_waker = 1;
	stretch->waker_tid = (__u32)current->pid;
	stretch->waker_irq = !current->pid || irq;
	bpf_probe_read_kernel(stretch->waker_comm, COMM, current->comm);
	return 0;
}

SEC("tp_btf/sched_waking")
int BPF_PROG(on_waking, struct task_struct *task)
{
	return waking(task, in_interrupt());
}

SEC("tp_btf/sched_waking")
int BPF_PROG(on_waking_by_handlers, struct task_struct *task)
{
	__s32 *n = handlers_here();

	return waking(task, n && *n > 0);
}

SEC("tp_btf/sched_wakeup")
int BPF_PROG(on_wakeup, struct task_struct *task)
{
	__u64 ts = bpf_ktime_get_ns();
	struct stretch *stretch;

	run_begins();
	if (raw)
		raw_event(bpf_get_current_task_btf(), task, ts, SCHED_RAW_WAKEUP, 0, false, NULL);
	if (spans && (!(stretch = stretch_of(task)) || stretch->state == SCHED_RUNNING ||
		      stretch->state == SCHED_RUNNABLE))
		return 0;
	if (spans) {
		ends(task, stretch, ts, 0, 0, NULL);
		begins(stretch, ts, SCHED_RUNNABLE, SCHED_WAKEUP, 'R');
	}
	begins_to_wait(task, ts);
	return 0;
}

SEC("tp_btf/sched_wakeup_new")
int BPF_PROG(on_wakeup_new, struct task_struct *task)
{
	__u64 ts = bpf_ktime_get_ns();
	struct stretch *stretch;

	run_begins();
	if (raw)
		raw_event(bpf_get_current_task_btf(), task, ts, SCHED_RAW_NEW, 0, false, NULL);
	if (spans && (stretch = stretch_of(task)))
		begins(stretch, ts, SCHED_RUNNABLE, SCHED_NEW, 'R');
	begins_to_wait(task, ts);
	return 0;
}

static __always_inline __u32 state_of(struct task_struct *task)
{
	if (bpf_core_field_exists(task->__state))
		return BPF_CORE_READ(task, __state);
	return (__u32)BPF_CORE_READ((struct task_struct___state *)task, state);
}

static __always_inline int tell_now(struct bpf_iter__task *ctx, struct task_struct *task, struct stretch *stretch)
{
	struct sched_now now = { 0 };
	__u8 role;
	bool asked;

	now.wanted = task_is_wanted(task, &role, &asked);
	event_of(&now.event, task, bpf_ktime_get_ns(), SCHED_SPAN, role, asked);
	now.event.cpu = stretch->cpu;
	now.since = stretch->since;
	now.state = stretch->state;
	now.why = stretch->why;
	now.letter = stretch->letter;
	now.clipped = stretch->clipped;
	if (stretch->state == SCHED_RUNNABLE)
		now.held = held_until(&stretch->throttle, now.event.ts);
	bpf_seq_write(ctx->meta->seq, &now, sizeof now);
	return 0;
}

/*
 * Once at the start, when the other programs run already: what each thread is doing. Where an event has
 * told that before, it stands.
 */
SEC("iter/task")
int begin_tasks(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct stretch *stretch;
	__u64 ts = bpf_ktime_get_ns();
	__u32 state;

	if (!task || !task->pid)
		return 0;
	stretch = stretch_of(task);
	if (!stretch)
		return 0;
	state = state_of(task);
	if (stretch->state == SCHED_UNKNOWN && !task->exit_state) {
		if (task->on_cpu)
			begins(stretch, ts, SCHED_RUNNING, 0, 0);
		else if (!state)
			begins(stretch, ts, SCHED_RUNNABLE, SCHED_PREEMPT, 'R');
		else
			begins(stretch, ts, SCHED_BLOCKED, 0, letter_of(state));
		if (stretch->state == SCHED_RUNNABLE)
			begins_to_wait(task, ts);
		stretch->clipped = 1;
		stretch->cpu = task_cpu(task);
	}
	return tell_now(ctx, task, stretch);
}

/* Once at the end: the stretches under way. */
SEC("iter/task")
int end_tasks(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct stretch *stretch;

	if (!task || !task->pid)
		return 0;
	stretch = bpf_task_storage_get(&stretches, task, NULL, 0);
	if (!stretch || stretch->state == SCHED_UNKNOWN)
		return 0;
	if ((stretch->state == SCHED_RUNNING) != (task->on_cpu != 0)) {
		contradicts();
		return 0;
	}
	return tell_now(ctx, task, stretch);
}

/* Is never run: --check asks by it whether this kernel tells who is throttled. */
SEC("iter/task")
int tells_throttling(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct cfs_rq *queue;

	if (!task)
		return 0;
	queue = BPF_CORE_READ(task, se.cfs_rq);
	if (BPF_CORE_READ(queue, throttle_count) > 0 && throttle_part(queue) > throttle_total(queue))
		contradicts();
	return 0;
}
