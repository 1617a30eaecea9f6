/* SPDX-License-Identifier: MIT */
/*
 * The threads and CPUs of a trace: what is known of each while its scheduler events pass.
 *
 * A thread is running on a CPU, runnable, blocked, or unknown: its state is known from the first event
 * that tells it. A state that ends is a stretch; the stretches of a thread join without gap or overlap
 * for as long as it is known. What a thread did is not guessed at: where events contradict each other,
 * and where events may be missing, it becomes unknown again and the stretch under way is dropped.
 *
 * Loss on a CPU may hide what ran there, and wakeups of any thread. Only a thread that is known to be
 * running on another CPU is safe from it: no other CPU's events can change what it does. So from the
 * loss until its end is past, nothing is known of the CPU, and of no thread that is off the CPUs.
 * A loss costs O(1): threads find out when they are looked at.
 *
 * Times are nanoseconds. Thread 0 of each CPU is its idle thread: it is named, and has no stretches.
 */
#ifndef WEIR_THREADS_H
#define WEIR_THREADS_H

#include "base/label.h"
#include "spans/files.h"
#include "spans/handlers.h"
#include "spans/span.h"
#include "spans/syscalls.h"

enum {
	THREADS_MAX = 1 << 18,	/* remembered at a time; past that, those seen longest ago are forgotten */
	CPUS_MAX = 1 << 13,
};

enum thread_state { THREAD_UNKNOWN, THREAD_RUNNING, THREAD_RUNNABLE, THREAD_BLOCKED };

/* Why a thread is runnable; why it left the CPU. */
enum thread_why { WHY_PREEMPT, WHY_YIELD, WHY_WAKEUP, WHY_NEW, WHY_SLEEP, WHY_EXIT };

/*
 * A system call under way. The caller fills it when it enters; it is closed when the thread is forgotten.
 */
struct call {
	bool open;
	bool known;		/* the thread's calls are, since the trace began or a gap ended */
	bool no_exit;		/* its end is not traced */
	struct slice name;	/* kept, not copied: equal names are at equal addresses */
	int64_t id;		/* for calls that the tracer knows by number only; else -1 */
	int64_t since;

	/* What calls.h keeps of the arguments: */
	const struct syscall *syscall;
	int64_t fd;		/* the descriptor it is given; -1: none */
	bool came_later;	/* nothing was known to be there */
	int64_t argument;	/* of dup2 and its like the new descriptor, of fcntl the command, ... */
	uint64_t argument2;
	enum syscall_cloexec cloexec;
	uint64_t epoch, version;	/* of the processes when it began */
	struct text *path;	/* held: what it is told to work on */
	struct text *argv;	/* held: of exec */
	struct file *file;	/* held: what FD stood for */
};

struct thread {
	int64_t tid;
	int64_t pid;		/* -1: not known */
	struct process *process;	/* held; processes_at() makes it that of the pid */
	struct label comm;	/* empty: not known */
	struct {
		int64_t pid, tid;	/* of which it was made; */
		size_t len;		/* 0: it was not, of this comm */
		char text[SPAN_WHO + LABEL_BYTES];
	} who;
	struct cpu *on;		/* the CPU whose current thread this is */
	int32_t cpu;		/* where it is, or was last; -1: not known */

	enum thread_state state;
	enum thread_why why;	/* runnable: why */
	char letter;		/* blocked: S D T t P I ... */
	bool presumed;		/* runnable because it was woken; it might have been running */
	bool exiting;		/* its sched_process_exit has passed */
	uint32_t losses;	/* that there were when the state was entered */
	int64_t since;

	struct text *stack;	/* held; blocked: where it sleeps, as fields of a record; NULL: not known */

	bool woken;		/* its wakeup is under way; by whom: */
	bool waker_irq;		/* an interrupt handler, on top of the thread named */
	int64_t waker_tid;	/* -1: not known */
	struct label waker_comm;

	int64_t born;		/* 0: its fork is not known, or not all that it did since */
	uint64_t cpu_ns;	/* of the stretches that ended */
	int64_t exit_code;	/* of the exit call it entered; -1: none */
	int64_t seen;
	struct call call;
};

