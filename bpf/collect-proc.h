/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
/* What the two sides of collect-proc tell each other. */
#ifndef WEIR_BPF_COLLECT_PROC_H
#define WEIR_BPF_COLLECT_PROC_H

#include "shared.h"

enum proc_kind { PROC_FORK, PROC_EXEC, PROC_EXIT, PROC_RSS, PROC_USAGE, PROC_PAGES, PROC_PRESENT };

/* What the iterator tells of processes; these are kinds of event. */
enum proc_telling { TELL_HELD = PROC_RSS, TELL_USAGE = PROC_USAGE, TELL_PAGES = PROC_PAGES, TELL_PRESENT = PROC_PRESENT };

enum {
	PROC_PATH = 4096,	/* bytes of a path, as many as the kernel takes */
	PROC_ARGV = 8192,	/* bytes of arguments, their NULs included */
	PROC_ARGS = 64,		/* arguments of an exec that failed */
	PROC_ARG = 2048,	/* bytes of one of them */
	PROC_THREADS = 128,	/* threads that may be under way to their end when their process ends */
};
#define PROC_UNKNOWN (~(__u64)0)

/* A process from an exec to the next, whatever becomes of its number; a fork keeps `execs`. */
struct proc_program {
	__u64 born;		/* when its process was made */
	__u64 execs;		/* of its first thread, and of that before it was forked */
};

struct proc_fork {
	struct event event;	/* of the thread that makes another one */
	struct proc_program parent, child;
	__u32 pid, tid;
	char comm[COMM];
};

/* Followed by the path, and its NUL, and the arguments, each with its NUL. */
struct proc_exec {
	struct event event;
	struct proc_program program;
	__u32 path_bytes, argv_bytes;
	__u32 error;		/* 0: the program runs */
	__u8 truncated;
	__u8 unused[3];
};

struct proc_exit {
	struct event event;
	__u64 dur_ns, cpu_ns;	/* of the thread */
	__u64 process_ns, process_cpu_ns, maxrss_bytes;
	struct proc_program program;
	__u32 status;		/* as waitpid(2) gives it */
	__u8 last;		/* the process ends: the fields of the process are set */
	__u8 unused[3];
};

/*
 * PROC_RSS and those that follow it. PROC_USAGE is told of each thread: cpu_ns is its own, that of the first one
 * includes those that are gone and comes with the process' memory. Pages are those since PROC_PAGES before.
 */
struct proc_now {
	struct event event;
	struct proc_program program;
	__u64 cpu_ns, rss_bytes;
	__u64 alloc_pages, free_pages;
};

/* Of one CPU, written there only; a cache line: when its thread got it, and the CPU time that it had had before. */
struct proc_stamp {
	__u64 ts, ran;
	__u32 tid;
	__u32 unused[11];
};

#ifndef __bpf__
_Static_assert(sizeof(struct proc_fork) == 96, "no holes");
_Static_assert(sizeof(struct proc_exec) == 72, "no holes");
_Static_assert(sizeof(struct proc_exit) == 104, "no holes");
_Static_assert(sizeof(struct proc_now) == 88, "no holes");
#endif

#endif
