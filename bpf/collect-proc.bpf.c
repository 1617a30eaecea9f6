// SPDX-License-Identifier: (MIT OR GPL-2.0-only)
/*
 * The life of processes and threads: fork, exec, exit, and what they use. Nothing is remembered of a process
 * but what its memory was when that was told last: all else the kernel knows when it ends.
 */
#include "bpf.h"
#include "collect-proc.h"

const volatile __u64 rss_interval_ns = 0;
const volatile bool pages_told = false;
const volatile __u64 page_bytes = 4096;
const volatile __u32 cpus = 0;
const volatile __u32 execve_nr = 0, execveat_nr = 0;

struct proc_stamp stamps[COUNTED_CPUS];

/* What is added to the address of a per-CPU variable for that of each CPU; 0: not known. */
__u64 cpu_offsets[COUNTED_CPUS];

__u32 rss_held;		/* a change of memory waits to be told */
__u32 telling;		/* enum proc_telling; set by user space */

struct process {
	__u64 rss_ts, rss_bytes;	/* told last */
	__u64 mm;			/* whose they were: another after an exec */
	__u64 alloc_pages, free_pages;	/* not told yet */
	__u32 held;
	__u32 ended;
};

/* On its first thread. */
struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct process);
} processes SEC(".maps");

/* CPU time */

static __always_inline __u64 thread_cpu_ns(struct task_struct *task, __u64 now)
{
	const struct proc_stamp *stamp = &stamps[task_cpu(task) & (COUNTED_CPUS - 1)];
	__u64 ran = BPF_CORE_READ(task, se.sum_exec_runtime), with_now;

	if (stamp->tid != (__u32)BPF_CORE_READ(task, pid) || stamp->ts > now)
		return ran;
	with_now = stamp->ran + now - stamp->ts;
	return with_now > ran ? with_now : ran;
}

/*
 * Of a process that ends: of the threads that are gone, and of those that are about to. PROC_UNKNOWN: they are
 * too many. (Functions that are not static are verified once, however often they are called, and take numbers.)
 */
__noinline __u64 process_cpu_ns(__u64 of, __u64 now)
{
	struct signal_struct *signal = (void *)of;
	struct task_struct *task;
	struct list_head *head = (void *)signal + bpf_core_field_offset(signal->thread_head);
	struct list_head *at = BPF_CORE_READ(head, next);
	__u64 sum = BPF_CORE_READ(signal, sum_sched_runtime);

	for (int i = 0; i < PROC_THREADS; i++) {
		if (!at || at == head)
			return sum;
		task = (void *)at - bpf_core_field_offset(task->thread_node);
		sum += thread_cpu_ns(task, now);
		at = BPF_CORE_READ(at, next);
	}
	return PROC_UNKNOWN;
}

/* Memory */

/* Any per-CPU values, to see where those of a CPU are. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} anchor SEC(".maps");

/* An address as a number: the verifier has numbers only in what comes from memory. */
static __always_inline __u64 number_of(void *address)
{
	static void *volatile memory;

	memory = address;
	return (__u64)memory;
}

static __always_inline void find_cpus(void)
{
	__u32 zero = 0;
	__u64 base;

	if (!bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_map_lookup_percpu_elem) ||
	    bpf_probe_read_kernel(&base, sizeof base,
				  (void *)(number_of(&anchor) + bpf_core_field_offset(struct bpf_array, pptrs))))
		return;
	for (__u32 cpu = 0; cpu < COUNTED_CPUS && cpu < cpus; cpu++) {
		void *at = bpf_map_lookup_percpu_elem(&anchor, &zero, cpu);

		if (at)
			cpu_offsets[cpu] = number_of(at) - base;
	}
}