struct cpu {
	int32_t number;
	struct thread *current;	/* NULL: not known */
	struct thread idle;
	int64_t gap_until;	/* events up to this time may be missing */
	struct handlers handlers;
};

/* A state that ended. Its thread has entered the next one already. */
struct stretch {
	enum thread_state state;	/* RUNNING, RUNNABLE or BLOCKED */
	enum thread_why why;		/* RUNNABLE: how it began; RUNNING: how it ended */
	char letter;			/* BLOCKED: the state */
	int32_t cpu;			/* RUNNING: the CPU; BLOCKED: which it left; RUNNABLE: which it gets */
	int64_t dur_ns;
};

struct threads {
	struct table *by_tid;
	struct processes *processes;
	struct cpu **cpus;
	size_t cpus_n;
	uint32_t losses;
	int64_t gap_until;		/* the last end of all gaps; of those that were on every CPU: */
	int64_t gap_everywhere;
	bool switches;			/* a switch has been seen */
	/* For the caller's report: */
	uint64_t contradictions;	/* events that do not follow from those before */
	uint64_t unwoken;		/* sleeps that ended without a wakeup */
	uint64_t forgotten;		/* threads, because there were too many */
};

struct threads *threads_new(void);
void threads_free(struct threads *threads);

/* The CPU, made when it is new; NULL when NUMBER is out of range. O(1). */
struct cpu *threads_cpu(struct threads *threads, int64_t number);

/*
 * The thread, made when it is new. Valid until threads_remove() or threads_rename() of it, or
 * until another one is made. O(1) amortized.
 */
struct thread *threads_at(struct threads *threads, int64_t tid, int64_t ts);
struct thread *threads_find(struct threads *threads, int64_t tid, int64_t ts);

/* What runs on the CPU, or NULL. */
struct thread *threads_current(struct threads *threads, struct cpu *cpu, int64_t ts);

/* The tracer says that the thread is on the CPU at this time. */
void threads_observe(struct threads *threads, struct cpu *cpu, struct thread *thread, int64_t ts);

/* Names a thread; a PID of -1 and an empty COMM leave what is known. */
void threads_name(struct thread *thread, int64_t pid, struct slice comm);

/* Its fields pid, tid and comm, for a span; valid as long as the thread is, and until the next call. */
struct slice threads_who(struct thread *thread);

/* The thread begins its life (fork): whatever was known under its number is of another one. */
struct thread *threads_born(struct threads *threads, int64_t tid, int64_t ts);

/* An exec gives the thread OLD_TID the number of its process. */
struct thread *threads_rename(struct threads *threads, int64_t old_tid, int64_t tid, int64_t ts);

/*
 * The two halves of a switch on a CPU, and a wakeup. Each is true when a stretch ended, and fills it.
 * LEAVES says why the thread leaves the CPU; LETTER is its state where that is WHY_SLEEP.
 * After WHY_EXIT the thread is still there: the caller removes it.
 */
bool threads_switch_out(struct threads *threads, struct cpu *cpu, struct thread *thread, int64_t ts,
			enum thread_why leaves, char letter, struct stretch *stretch);
bool threads_switch_in(struct threads *threads, struct cpu *cpu, struct thread *thread, int64_t ts,
		       struct stretch *stretch);
bool threads_wake(struct threads *threads, struct thread *thread, int64_t ts, bool is_new,
		  struct stretch *stretch);

/* The state that is under way, as a stretch that ends at TS. False when it is not known. */
bool threads_unfinished(const struct thread *thread, int64_t ts, struct stretch *stretch);

/* A system call may be opened now: its end will be seen, or the loss of it. */
bool threads_may_open(const struct threads *threads, const struct thread *thread, int64_t ts);

/* The call under way, if any, is over: drops what it holds. */
void threads_close_call(struct thread *thread);

/* Events of CPU (NULL: of any) may be missing up to the time UNTIL. */
void threads_lost(struct threads *threads, struct cpu *cpu, int64_t until);

void threads_remove(struct threads *threads, struct thread *thread);

/* All of them by tid; *N is how many; free() the array. O(n log n). */
struct thread **threads_all(struct threads *threads, int64_t ts, size_t *n);

#endif
