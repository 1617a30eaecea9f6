// SPDX-License-Identifier: MIT
/* pkg-config: libbpf */
/*
 * collect-proc: the life of processes and threads, and what they use, live.
 *
 *	# collect-proc -- make | where ev=exit maxrss_bytes | list -f argv,code,process_ns,process_cpu_ns
 */
#include <bpf/libbpf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../bpf/collect-proc.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/message.h"
#include "base/table.h"
#include "live/collect.h"
#include "spans/programs.h"
#include "spans/syscalls.h"

#include "collect-proc.skel.h"

enum { ON_SWITCH, ON_RSS, ON_FORK, ON_EXEC, ON_CALL_FAILED, ON_PAGE_ALLOC, ON_PAGE_FREE };
static struct bpfobject_program programs[] = {
	[ON_SWITCH] = { .name = "on_switch", .gives = "CPU time of threads that run" },
	[ON_RSS] = { .name = "on_rss", .gives = "changes of memory" },
	[ON_FORK] = { .name = "on_fork", .gives = "processes and threads begin" },
	[ON_EXEC] = { .name = "on_exec", .gives = "programs start" },
	[ON_CALL_FAILED] = { .name = "on_call_failed", .gives = "programs that do not start" },
	[ON_PAGE_ALLOC] = { .name = "on_page_alloc", .gives = "pages of memory taken", .sums = true },
	[ON_PAGE_FREE] = { .name = "on_page_free", .gives = "pages of memory given back", .sums = true },
	{ .name = "on_exit", .gives = "threads and processes end" },
	{ .name = "tell_processes", .gives = "what processes use" },
	COLLECT_PROGRAMS,
	{ 0 },
};

struct proc {
	struct collect *collect;
	struct collect_proc *skeleton;
	struct writer *out;
	struct programs *programs;
	struct kinds {
		bool fork, exec, exit, rss;
	} wants;
	uint64_t usage_ns, usage_at;	/* how often, when next (monotonic); 0: not asked for */
	uint64_t pages_ns, pages_at, pages;	/* and how many have been told */
	uint64_t rss_ns, rss_at;
	struct table *usage;		/* by process: struct proc_now, while it is summed up */
	char *room;			/* for what is quoted */
};

static int64_t known(uint64_t value)
{
	return value == PROC_UNKNOWN ? -1 : (int64_t)value;
}

static void on_fork(struct proc *proc, const struct proc_fork *at, const struct span *span)
{
	struct label comm;

	if (at->pid == at->tid)
		programs_fork(proc->programs, at->event.pid, at->parent, at->pid, at->child);
	if (!proc->wants.fork)
		return;
	collect_name(&comm, at->comm);
	span_fork(proc->out, span, at->pid, (struct span_other){ at->tid, label_text(&comm) });
}

static void on_exec(struct proc *proc, const struct proc_exec *at, size_t size, const struct span *span)
{
	const char *text = (const char *)(at + 1);
	struct slice path = { text, at->path_bytes ? at->path_bytes - 1 : 0 };
	struct slice argv = { text + at->path_bytes, at->argv_bytes };
	struct span_exec exec = { .argv_truncated = at->truncated };

	if (size < sizeof *at + at->path_bytes + (size_t)at->argv_bytes)
		return;
	if (at->error) {
		exec.error = syscalls_error(at->error);
		exec.path = (struct slice){ proc->room, writer_escape(proc->room, path) };
		exec.argv.at = proc->room + exec.path.len;
		exec.argv.len = programs_quote(proc->room + exec.path.len, argv);
	} else {
		const struct running *running = programs_set(proc->programs, at->event.pid, at->program, path, argv,
							     at->truncated);

		exec.path = running->path;
		exec.argv = running->argv;
	}
	if (proc->wants.exec)
		span_exec(proc->out, span, &exec);
}

/* How long it lived, of NS since it was made: the command waited first to be let go. */
static uint64_t lived(const struct proc *proc, const struct event *event, uint64_t ns)
{
	uint64_t released = collect_released(proc->collect);
	bool waited = released && event->role == ROLE_JOB && event->ts >= released && event->ts - released < ns;

	return waited ? event->ts - released : ns;
}

