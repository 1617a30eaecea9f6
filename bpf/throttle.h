/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
/*
 * How long of a thread's wait a CPU quota of its cgroup (cpu.max, cpu.cfs_quota_us) held it back.
 *
 * No event of the kernel tells it. But each group has on each CPU a clock that runs while its threads are held
 * back there, so what it went on from the begin of a wait to its end is the answer:
 *
 *  - From 6.18 a thread is taken from the queue one by one, when it returns to user space (task->throttled);
 *    one that is in the queue can be chosen, be its group out of quota or not. Then only a wait that begins so
 *    counts, until the group has quota again.
 *  - Before, all of a group's queue is taken out at once, in the midst of a wait too: that is taken for the end of
 *    the wait, as a thread is chosen soon after its group has quota again. Several times in one wait are told as one.
 *    Of a thread that goes to another CPU while it waits, the clock of the one that it left is told.
 *
 * The clock is that of the run queue; from 5.19 to 6.5 it is that of load tracking, which goes slower on a CPU
 * below its full capacity or frequency, so that there it is at least so long; before, it leaves out interrupts.
 */
#ifndef WEIR_BPF_THROTTLE_H
#define WEIR_BPF_THROTTLE_H

struct throttle {
	__u64 since;		/* when the wait began */
	__u64 queue;		/* the group's queue that the thread was in; 0: no quota holds it back */
	__u64 total, part;	/* of the queue's clock then: throttles that were over, and the one under way */
	__u64 cgroup;		/* id of the one that had no quota left; 0: not known */
	bool held;		/* from the begin on; else at the end, if at all */
};

enum { THROTTLE_LEVELS = 16 };	/* of cgroups */

static __always_inline __u64 throttle_total(struct cfs_rq *queue)
{
	struct cfs_rq___task *old = (struct cfs_rq___task *)queue;

	if (bpf_core_field_exists(queue->throttled_clock_self_time))
		return BPF_CORE_READ(queue, throttled_clock_self_time);
	if (bpf_core_field_exists(queue->throttled_clock_pelt_time))
		return BPF_CORE_READ(queue, throttled_clock_pelt_time);
	return BPF_CORE_READ(old, throttled_clock_task_time);
}

static __always_inline __u64 throttle_part(struct cfs_rq *queue)
{
	struct cfs_rq___task *old = (struct cfs_rq___task *)queue;
	struct rq *rq = BPF_CORE_READ(queue, rq);
	__u64 now, since;

	if (bpf_core_field_exists(queue->throttled_clock_self_time)) {
		now = BPF_CORE_READ(rq, clock);
		since = BPF_CORE_READ(queue, throttled_clock_self);
	} else if (bpf_core_field_exists(queue->throttled_clock_pelt_time)) {
		now = BPF_CORE_READ(rq, clock_pelt) - BPF_CORE_READ(rq, lost_idle_time);
		since = BPF_CORE_READ(queue, throttled_clock_pelt);
	} else {
		now = BPF_CORE_READ(rq, clock_task);
		since = BPF_CORE_READ(old, throttled_clock_task);
	}
	return since && (__s64)(now - since) > 0 ? now - since : 0;
}

/* The nearest group that has no quota left on the CPU; 0 when it cannot be told. */
static __always_inline __u64 throttle_cgroup(struct task_struct *task)
{
	struct task_group *group = BPF_CORE_READ(task, sched_task_group);
	__u32 cpu = task_cpu(task);

	for (int level = 0; level < THROTTLE_LEVELS && group; level++) {
		struct cfs_rq **queues = BPF_CORE_READ(group, cfs_rq), *queue = NULL;

		bpf_probe_read_kernel(&queue, sizeof queue, queues + cpu);
		if (queue && BPF_CORE_READ_BITFIELD_PROBED(queue, throttled))
			return BPF_CORE_READ(group, css.cgroup, kn, id);
		group = BPF_CORE_READ(group, parent);
	}
	return 0;
}

/* Whether a wait that begins now may be one of those. Groups without a quota are found out later. */
static __always_inline bool throttle_may_hold(struct task_struct *task)
{
	if (!bpf_core_field_exists(((struct cfs_rq *)0)->throttle_count))
		return false;	/* this kernel knows no quotas */
	if (bpf_core_field_exists(task->throttled))
		return BPF_CORE_READ(task, throttled);
	return BPF_CORE_READ(task, se.parent) != NULL;	/* those of the root group have none */
}

static __always_inline void throttle_begins(struct throttle *throttle, struct task_struct *task, __u64 ts)
{
	struct cfs_rq *queue = BPF_CORE_READ(task, se.cfs_rq);

	*throttle = (struct throttle){ .since = ts, .queue = (__u64)queue };
	throttle->total = throttle_total(queue);
	throttle->held = BPF_CORE_READ(queue, throttle_count) > 0;
	if (throttle->held) {
		throttle->part = throttle_part(queue);
		throttle->cgroup = throttle_cgroup(task);
	}
}

/* How much of the time from its begin to TS. */
static __always_inline __u64 throttle_took(const struct throttle *throttle, __u64 ts)
{
	__u64 all = ts - throttle->since, total, took;

	if (!throttle->queue || !bpf_core_field_exists(((struct cfs_rq *)0)->throttle_count))
		return 0;
	total = throttle_total((struct cfs_rq *)throttle->queue);
	if (total == throttle->total)
		return throttle->held ? all : 0;	/* it goes on */
	took = total - throttle->total - throttle->part;
	return (__s64)took <= 0 ? 0 : took < all ? took : all;
}

#endif
