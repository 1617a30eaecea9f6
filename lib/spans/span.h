/* SPDX-License-Identifier: MIT */
/*
 * Writing spans (records(5)): one function for each kind, so that whatever makes them, a collector or
 * the spans filter, writes the same fields in the same order. Texts are in their escaped form; an empty
 * one, and a number below 0, is not known and left out. Times and durations are nanoseconds.
 */
#ifndef WEIR_SPAN_H
#define WEIR_SPAN_H

#include "base/slice.h"
#include "records/writer.h"

/* Whose span it is, and when it ended. */
struct span {
	int64_t ts;
	int64_t cpu;
	int64_t pid, tid;
	struct slice comm;
	struct slice who;	/* the fields pid, tid and comm, where they have been put together: span_who() */
	int64_t dur_ns;
	bool unfinished;	/* it had not ended when the input did */
	bool clipped;		/* it had begun before the recording did, from where it is counted */
	struct slice role;	/* job, background; empty: nobody asks */
};

/*
 * Writes the fields pid, tid and comm as spans have them at TO, which has SPAN_WHO bytes besides those of COMM.
 * How many there are. A thread has many spans with the same.
 */
enum { SPAN_WHO = 64 };
size_t span_who(char *to, int64_t pid, int64_t tid, struct slice comm);

/* A thread that a span names besides its own. */
struct span_other {
	int64_t tid;		/* -1: none is known */
	struct slice comm;
};

/* What is told of a system call. */
struct span_call {
	struct slice name;
	int64_t id;		/* its number, when its name is not known */
	struct slice ret;
	int64_t fd;
	struct slice path;
	int64_t bytes;
	struct slice error;	/* ENOENT ... */
	const uint64_t *arguments;	/* SPAN_ARGUMENTS of them; NULL: nobody asks */
};
enum { SPAN_ARGUMENTS = 6 };

void span_oncpu(struct writer *out, const struct span *span, struct slice why, struct span_other next);
/* How long of a wait a CPU quota held the thread back, since when, and that of which cgroup. */
struct span_throttled {
	int64_t ns;		/* 0: it did not */
	int64_t after_ns;	/* from so long after the wait's begin on */
	struct slice cgroup;
};

void span_runq(struct writer *out, const struct span *span, struct slice why, struct span_other by,
	       struct span_throttled throttled);
/*
 * WAKER_IRQ: an interrupt handler did it, on top of the waker. STACK: the fields that tell where it slept
 * (callstack_fields()), or empty.
 */
void span_blocked(struct writer *out, const struct span *span, char state, struct span_other waker,
		  bool waker_irq, struct slice stack);
void span_syscall(struct writer *out, const struct span *span, const struct span_call *call);
void span_irq(struct writer *out, const struct span *span, int64_t irq, struct slice name,
	      struct slice ret);
/* The vector is named by the kernel's table; the other function gives its number, -1 for no name of it. */
void span_softirq(struct writer *out, const struct span *span, int64_t vec);
int64_t span_softirq_vector(struct slice name);
/* What is told of a block request. */
struct span_block {
	struct slice dev;	/* 254:0 */
	uint64_t sector, bytes;
	struct slice op;	/* WS ... */
	int64_t queue_ns;
	struct slice error;	/* EIO ... */
};

void span_block(struct writer *out, const struct span *span, const struct span_block *block);
/* A sample: SPAN's duration is of no use. */
void span_cpu(struct writer *out, const struct span *span, struct slice stack);
void span_fork(struct writer *out, const struct span *parent, int64_t child_pid, struct span_other child);
/* What is told of a program that a thread starts. */
struct span_exec {
	struct slice path, argv;
	bool argv_truncated;
	struct slice error;	/* ENOENT ...: it does not start */
};

/*
 * What is told of the end of a thread: dur_ns of the span is its life. The fields from process_ns on are told
 * once for each process, with its last thread.
 */
struct span_exit {
	int64_t code, signal;	/* one of the two */
	int64_t cpu_ns;
	int64_t process_ns, process_cpu_ns, maxrss_bytes;
	struct slice path, argv;	/* of the program that the process ran last */
	bool argv_truncated;
};

void span_exec(struct writer *out, const struct span *span, const struct span_exec *exec);
void span_exit(struct writer *out, const struct span *span, const struct span_exit *exit);
/* What a process uses: CPU_NS since it was made. */
void span_rss(struct writer *out, const struct span *span, int64_t bytes);
void span_pages(struct writer *out, const struct span *span, int64_t alloc_pages, int64_t free_pages);
void span_usage(struct writer *out, const struct span *span, int64_t cpu_ns, int64_t rss_bytes);

/* The two ends of a connection, seen from the side whose span it is. */
struct span_ends {
	struct slice role;	/* client, server: who opened it */
	struct slice saddr, daddr;
	int64_t sport, dport;
};

/* What is told of an exchange; the HTTP fields where it is one and its bytes could be read. */
struct span_tcp {
	struct span_ends ends;
	int64_t ttfb_ns;
	int64_t tx_bytes, rx_bytes;
	struct slice method, path;
	int64_t status;
	struct slice stacks;	/* fields that tell where it was, or empty */
};

/* What is told of a connection's life. */
struct span_conn {
	struct span_ends ends;
	int64_t tx_bytes, rx_bytes;
	int64_t retransmits;
	int64_t rtt_ns;
	struct slice first_state, last_state;	/* ESTABLISHED ... */
};

/* The role of the span goes into `of`, as `role` is that of the connection. */
void span_tcp(struct writer *out, const struct span *span, const struct span_tcp *tcp);
void span_conn(struct writer *out, const struct span *span, const struct span_conn *conn);

#endif