/* The sum of a counter: without offsets, what CPUs hold back (some 128 KiB each) is not in it. */
static __always_inline __s64 pages_of(__u64 where)
{
	const struct percpu_counter *at = (void *)where;
	__s64 pages = BPF_CORE_READ(at, count);
	void *held_back = BPF_CORE_READ(at, counters);

	for (__u32 cpu = 0; cpu < COUNTED_CPUS && cpu < cpus; cpu++) {
		__s32 held;

		if (cpu_offsets[cpu] && !bpf_probe_read_kernel(&held, sizeof held, held_back + cpu_offsets[cpu]))
			pages += held;
	}
	return pages < 0 ? 0 : pages;
}

/* Files, anonymous, and shared memory; the counter between is of what is swapped out. */
__noinline __u64 rss_bytes(__u64 at)
{
	struct mm_struct *mm = (void *)at;
	__s64 pages = 0;

	if (!at)
		return PROC_UNKNOWN;
	if (bpf_core_type_exists(struct mm_rss_stat)) {
		struct mm_struct___whole *whole = (void *)at;

		pages = BPF_CORE_READ(whole, rss_stat.count[0].counter) +
			BPF_CORE_READ(whole, rss_stat.count[1].counter) +
			BPF_CORE_READ(whole, rss_stat.count[3].counter);
		return pages < 0 ? 0 : (__u64)pages * page_bytes;
	}
	at += bpf_core_field_offset(mm->rss_stat);
	for (int i = 0; i < 4; i++)
		if (i != 2)
			pages += pages_of(at + (__u64)i * bpf_core_type_size(struct percpu_counter));
	return (__u64)pages * page_bytes;
}

static __always_inline struct process *process_of(struct task_struct *task)
{
	return bpf_task_storage_get(&processes, task->group_leader, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
}

/* Of the process that TASK leads. */
static __always_inline struct proc_program program_of(struct task_struct *leader)
{
	return (struct proc_program){ leader->start_time, leader->self_exec_id };
}

/* Tells WHAT, as KIND. */
static __always_inline void tell_now(struct task_struct *task, __u64 ts, __u8 kind, __u8 role, bool asked,
				     const struct proc_now *what)
{
	struct proc_now *event = event_reserve(sizeof *event);

	if (!event)
		return;
	*event = *what;
	event_of(&event->event, task, ts, kind, role, asked);
	event->program = program_of(task->group_leader);
	event_submit(event);
}

static __always_inline void tell_rss(struct task_struct *task, struct process *process, __u64 bytes, __u64 now,
				     __u8 role, bool asked)
{
	struct proc_now what = { .cpu_ns = PROC_UNKNOWN, .rss_bytes = bytes };

	process->rss_ts = now;
	process->rss_bytes = bytes;
	process->held = 0;
	tell_now(task, now, PROC_RSS, role, asked, &what);
}

/* Called for nearly each page that a process gets or gives back. */
SEC("tp_btf/rss_stat")
int BPF_PROG(on_rss, struct mm_struct *mm, int member)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u64 now = bpf_ktime_get_ns(), bytes;
	struct process *process;
	__u8 role;
	bool asked;

	run_begins();
	/* What others do to its memory shows with the next change of its own. */
	if (task->mm != mm || !(process = process_of(task)))
		return 0;
	/* A program that an exec brought is told of at once: what was told last is not its own. */
	if (process->mm != (__u64)mm)
		process->mm = (__u64)mm;
	else if (now - process->rss_ts < rss_interval_ns) {
		process->held = rss_held = 1;
		return 0;
	}
	if (!task_is_wanted(task, &role, &asked)) {
		process->rss_ts = now;
		return 0;
	}
	bytes = rss_bytes((__u64)BPF_CORE_READ(task, mm));
	if (bytes != process->rss_bytes)
		tell_rss(task, process, bytes, now, role, asked);
	return 0;
}

/* In interrupts too, pages are those of the process that was interrupted, as tracers tell them. */
static __always_inline void count_pages(__u32 order, bool taken)
{
	struct process *process = process_of(bpf_get_current_task_btf());

	if (process)
		__sync_fetch_and_add(taken ? &process->alloc_pages : &process->free_pages, 1ull << (order & 63));
}

