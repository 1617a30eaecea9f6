/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
/*
 * The kernel side that every collector shares: which threads are asked for (task_is_wanted), and the way to
 * user space (event_reserve, event_submit) with its losses counted. Programs that define no filter of their
 * own need nothing else. A collector's NAME.bpf.c includes this once.
 */
#ifndef WEIR_BPF_BPF_H
#define WEIR_BPF_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <stdbool.h>

#include "kernel.h"
#include "shared.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

/* In sections of their own, where user space finds them in any collector's object. */
const volatile struct settings settings SEC(".rodata.settings");
struct counter counters[COUNTED_CPUS] SEC(".data.counters");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 24);	/* user space sets it: --ring */
} ring SEC(".maps");

/* Name of a thread: whether it is asked for. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, NAMES_MAX);
	__type(key, char[COMM]);
	__type(value, __u8);
} names SEC(".maps");

/* Process id, as the collector's namespace numbers it: the role that its threads have at the start. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, __u8);
} marks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, __u8);
} roles SEC(".maps");

static __always_inline struct counter *counter_here(void)
{
	return &counters[bpf_get_smp_processor_id() & (COUNTED_CPUS - 1)];
}

/*
 * Each program begins with this: the kernel measures the first runs only (lib/live/bpfobject.h), and what all of them
 * took follows from their number. An interrupt may come between: it is an estimate.
 */
static __always_inline void run_begins(void)
{
	counter_here()->runs++;
}

/* An event could not be passed on. */
static __always_inline void event_lost(void)
{
	struct counter *counter = counter_here();
	__u64 now = bpf_ktime_get_ns();

	if (!counter->first_lost)
		counter->first_lost = now;
	counter->last_lost = now;
	/* Interrupts may come between: the count must be whole. */
	__sync_fetch_and_add(&counter->lost, 1);
}

/* Room for an event of SIZE bytes (a constant), or NULL: it is counted as lost. */
static __always_inline void *event_reserve(__u64 size)
{
	void *event = bpf_ringbuf_reserve(&ring, size, 0);

	if (!event)
		event_lost();
	return event;
}

/* Waking user space for each event would cost more than the event: it looks by itself 50 times a second. */
static __always_inline __u64 event_wakes(void)
{
	return bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA) >= settings.wake_bytes ?
		BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP;
}

static __always_inline void event_submit(void *event)
{
	__sync_fetch_and_add(&counter_here()->sent, 1);
	bpf_ringbuf_submit(event, event_wakes());
}

/* An event of a length that only the run tells: SIZE bytes at AT, copied. */
static __always_inline void event_output(void *at, __u64 size)
{
	if (bpf_ringbuf_output(&ring, at, size, event_wakes()))
		event_lost();
	else
		__sync_fetch_and_add(&counter_here()->sent, 1);
}

/* Whether a process takes the role of the one that made it; a thread always does. */
static __always_inline bool role_goes_on(__u8 role)
{
	return role == ROLE_READER || (role == ROLE_JOB && settings.children);
}

static __always_inline __u8 task_role(struct task_struct *task)
{
	__u8 *role;

	if (!settings.roles)
		return ROLE_NONE;
	role = bpf_task_storage_get(&roles, task, NULL, 0);
	return role ? *role : ROLE_NONE;
}

static __always_inline bool name_is_wanted(struct task_struct *task, bool *asked)
{
	__u8 *own, *leaders;
	char comm[COMM];

	bpf_probe_read_kernel(comm, sizeof comm, task->comm);
	own = bpf_map_lookup_elem(&names, comm);
	if (own && *own)
		return true;
	bpf_probe_read_kernel(comm, sizeof comm, task->group_leader->comm);
	leaders = bpf_map_lookup_elem(&names, comm);
	if (leaders && *leaders)
		return true;
	if (settings.names_by == NAMES_LISTED || (own && leaders))
		return false;
	return *asked = true;
}

static __always_inline bool cgroup_is_listed(struct cgroup *cgroup)
{
	__u64 id = BPF_CORE_READ(cgroup, kn, id);

	for (__u32 i = 0; i < CGROUPS_MAX; i++)
		if (i < settings.cgroups_n && settings.cgroups[i] == id)
			return true;
	return false;
}

/* Whether CGROUP or one that it lies in is listed: 16 levels, as deep as a container's lies, and more. */
static __always_inline bool cgroup_lies_in_listed(struct cgroup *cgroup)
{
	for (int level = 0; level < 16 && cgroup; level++) {
		struct cgroup_subsys_state *parent;

		if (cgroup_is_listed(cgroup))
			return true;
		parent = BPF_CORE_READ(cgroup, self.parent);
		cgroup = parent ? BPF_CORE_READ(parent, cgroup) : NULL;
	}
	return false;
}

