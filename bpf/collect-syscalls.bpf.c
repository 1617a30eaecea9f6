// SPDX-License-Identifier: (MIT OR GPL-2.0-only)
/*
 * System calls: the one that a thread is in is kept beside the thread, and told when it returns. So a lost
 * event loses one call, and the next one is right; a call that was under way at the start is not told.
 */
#include "bpf.h"
#include "collect-syscalls.h"
#include "sums.h"

const volatile bool spans = true, raw = false, aggregate = false;
const volatile bool arguments = false;	/* they are told */
const volatile bool failed = false;	/* only calls that failed */
const volatile bool listed = false;	/* only calls whose plan says so */
const volatile struct call_plan plans[CALL_ABIS * CALL_NUMBERS];

enum { TS_COMPAT = 2, TIF_32BIT = 1 << 22, MAX_ERRNO = 4095, FCNTL_COMMAND = 1 };

struct call {
	__u64 since;
	__u64 argument[CALL_ARGUMENTS + 2];	/* 8, so that the verifier sees by a mask that a place is within */
	__u32 nr;
	__u16 path_len;		/* of the path in `long_ones`; 0: none */
	__u8 compat, open, role, late;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct call);
} calls SEC(".maps");

/* Of threads that have made a call with a path: the event that will tell it. */
struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct call_event_long);
} long_ones SEC(".maps");

static __always_inline const volatile struct call_plan *plan_of(__u8 compat, __u32 nr)
{
	__u32 at = (compat & 1) * CALL_NUMBERS + nr;

	if (nr >= CALL_NUMBERS)
		return NULL;
	barrier_var(at);	/* older verifiers know nothing of the sum, which is an OR, and need the mask */
	return &plans[at & (CALL_ABIS * CALL_NUMBERS - 1)];
}

static __always_inline bool is_left_out(const volatile struct call_plan *plan)
{
	return listed && (!plan || plan->flags & PLAN_LEFT_OUT);
}

static __always_inline __u8 is_compat(struct task_struct *task)
{
	if (bpf_core_field_exists(task->thread_info.status))
		return (task->thread_info.status & TS_COMPAT) != 0;
	if (bpf_core_field_exists(((struct pt_regs *)0)->syscallno))
		return (task->thread_info.flags & TIF_32BIT) != 0;
	return 0;
}

static __always_inline __u32 number_of(struct pt_regs *regs)
{
	if (bpf_core_field_exists(regs->orig_ax))
		return (__u32)regs->orig_ax;
	if (bpf_core_field_exists(regs->syscallno))
		return (__u32)regs->syscallno;
	return -1u;
}

static __always_inline void take_arguments(struct call *call, struct pt_regs *regs)
{
	if (bpf_core_field_exists(regs->orig_ax)) {
		call->argument[2] = regs->dx;
		if (call->compat) {
			call->argument[0] = (__u32)regs->bx;
			call->argument[1] = (__u32)regs->cx;
			call->argument[2] = (__u32)regs->dx;
			call->argument[3] = (__u32)regs->si;
			call->argument[4] = (__u32)regs->di;
			call->argument[5] = (__u32)regs->bp;
		} else {
			call->argument[0] = regs->di;
			call->argument[1] = regs->si;
			call->argument[3] = regs->r10;
			call->argument[4] = regs->r8;
			call->argument[5] = regs->r9;
		}
	} else if (bpf_core_field_exists(regs->syscallno)) {
		for (int i = 0; i < CALL_ARGUMENTS; i++)
			call->argument[i] = regs->regs[i];
	}
}

static __always_inline __u64 argument_at(const struct call *call, __u8 place)
{
	return call->argument[(place - 1) & 7];
}