SEC("tp_btf/mm_page_alloc")
int BPF_PROG(on_page_alloc, struct page *page, unsigned int order)
{
	run_begins();
	if (page)
		count_pages(order, true);
	return 0;
}

SEC("tp_btf/mm_page_free")
int BPF_PROG(on_page_free, struct page *page, unsigned int order)
{
	run_begins();
	count_pages(order, false);
	return 0;
}

static __always_inline bool take_pages(struct process *process, struct proc_now *now)
{
	now->alloc_pages = __sync_lock_test_and_set(&process->alloc_pages, 0);
	now->free_pages = __sync_lock_test_and_set(&process->free_pages, 0);
	return now->alloc_pages || now->free_pages;
}

/* The last of a process, once its memory is gone: by the thread that ends last, when it leaves its CPU for good. */
static __always_inline void tell_last_pages(struct task_struct *task)
{
	struct task_struct *leader = task->group_leader;
	struct proc_now what = { .cpu_ns = PROC_UNKNOWN, .rss_bytes = PROC_UNKNOWN };
	struct process *process;
	__u8 role;
	bool asked;

	if (BPF_CORE_READ(task, signal, live.counter) || !task_is_wanted(leader, &role, &asked))
		return;
	process = bpf_task_storage_get(&processes, leader, NULL, 0);
	if (process && take_pages(process, &what))
		tell_now(leader, bpf_ktime_get_ns(), PROC_PAGES, role, asked, &what);
}

/* Life */

/* The kernel's own sum lags behind by up to a tick: what a thread that runs has had since is added here. */
SEC("tp_btf/sched_switch")
int BPF_PROG(on_switch, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	struct proc_stamp *stamp = &stamps[bpf_get_smp_processor_id() & (COUNTED_CPUS - 1)];

	run_begins();
	stamp->tid = (__u32)next->pid;
	stamp->ran = next->se.sum_exec_runtime;
	stamp->ts = bpf_ktime_get_ns();
	if (pages_told && prev->exit_state)
		tell_last_pages(prev);
	return 0;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child)
{
	struct proc_fork *event;
	__u8 role;
	bool asked;

	run_begins();
	if (!task_is_wanted(parent, &role, &asked))
		return 0;
	event = event_reserve(sizeof *event);
	if (!event)
		return 0;
	event_of(&event->event, parent, bpf_ktime_get_ns(), PROC_FORK, role, asked);
	event->parent = program_of(parent->group_leader);
	event->child = program_of(child);
	event->pid = (__u32)child->tgid;
	event->tid = (__u32)child->pid;
	bpf_probe_read_kernel(event->comm, COMM, child->comm);
	event_submit(event);
	return 0;
}

/* Too large for the stack: one for each program that makes them, as one may come while the other is under way. */
struct exec {
	struct proc_exec head;
	char text[PROC_PATH + PROC_ARGV + PROC_ARG];
};
enum { EXEC_DONE, EXEC_FAILED, EXECS };

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, EXECS);
	__type(key, __u32);
	__type(value, struct exec);
} execs SEC(".maps");

static __always_inline struct exec *exec_of(struct task_struct *task, __u32 slot, __u32 error)
{
	struct exec *exec;
	__u8 role;
	bool asked;

	if (!task_is_wanted(task, &role, &asked))
		return NULL;
	exec = bpf_map_lookup_elem(&execs, &slot);
	if (!exec)
		return NULL;
	event_of(&exec->head.event, task, bpf_ktime_get_ns(), PROC_EXEC, role, asked);
	exec->head.program = program_of(task->group_leader);
	exec->head.error = error;
	exec->head.truncated = 0;
	return exec;
}

static __always_inline __u32 bounded(__s64 n, __u32 max)
{
	return n < 0 ? 0 : n > max ? max : (__u32)n;
}