/* settings.cgroups holds groups of the unified hierarchy, or of any of version 1: ids tell them apart. */
static __noinline bool cgroup_is_wanted(struct task_struct *task)
{
	struct css_set *set;

	if (!task)
		return false;
	set = BPF_CORE_READ(task, cgroups);
	if (cgroup_lies_in_listed(BPF_CORE_READ(set, dfl_cgrp)))
		return true;
	for (__u32 i = 0; i < 16; i++) {
		struct cgroup_subsys_state *css;

		if (i * sizeof css >= bpf_core_field_size(set->subsys))
			break;
		bpf_probe_read_kernel(&css, sizeof css,
				      (void *)set + bpf_core_field_offset(set->subsys) + i * sizeof css);
		if (css && cgroup_lies_in_listed(BPF_CORE_READ(css, cgroup)))
			return true;
	}
	return false;
}

/* What of the decision does not change in the life of a thread. The idle threads are never wanted. */
static __always_inline bool role_is_wanted(struct task_struct *task, __u8 role)
{
	return task->pid && role <= ROLE_JOB && (!settings.job_only || role == ROLE_JOB);
}

/* The rest of it: names and cgroups change. */
static __always_inline bool task_is_wanted_now(struct task_struct *task, bool *asked)
{
	*asked = false;
	if (settings.names_by != NAMES_ALL && !name_is_wanted(task, asked))
		return false;
	return !settings.cgroups_n || cgroup_is_wanted(task);
}

/* Whether events of the thread are asked for. Sets ROLE and ASKED of its events. */
static __always_inline bool task_is_wanted(struct task_struct *task, __u8 *role, bool *asked)
{
	*role = task_role(task);
	*asked = false;
	return role_is_wanted(task, *role) && task_is_wanted_now(task, asked);
}

/* The collector's PID namespace, and how deep it lies: 0 is the host's. Known from mark_tasks on. */
struct pid_namespace *own_pids;
__u32 own_level;

/* What PID is in the namespace at own_level. */
static __always_inline const struct upid *upid_here(const struct pid *pid)
{
	return (const void *)pid + bpf_core_field_offset(pid->numbers) + own_level * bpf_core_type_size(struct upid);
}

/* The process of TASK as the collector's namespace numbers it, which is what /proc has there; 0: not at all. */
static __always_inline __u32 process_here(struct task_struct *task)
{
	const struct pid *pid;

	if (!own_level)
		return (__u32)BPF_CORE_READ(task, tgid);
	pid = BPF_CORE_READ(task, group_leader, thread_pid);
	if (!pid || BPF_CORE_READ(pid, level) < own_level || BPF_CORE_READ(upid_here(pid), ns) != own_pids)
		return 0;
	return (__u32)BPF_CORE_READ(upid_here(pid), nr);
}

/* In a program that the collector has run. */
static __always_inline void learn_own_pids(void)
{
	struct pid *pid = BPF_CORE_READ(bpf_get_current_task_btf(), thread_pid);

	own_level = BPF_CORE_READ(pid, level);
	own_pids = BPF_CORE_READ(upid_here(pid), ns);
}

/* Where it runs, or did last. */
static __always_inline __u32 task_cpu(struct task_struct *task)
{
	if (bpf_core_field_exists(task->thread_info.cpu))
		return BPF_CORE_READ(task, thread_info.cpu);
	return BPF_CORE_READ((struct task_struct___cpu *)task, cpu);
}

/* As bpf_probe_read_user_str(), which on older kernels returns 0 for an empty text. */
static __always_inline long read_user_text(char *to, __u32 room, const void *from)
{
	long n = bpf_probe_read_user_str(to, room, from);

	if (n)
		return n;
	*to = '\0';
	return 1;
}

/* Fills the head of an event. */
static __always_inline void event_of(struct event *event, struct task_struct *task, __u64 ts, __u8 kind, __u8 role,
				     bool asked)
{
	event->ts = ts;
	event->cpu = bpf_get_smp_processor_id();
	event->pid = (__u32)task->tgid;
	event->tid = (__u32)task->pid;
	event->kind = kind;
	event->role = role;
	event->asked = asked;
	event->unused = 0;
	bpf_probe_read_kernel(event->comm, COMM, task->comm);
}

/* Loaded when settings.roles is set: a new thread takes the role of the one that made it. */
SEC("tp_btf/sched_process_fork")
int BPF_PROG(inherit_role, struct task_struct *parent, struct task_struct *child)
{
	__u8 role = task_role(parent);

	run_begins();
	if (role == ROLE_NONE || (parent->tgid != child->tgid && !role_goes_on(role)))
		return 0;
	bpf_task_storage_get(&roles, child, &role, BPF_LOCAL_STORAGE_GET_F_CREATE);
	return 0;
}

/* Run once at the start: gives the threads that are there the roles that `marks` has for their process. */
SEC("iter/task")
int mark_tasks(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task, *at = task;

	if (!task)
		return 0;
	if (!own_pids)
		learn_own_pids();
	for (int level = 0; level < ANCESTORS; level++) {
		__u32 tgid = (__u32)BPF_CORE_READ(at, tgid);
		__u32 here = process_here(at);
		__u8 *role = bpf_map_lookup_elem(&marks, &here);

		if (role && (level == 0 || role_goes_on(*role))) {
			bpf_task_storage_get(&roles, task, role, BPF_LOCAL_STORAGE_GET_F_CREATE);
			break;
		}
		if (tgid <= 1)
			break;
		at = BPF_CORE_READ(at, real_parent);
	}
	return 0;
}

#endif