static void on_exit_(struct proc *proc, const struct proc_exit *at, struct span *span)
{
	int64_t signal = at->status & 0x7f, code = at->status >> 8 & 0xff;
	struct span_exit exit = {
		.code = signal ? -1 : code,
		.signal = signal ? signal : -1,
		.cpu_ns = known(at->cpu_ns),
		.process_ns = -1,
		.process_cpu_ns = -1,
		.maxrss_bytes = -1,
	};

	span->dur_ns = (int64_t)lived(proc, &at->event, at->dur_ns);
	if (at->last) {
		const struct running *running = programs_find(proc->programs, at->event.pid, at->program);

		exit.process_ns = known(lived(proc, &at->event, at->process_ns));
		exit.process_cpu_ns = known(at->process_cpu_ns);
		exit.maxrss_bytes = known(at->maxrss_bytes);
		exit.path = running->path;
		exit.argv = running->argv;
		exit.argv_truncated = running->truncated;
	}
	if (proc->wants.exit)
		span_exit(proc->out, span, &exit);
	if (at->last)
		programs_end(proc->programs, at->event.pid);
}

static void on_pages(struct proc *proc, const struct proc_now *now, const struct span *span)
{
	proc->pages += now->alloc_pages + now->free_pages;
	span_pages(proc->out, span, (int64_t)now->alloc_pages, (int64_t)now->free_pages);
}

/* An interrupt may give back pages while the program counts one: too few to speak of, mostly. */
static void say_missed_pages(const struct proc *proc)
{
	uint64_t missed = bpfobject_missed_sums(collect_object(proc->collect));

	if (missed > proc->pages / 1000)
		message("%llu times, pages were taken or given back in interrupts and not counted", (unsigned long long)missed);
}

static void on_event(void *state, const struct event *event, size_t size, struct span *span)
{
	struct proc *proc = state;

	if (event->kind == PROC_FORK && size >= sizeof(struct proc_fork)) {
		on_fork(proc, (const struct proc_fork *)event, span);
	} else if (event->kind == PROC_EXEC && size >= sizeof(struct proc_exec)) {
		on_exec(proc, (const struct proc_exec *)event, size, span);
	} else if (event->kind == PROC_EXIT && size >= sizeof(struct proc_exit)) {
		on_exit_(proc, (const struct proc_exit *)event, span);
	} else if (size >= sizeof(struct proc_now)) {
		const struct proc_now *now = (const struct proc_now *)event;

		if (event->kind == PROC_RSS)
			span_rss(proc->out, span, known(now->rss_bytes));
		else if (event->kind == PROC_USAGE)
			span_usage(proc->out, span, known(now->cpu_ns), known(now->rss_bytes));
		else if (event->kind == PROC_PAGES)
			on_pages(proc, now, span);
	}
}

/* A thread's part in what its process uses. */
static void add_usage(struct proc *proc, const struct proc_now *thread)
{
	struct proc_now *process = table_at(proc->usage, thread->event.pid);
	uint64_t cpu_ns = process->cpu_ns + thread->cpu_ns;

	if (thread->event.tid == thread->event.pid)
		*process = *thread;
	process->cpu_ns = cpu_ns;
}

static void pass_usage(struct proc *proc)
{
	uint64_t *pids = table_keys(proc->usage);

	for (size_t i = 0, n = table_count(proc->usage); i < n; i++) {
		const struct proc_now *process = table_find(proc->usage, pids[i]);

		/* Without its first thread it has ended meanwhile. */
		if (process->event.pid)
			collect_add(proc->collect, &process->event, sizeof *process);
		table_remove(proc->usage, pids[i]);
	}
	free(pids);
}

/* A process that is there at the start, or what one uses now. */
static void on_process(void *state, const void *record)
{
	struct proc *proc = state;
	const struct proc_now *now = record;

	if (now->event.kind == PROC_PRESENT && !collect_host_pids(proc->collect))
		return;
	if (now->event.kind == PROC_PRESENT)
		programs_look(proc->programs, now->event.pid, now->program);
	else if (now->event.kind == PROC_USAGE)
		add_usage(proc, now);
	else
		collect_add(proc->collect, &now->event, sizeof *now);
}

static void tell(struct proc *proc, enum proc_telling what)
{
	proc->skeleton->bss->telling = what;
	bpfobject_iterate(collect_object(proc->collect), "tell_processes", sizeof(struct proc_now),
			  on_process, proc);
	if (what == TELL_USAGE)
		pass_usage(proc);
}

/* Whether what comes every INTERVAL (0: never) comes now; sets AT to when it does next. */
static bool is_due(uint64_t *at, uint64_t interval, uint64_t now)
{
	if (!interval || now < *at)
		return false;
	*at += (now - *at) / interval * interval + interval;
	return true;
}

static void on_time(void *state, int64_t ts)
{
	struct proc *proc = state;
	uint64_t now = clock_monotonic();

	(void)ts;
	if (is_due(&proc->usage_at, proc->usage_ns, now))
		tell(proc, TELL_USAGE);
	if (is_due(&proc->pages_at, proc->pages_ns, now))
		tell(proc, TELL_PAGES);
	if (proc->wants.rss && proc->skeleton->bss->rss_held && now >= proc->rss_at) {
		proc->skeleton->bss->rss_held = 0;
		tell(proc, TELL_HELD);
		proc->rss_at = now + proc->rss_ns;
	}
}