static __always_inline void read_path(struct task_struct *task, struct call *call, __u8 place)
{
	struct call_event_long *at = bpf_task_storage_get(&long_ones, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	long len = at ? read_user_text(at->path, CALL_PATH, (void *)argument_at(call, place)) : 0;

	call->path_len = len > 0 ? (__u16)len : 0;
}

/* Fills what all events of a call have. */
static __always_inline void tell_of(struct call_event *to, const struct call *call,
				    const volatile struct call_plan *plan, __s64 ret, __u8 flags)
{
	to->dur_ns = to->event.ts - call->since;
	to->ret = ret;
	to->nr = call->nr;
	to->fd = -1;
	to->other_fd = -1;
	to->path_len = call->path_len == 1;	/* the empty one; a longer one follows the event */
	to->compat = call->compat;
	to->flags = flags;
	if (!plan)
		return;
	to->other_fd = (__s32)call->argument[FCNTL_COMMAND];
	if (plan->fd)
		to->fd = (__s32)argument_at(call, plan->fd);
	/* An empty path, as of fstat by newfstatat, means the directory's descriptor itself. */
	else if (plan->directory && call->path_len == 1)
		to->fd = (__s32)argument_at(call, plan->directory);
	if (plan->flags & PLAN_PIPE && !ret && !(flags & CALL_UNFINISHED)) {
		__s32 fds[2];

		if (!bpf_probe_read_user(fds, sizeof fds, (void *)call->argument[0])) {
			to->fd = fds[0];
			to->other_fd = fds[1];
		}
	}
}

/* An event of the call at the moment TS: short, with its arguments, or with these and its path. */
static __always_inline void tell(struct task_struct *task, const struct call *call,
				 const volatile struct call_plan *plan, __u64 ts, __u8 kind, __s64 ret, __u8 flags,
				 bool asked)
{
	bool with_path = call->path_len > 1 && (kind != CALL_RAW_EXIT || flags & CALL_LATE_PATH);
	struct call_event_long *at;
	struct call_event *event;

	if (with_path) {
		__u32 len = call->path_len;

		at = bpf_task_storage_get(&long_ones, task, NULL, 0);
		if (!at)
			return;
		event_of(&at->call.event, task, ts, kind, call->role, asked);
		tell_of(&at->call, call, plan, ret, flags | CALL_HAS_ARGUMENTS);
		at->call.path_len = (__u16)len;
		__builtin_memcpy(at->argument, call->argument, sizeof at->argument);
		barrier_var(len);	/* older verifiers see the check only where the length is used */
		if (len <= CALL_PATH)
			event_output(at, sizeof at->call + sizeof at->argument + len);
		return;
	}
	if (arguments || kind == CALL_RAW_ENTRY) {
		event = event_reserve(sizeof *event + CALL_ARGUMENTS * sizeof *call->argument);
		if (!event)
			return;
		__builtin_memcpy(event + 1, call->argument, CALL_ARGUMENTS * sizeof *call->argument);
		flags |= CALL_HAS_ARGUMENTS;
	} else {
		event = event_reserve(sizeof *event);
		if (!event)
			return;
	}
	event_of(&event->event, task, ts, kind, call->role, asked);
	tell_of(event, call, plan, ret, flags);
	event_submit(event);
}

/* The room for the calls of TASK, if these may be wanted. Its role is that of its first call, and stays. */
static __always_inline struct call *call_of(struct task_struct *task)
{
	struct call *call = bpf_task_storage_get(&calls, task, NULL, 0);
	__u8 role;

	if (call)
		return call;
	role = task_role(task);
	if (!role_is_wanted(task, role))
		return NULL;
	call = bpf_task_storage_get(&calls, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (call)
		call->role = role;
	return call;
}

SEC("tp_btf/sys_enter")
int BPF_PROG(on_entry, struct pt_regs *regs, long nr)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u8 compat = is_compat(task);
	const volatile struct call_plan *plan = plan_of(compat, (__u32)nr);
	struct call *call;
	bool asked;

	run_begins();
	if (is_left_out(plan) || !(call = call_of(task)))
		return 0;
	call->since = bpf_ktime_get_ns();
	call->nr = (__u32)nr;
	call->compat = compat;
	call->open = 1;
	if (aggregate)
		return 0;
	call->path_len = 0;
	call->late = 0;
	take_arguments(call, regs);
	if (plan && plan->path)
		read_path(task, call, plan->path);
	if (raw && task_is_wanted_now(task, &asked))
		tell(task, call, plan, call->since, CALL_RAW_ENTRY, 0, 0, asked);
	return 0;
}

/* A return whose entry was before the recording, or in the thread's maker: LTTng has it too. */
static __always_inline void raw_return(struct task_struct *task, struct pt_regs *regs, __s64 ret)
{
	struct call call = { .nr = number_of(regs), .compat = is_compat(task) };
	const volatile struct call_plan *plan = plan_of(call.compat, call.nr);
	bool asked;

	call.since = bpf_ktime_get_ns();
	if ((__s32)call.nr >= 0 && !is_left_out(plan) && task_is_wanted(task, &call.role, &asked))
		tell(task, &call, NULL, call.since, CALL_RAW_EXIT, ret, 0, asked);
}

SEC("tp_btf/sys_exit")
int BPF_PROG(on_return, struct pt_regs *regs, long ret)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct call *call = bpf_task_storage_get(&calls, task, NULL, 0);
	const volatile struct call_plan *plan;
	bool asked, told;
	__u64 ts;

	run_begins();
	if (!call || !call->open) {
		if (raw)
			raw_return(task, regs, ret);
		return 0;
	}
	ts = bpf_ktime_get_ns();
	call->open = 0;
	told = ts - call->since >= settings.threshold_ns && (!failed || (ret < 0 && ret >= -MAX_ERRNO));
	if ((!told && !raw) || !task_is_wanted_now(task, &asked))
		return 0;
	if (aggregate) {
		sums_add(task, call->nr | (call->compat ? CALL_COMPAT : 0), ts - call->since);
		return 0;
	}
	plan = plan_of(call->compat, call->nr);
	if (plan && plan->path && !call->path_len) {
		/* The page was not there at the entry; the call has brought it. */
		read_path(task, call, plan->path);
		call->late = call->path_len > 0;
	}
	if (raw)
		tell(task, call, plan, ts, CALL_RAW_EXIT, ret, call->late ? CALL_LATE_PATH : 0, asked);
	if (spans && told)
		tell(task, call, plan, ts, CALL_SPAN, ret, 0, asked);
	return 0;
}