static __always_inline void tell_exec(struct exec *exec)
{
	event_output(exec, sizeof exec->head + bounded(exec->head.path_bytes, PROC_PATH) +
		     bounded(exec->head.argv_bytes, PROC_ARGV));
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *task, int old_pid, struct linux_binprm *program)
{
	struct exec *exec = exec_of(task, EXEC_DONE, 0);
	struct mm_struct *mm = task->mm;
	__u32 path, argv;

	run_begins();
	if (!exec || !mm)
		return 0;
	path = bounded(bpf_probe_read_kernel_str(exec->text, PROC_PATH, program->filename), PROC_PATH);
	argv = bounded((__s64)(mm->arg_end - mm->arg_start), PROC_ARGV);
	exec->head.truncated = mm->arg_end - mm->arg_start > PROC_ARGV;
	if (bpf_probe_read_user(exec->text + path, argv, (void *)mm->arg_start)) {
		exec->head.truncated = 1;
		argv = 0;
	}
	exec->head.path_bytes = path;
	exec->head.argv_bytes = argv;
	tell_exec(exec);
	return 0;
}

/*
 * The arguments of an exec that failed, behind the path, by the pointers at ARGV. Where they go is kept in memory:
 * so the verifier finds every round of the loop to be like the one before.
 */
static __always_inline void gather_arguments(struct exec *exec, __u64 argv)
{
	volatile __u32 *path = &exec->head.path_bytes, *used = &exec->head.argv_bytes;

	for (int i = 0; i < PROC_ARGS; i++) {
		__u64 argument = 0;
		__u32 at = *path + *used;
		__s64 n;

		if (bpf_probe_read_user(&argument, sizeof argument, (void *)(argv + (__u64)i * sizeof argument)) ||
		    !argument)
			return;
		if (at >= PROC_PATH + PROC_ARGV || *used >= PROC_ARGV)
			break;
		n = read_user_text(exec->text + at, PROC_ARG, (void *)argument);
		if (n == PROC_ARG)
			exec->head.truncated = 1;
		if (n > 0)
			*used += (__u32)n;
	}
	exec->head.truncated = 1;
	if (*used > PROC_ARGV)
		*used = PROC_ARGV;
}

/* Programs of 32 bits on a kernel of 64 have other numbers and pointers. */
static __always_inline bool is_narrow(struct pt_regs *regs)
{
	if (bpf_core_field_exists(regs->cs))
		return BPF_CORE_READ(regs, cs) == 0x23;
	return bpf_core_field_exists(regs->pstate) && (BPF_CORE_READ(regs, pstate) & 0x10);
}

/* Most calls do not fail, and end here at once; only so is an exec that failed seen on all kernels. */
SEC("tp_btf/sys_exit")
int BPF_PROG(on_call_failed, struct pt_regs *regs, long ret)
{
	__u64 arguments[3];
	struct exec *exec;
	__u32 nr;
	bool at;

	run_begins();
	if (ret >= 0 || ret < -4095)
		return 0;
	if (bpf_core_field_exists(regs->orig_ax)) {
		nr = (__u32)BPF_CORE_READ(regs, orig_ax);
		arguments[0] = BPF_CORE_READ(regs, di);
		arguments[1] = BPF_CORE_READ(regs, si);
		arguments[2] = BPF_CORE_READ(regs, dx);
	} else if (bpf_core_field_exists(regs->syscallno)) {
		nr = (__u32)BPF_CORE_READ(regs, syscallno);
		arguments[0] = BPF_CORE_READ(regs, orig_x0);
		arguments[1] = BPF_CORE_READ(regs, regs[1]);
		arguments[2] = BPF_CORE_READ(regs, regs[2]);
	} else {
		return 0;
	}
	at = nr == execveat_nr;
	if ((nr != execve_nr && !at) || is_narrow(regs))
		return 0;
	exec = exec_of(bpf_get_current_task_btf(), EXEC_FAILED, (__u32)-ret);
	if (!exec)
		return 0;
	exec->head.path_bytes = bounded(read_user_text(exec->text, PROC_PATH, (void *)arguments[at ? 1 : 0]),
					PROC_PATH);
	exec->head.argv_bytes = 0;
	gather_arguments(exec, arguments[at ? 2 : 1]);
	tell_exec(exec);
	return 0;
}