/* Which kinds of event LIST asks for; all when it is NULL. */
static struct kinds take_kinds(const char *list)
{
	struct kinds kinds = { true, true, true, true };
	char **names;

	if (!list)
		return kinds;
	kinds = (struct kinds){ 0 };
	names = options_split(list);
	for (char **name = names; *name; name++) {
		bool *kind = !strcmp(*name, "fork") ? &kinds.fork : !strcmp(*name, "exec") ? &kinds.exec :
			     !strcmp(*name, "exit") ? &kinds.exit : !strcmp(*name, "rss") ? &kinds.rss : NULL;

		if (!kind)
			message_usage("cannot record '%s': there are fork, exec, exit and rss", *name);
		*kind = true;
	}
	free(names);
	return kinds;
}

int main(int argc, char **argv)
{
	struct collect_options common = COLLECT_DEFAULTS;
	struct proc proc = { .rss_ns = 100000000 };
	const char *events = NULL;
	int status;
	const struct option options[] = {
		{ 'e', "events", "EV,...", "only these: fork, exec, exit, rss (default: all)", OPTION_TEXT,
		  .to = &events },
		{ 0, "usage", "TIME", "every TIME, write CPU time and memory of each process", OPTION_SECONDS,
		  .to = &proc.usage_ns, .min = 10000000 },
		{ 0, "pages", "TIME", "every TIME, write the pages that each process took and gave back", OPTION_SECONDS,
		  .to = &proc.pages_ns, .min = 10000000 },
		{ 0, "rss-interval", "TIME", "at most one rss record of a process every TIME (default 100ms)",
		  OPTION_SECONDS, .to = &proc.rss_ns },
		COLLECT_OPTIONS(common),
		{ 0 },
	};
	const struct program program = {
		.name = "collect-proc",
		.does = "record how processes and threads begin, what they run and use, and how they end",
		.operands = "[-- COMMAND [ARGUMENT...]]",
		.options = options,
		.examples = "  collect-proc -d 10 -e exec | list -f comm,pid,argv,errno\n"
			    "  collect-proc -- make | where ev=exit maxrss_bytes | list -f argv,code,maxrss_bytes\n",
	};

	(void)argc;
	common.command = options_parse(&program, argv);
	proc.wants = take_kinds(events);
	/* Command lines at the end of a process come from its exec. */
	programs[ON_RSS].off = !proc.wants.rss;
	programs[ON_CALL_FAILED].off = !proc.wants.exec;
	programs[ON_SWITCH].off = !proc.wants.exit && !proc.usage_ns && !proc.pages_ns;
	programs[ON_PAGE_ALLOC].off = programs[ON_PAGE_FREE].off = !proc.pages_ns;
	proc.skeleton = collect_proc__open();
	proc.collect = collect_new(&common, proc.skeleton ? proc.skeleton->skeleton : NULL, programs);
	proc.skeleton->rodata->rss_interval_ns = proc.rss_ns;
	proc.skeleton->rodata->pages_told = proc.pages_ns != 0;
	proc.skeleton->rodata->page_bytes = (uint64_t)sysconf(_SC_PAGESIZE);
	proc.skeleton->rodata->cpus = (uint32_t)libbpf_num_possible_cpus();
	proc.skeleton->rodata->execve_nr = SYS_execve;
	proc.skeleton->rodata->execveat_nr = SYS_execveat;
	proc.programs = programs_new();
	proc.usage = table_new(sizeof(struct proc_now));
	proc.room = memory_get(5 * (PROC_PATH + PROC_ARGV + PROC_ARG) + 8);
	collect_start(proc.collect);
	proc.out = collect_out(proc.collect);
	tell(&proc, TELL_PRESENT);
	proc.usage_at = collect_began(proc.collect) + proc.usage_ns;
	proc.pages_at = collect_began(proc.collect) + proc.pages_ns;
	collect_run(proc.collect, on_event, on_time, &proc);
	/* What has not been told of those that live on. */
	if (proc.wants.rss)
		tell(&proc, TELL_HELD);
	if (proc.usage_ns)
		tell(&proc, TELL_USAGE);
	if (proc.pages_ns) {
		tell(&proc, TELL_PAGES);
		say_missed_pages(&proc);
	}
	programs_free(proc.programs);
	table_free(proc.usage);
	free(proc.room);
	status = collect_end(proc.collect);
	free(proc.skeleton);
	return status;
}