/* Where the path of an exec could not be read at its entry, the memory that it was in is gone now. */
SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *task, int old_tid, struct linux_binprm *program)
{
	struct call *call = bpf_task_storage_get(&calls, task, NULL, 0), of_old = { 0 };
	struct call_event_long *at;
	const char *filename = program->filename;
	bool asked;

	run_begins();
	if (call && call->open && !call->path_len &&
	    (at = bpf_task_storage_get(&long_ones, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE))) {
		long len = bpf_probe_read_kernel_str(at->path, CALL_PATH, filename);

		call->path_len = len > 0 ? (__u16)len : 0;
		call->late = len > 0;
	}
	if (!raw || !call || !call->open || !task_is_wanted_now(task, &asked))
		return 0;
	of_old = *call;
	of_old.argument[FCNTL_COMMAND] = (__u32)old_tid;
	tell(task, &of_old, plan_of(call->compat, call->nr), bpf_ktime_get_ns(), CALL_RAW_EXEC, 0, 0, asked);
	return 0;
}

/* The call that a thread dies in does not return. */
SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_thread_end, struct task_struct *task)
{
	struct call *call = bpf_task_storage_get(&calls, task, NULL, 0);
	__u64 ts = bpf_ktime_get_ns();
	bool asked;

	run_begins();
	if (!call || !task_is_wanted_now(task, &asked))
		return 0;
	if (raw)
		tell(task, call, NULL, ts, CALL_RAW_END, 0, 0, asked);
	if (spans && call->open && !failed && ts - call->since >= settings.threshold_ns)
		tell(task, call, plan_of(call->compat, call->nr), ts, CALL_SPAN, 0, CALL_UNFINISHED, asked);
	call->open = 0;
	return 0;
}

/* For --raw: children have the descriptors of their makers. */
SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child)
{
	struct call_event *event;
	__u8 role;
	bool asked;

	run_begins();
	if (!task_is_wanted(parent, &role, &asked) || !(event = event_reserve(sizeof *event)))
		return 0;
	event_of(&event->event, parent, bpf_ktime_get_ns(), CALL_RAW_FORK, role, asked);
	event->dur_ns = 0;
	event->ret = 0;
	event->nr = 0;
	event->fd = child->pid;
	event->other_fd = child->tgid;
	event->path_len = 0;
	event->compat = 0;
	event->flags = 0;
	event_submit(event);
	return 0;
}

/* Once at the end: the calls under way. */
const volatile char no_path[CALL_PATH];

SEC("iter/task")
int end_tasks(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct {
		struct call_event call;
		__u64 argument[CALL_ARGUMENTS];
	} now = { 0 };
	struct call_event_long *at;
	struct call *call;
	bool asked;

	if (!task || !task->pid)
		return 0;
	call = bpf_task_storage_get(&calls, task, NULL, 0);
	if (!call || !call->open || !task_is_wanted_now(task, &asked))
		return 0;
	event_of(&now.call.event, task, bpf_ktime_get_ns(), CALL_SPAN, call->role, asked);
	now.call.event.cpu = task_cpu(task);
	tell_of(&now.call, call, plan_of(call->compat, call->nr), 0, CALL_UNFINISHED | CALL_HAS_ARGUMENTS);
	__builtin_memcpy(now.argument, call->argument, sizeof now.argument);
	at = call->path_len > 1 ? bpf_task_storage_get(&long_ones, task, NULL, 0) : NULL;
	if (at)
		now.call.path_len = call->path_len;
	bpf_seq_write(ctx->meta->seq, &now, sizeof now);
	if (at)
		bpf_seq_write(ctx->meta->seq, at->path, CALL_PATH);
	else
		bpf_seq_write(ctx->meta->seq, (const void *)no_path, CALL_PATH);
	return 0;
}
