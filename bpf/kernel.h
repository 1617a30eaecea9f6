/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
/*
 * The few fields of kernel types that the programs here read. libbpf relocates them to where the running
 * kernel has them (CO-RE), so the order and the gaps of these declarations mean nothing.
 */
#ifndef WEIR_BPF_KERNEL_H
#define WEIR_BPF_KERNEL_H

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct page;
struct task_struct;

struct kernfs_node {
	__u64 id;			/* the inode number of the cgroup's directory */
};

struct cgroup;

struct cgroup_subsys_state {
	struct cgroup *cgroup;
	struct cgroup_subsys_state *parent;
};

struct cgroup {
	struct cgroup_subsys_state self;
	struct kernfs_node *kn;
};

struct css_set {
	struct cgroup_subsys_state *subsys[16];
	struct cgroup *dfl_cgrp;	/* that of the unified hierarchy, v2 */
};

struct thread_info {
	unsigned long flags;
	unsigned int status;		/* x86 */
	unsigned int cpu;
	__u64 preempt_count;		/* arm64: in its low half */
};

struct pcpu_hot {
	int preempt_count;		/* x86 */
};

struct list_head {
	struct list_head *next;
};

typedef struct {
	int counter;
} atomic_t;

typedef struct {
	__s64 counter;
} atomic_long_t;

struct percpu_counter {
	__s64 count;			/* what CPUs have added; each holds some back */
	__s32 *counters;		/* that, by CPU */
};

struct mm_struct {
	unsigned long arg_start, arg_end;
	struct percpu_counter rss_stat[4];
};

/* Before 6.2. */
struct mm_rss_stat {
	atomic_long_t count[4];
};

struct mm_struct___whole {
	struct mm_rss_stat rss_stat;
};

struct signal_struct {
	atomic_t live;
	struct list_head thread_head;
	int nr_threads;
	int group_exit_code;
	unsigned int flags;
	unsigned long maxrss;		/* pages; those of programs before, and of the last one when it ends */
	unsigned long long sum_sched_runtime;	/* of threads that are gone */
};

struct linux_binprm {
	const char *filename;
};

struct rq {
	__u64 clock, clock_task, clock_pelt;
	unsigned long lost_idle_time;
};

/* What of a group of threads wants one CPU. */
struct cfs_rq {
	struct rq *rq;
	int throttled;			/* the group's own quota is used up; a bit in newer kernels */
	int throttle_count;		/* or that of a group that it is in */
	__u64 throttled_clock_self, throttled_clock_self_time;
	__u64 throttled_clock_pelt, throttled_clock_pelt_time;
};

/* Before 5.19. */
struct cfs_rq___task {
	__u64 throttled_clock_task, throttled_clock_task_time;
};

struct task_group {
	struct cgroup_subsys_state css;
	struct cfs_rq **cfs_rq;		/* by CPU */
	struct task_group *parent;
};

struct pid_namespace;

/* The number of a process in one namespace; it has one in each, from the host's (level 0) down to its own. */
struct upid {
	int nr;
	struct pid_namespace *ns;
};

struct pid {
	unsigned int level;
	struct upid numbers[1];
};

struct sched_entity {
	__u64 sum_exec_runtime;
	struct sched_entity *parent;
	struct cfs_rq *cfs_rq;
};

struct task_struct {
	struct thread_info thread_info;
	unsigned int __state;
	int exit_state;
	int on_cpu;
	int prio;
	unsigned int flags;
	int pid;
	int tgid;
	int exit_code;
	__u64 start_time;
	struct sched_entity se;
	struct task_group *sched_task_group;
	bool throttled;			/* from 6.18 */
	struct mm_struct *mm;
	struct signal_struct *signal;
	struct list_head thread_node;	/* of signal->thread_head */
	struct task_struct *real_parent;
	struct task_struct *group_leader;
	struct pid *thread_pid;
	struct css_set *cgroups;
	__u64 self_exec_id;		/* grows with each exec */
	char comm[16];
};

/* The CPU, before 5.16. */
struct task_struct___cpu {
	unsigned int cpu;
};

/* Before 5.14 the state was a long of another name. */
struct task_struct___state {
	long state;
};

/* The registers of a thread in user space: which of the fields there is depends on the machine. */
struct pt_regs {
	unsigned long orig_ax;		/* x86: the system call, or -1 */
	unsigned long di, si, dx, r10, r8, r9, bx, cx, bp;
	unsigned long cs;
	int syscallno;			/* arm64 */
	unsigned long orig_x0, regs[31], pstate;
};

/* The map of that type; its values of CPU n are at pptrs[i] + the offset of n. */
struct bpf_array {
	void *pptrs[0];
};

/* Sockets of the internet. */
struct in6_addr {
	__u8 bytes[16];
};

struct sock_common {
	__u32 skc_daddr, skc_rcv_saddr;		/* in the order of the net */
	__u16 skc_dport, skc_num;		/* in that of the net; in the machine's own */
	__u16 skc_family;
	volatile unsigned char skc_state;
	struct in6_addr skc_v6_daddr, skc_v6_rcv_saddr;
};

typedef struct {
	int owned;			/* a thread works on the socket */
} socket_lock_t;

struct sock {
	struct sock_common __sk_common;
	socket_lock_t sk_lock;
	__u16 sk_protocol;
	__u8 sk_shutdown;
};

struct inet_bind_bucket {
	signed char fastreuse;		/* below 0: connect() chose the port */
};

struct inet_sock {
	__u16 inet_sport;		/* in the order of the net; stays when the port is given back */
};

struct inet_connection_sock {
	struct inet_bind_bucket *icsk_bind_hash;
};

struct tcp_sock {
	__u32 srtt_us;			/* eighths of a microsecond */
	__u32 total_retrans;
	__u32 write_seq, copied_seq;	/* grow by what was written and read */
};

struct sk_buff {
	struct sock *sk;
};

struct socket {
	struct sock *sk;
};

struct bpf_iter_meta {
	struct seq_file *seq;
	__u64 session_id;
	__u64 seq_num;
};

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	__u32 fd;
	struct file *file;
};

struct bpf_iter__bpf_sk_storage_map {
	struct bpf_iter_meta *meta;
	struct bpf_map *map;
	struct sock *sk;
	void *value;
};

#pragma clang attribute pop

/* include/linux/sched.h; the first eight are those that a tracer shows (TASK_REPORT). */
enum {
	STATE_RUNNING = 0x00, STATE_INTERRUPTIBLE = 0x01, STATE_UNINTERRUPTIBLE = 0x02,
	STATE_STOPPED = 0x04, STATE_TRACED = 0x08, STATE_EXIT_DEAD = 0x10, STATE_ZOMBIE = 0x20,
	STATE_PARKED = 0x40, STATE_DEAD = 0x80, STATE_NOLOAD = 0x400, STATE_REPORT = 0x7f,
};

/* include/net/tcp_states.h */
enum {
	TCP_ESTABLISHED = 1, TCP_SYN_SENT = 2, TCP_SYN_RECV = 3, TCP_FIN_WAIT1 = 4, TCP_CLOSE = 7,
	TCP_CLOSE_WAIT = 8, TCP_LISTEN = 10,
};

enum { PF_KTHREAD = 0x00200000 };	/* a thread of the kernel itself */

#endif