enum { GROUP_EXITS = 4 };	/* SIGNAL_GROUP_EXIT of include/linux/sched/signal.h */

SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_exit, struct task_struct *task)
{
	struct signal_struct *signal = task->signal;
	struct process *process = process_of(task);
	__u64 now = bpf_ktime_get_ns();
	struct proc_exit *event;
	__u8 role;
	bool asked, last;

	run_begins();
	/* Of threads that end at once, several may find that none lives any more: one tells the process' end. */
	last = signal->live.counter == 0 && process && !__sync_lock_test_and_set(&process->ended, 1);
	if (!task_is_wanted(task, &role, &asked))
		return 0;
	if (last && process->held && task->mm) {
		__u64 bytes = rss_bytes((__u64)BPF_CORE_READ(task, mm));

		if (bytes != process->rss_bytes)
			tell_rss(task, process, bytes, now, role, asked);
	}
	event = event_reserve(sizeof *event);
	if (!event)
		return 0;
	event_of(&event->event, task, now, PROC_EXIT, role, asked);
	event->dur_ns = now - task->start_time;
	event->cpu_ns = thread_cpu_ns(task, now);
	event->status = (__u32)task->exit_code;
	event->program = program_of(task->group_leader);
	event->last = last;
	event->process_ns = now - event->program.born;
	event->process_cpu_ns = event->maxrss_bytes = PROC_UNKNOWN;
	if (last) {
		event->status = (__u32)(signal->flags & GROUP_EXITS ? signal->group_exit_code :
					task->group_leader->exit_code);
		event->process_cpu_ns = process_cpu_ns((__u64)BPF_CORE_READ(task, signal), now);
		event->maxrss_bytes = signal->maxrss * page_bytes;
	}
	event_submit(event);
	return 0;
}

/* Whether the iterator tells of the process that TASK leads, and what it has to say then. */
static __always_inline bool tells_process(struct task_struct *task, __u32 what, struct proc_now *now)
{
	struct process *process = bpf_task_storage_get(&processes, task, NULL, 0);

	if (what == TELL_PAGES)
		return process && take_pages(process, now);
	if ((process && process->ended) || BPF_CORE_READ(task, signal, live.counter) == 0)
		return false;
	now->rss_bytes = rss_bytes((__u64)BPF_CORE_READ(task, mm));
	if (what != TELL_HELD)
		return true;
	if (!process || !process->held)
		return false;
	process->held = 0;
	if (process->rss_bytes == now->rss_bytes)
		return false;
	process->rss_ts = now->event.ts;
	process->rss_bytes = now->rss_bytes;
	return true;
}

/* Once at the start, then again and again: what `telling` asks for. */
SEC("iter/task")
int tell_processes(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct proc_now now = { 0 };
	__u32 what = telling;
	__u8 role;
	bool asked, leads;

	if (!cpu_offsets[0])
		find_cpus();
	if (!task)
		return 0;
	leads = task->pid == task->tgid;
	if (!leads && what != TELL_USAGE)
		return 0;
	if (!task_is_wanted(task, &role, &asked) && what != TELL_PRESENT)
		return 0;
	event_of(&now.event, task, bpf_ktime_get_ns(), (__u8)what, role, asked);
	now.event.cpu = task_cpu(task);
	now.cpu_ns = thread_cpu_ns(task, now.event.ts);
	if (leads) {
		if (!tells_process(task, what, &now))
			return 0;
		now.cpu_ns += BPF_CORE_READ(task, signal, sum_sched_runtime);
		now.program = program_of(task);
	}
	bpf_seq_write(ctx->meta->seq, &now, sizeof now);
	return 0;
}
