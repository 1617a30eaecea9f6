/* SPDX-License-Identifier: MIT */
/*
 * Running a collector: its BPF programs are opened, set, loaded and attached, the events that they send are
 * passed on in the order of time, and all is taken down again. What every collector has in common is here;
 * its own file holds its own options, the settings of its own programs and what becomes of an event.
 *
 *	struct collect_options common = COLLECT_DEFAULTS;
 *	const struct option options[] = { ..., COLLECT_OPTIONS(common), { 0 } };
 *	common.command = options_parse(&program, argv);
 *	skeleton = collect_sched__open();
 *	collect = collect_new(&common, skeleton ? skeleton->skeleton : NULL, programs);
 *	skeleton->rodata->... = ...;
 *	collect_start(collect);
 *	collect_run(collect, on_event, state);
 *	return collect_end(collect);
 *
 * The kernel's side of it is bpf/bpf.h. Needs root, or CAP_BPF and CAP_PERFMON and, for what it learns from
 * /proc about others' processes, CAP_SYS_PTRACE; all rights that are not needed any more are dropped by
 * collect_start().
 */
#ifndef WEIR_COLLECT_H
#define WEIR_COLLECT_H

#include "../bpf/shared.h"
#include "base/label.h"
#include "base/options.h"
#include "live/bpfobject.h"
#include "records/writer.h"
#include "spans/span.h"

struct collect_options {
	struct option_list processes, prefixes, regexes, pids, cgroups, containers;
	bool children, all, check;
	uint64_t threshold_ns;		/* for collectors that have -t */
	uint64_t duration_ns;		/* 0: until it is stopped */
	uint64_t ring_bytes;
	const char *output;
	char **command;			/* the operands: NULL-terminated, empty for none */
	uint64_t rights;		/* capabilities (PRIVILEGE()) that the collector needs while it runs */
};
#define COLLECT_DEFAULTS { .ring_bytes = 16 << 20 }

/* Entries of the table of options, the same for all collectors. */
#define COLLECT_OPTIONS(o) \
	{ 'p', "process", "NAME", "only threads of this name, or of a process of this name; may be repeated", \
	  OPTION_LIST, .to = &(o).processes }, \
	{ 0, "prefix", "TEXT", "as -p, names that begin with TEXT; may be repeated", OPTION_LIST, \
	  .to = &(o).prefixes }, \
	{ 0, "regex", "REGEX", "as -p, names that the extended REGEX matches; may be repeated", OPTION_LIST, \
	  .to = &(o).regexes }, \
	{ 'P', "pid", "PID", "only the process PID; may be repeated", OPTION_LIST, .to = &(o).pids }, \
	{ 0, "children", NULL, "with -P: and its descendants", OPTION_FLAG, .to = &(o).children }, \
	{ 0, "cgroup", "PATH", "only what runs in the cgroup at PATH; may be repeated", OPTION_LIST, \
	  .to = &(o).cgroups }, \
	{ 0, "container", "NAME", "only what runs in the container of this name or id; may be repeated", \
	  OPTION_LIST, .to = &(o).containers }, \
	{ 0, "all", NULL, "with -P or a command: keep the other processes too; role=job|background tells", \
	  OPTION_FLAG, .to = &(o).all }, \
	{ 'd', "duration", "TIME", "stop after TIME (a bare number is seconds)", OPTION_SECONDS, \
	  .to = &(o).duration_ns, .min = 1 }, \
	{ 'o', "output", "FILE", "write the records to FILE, and leave stdout to the command", OPTION_TEXT, \
	  .to = &(o).output }, \
	{ 0, "ring", "SIZE", "memory for events on their way from the kernel (default 16M)", OPTION_SIZE, \
	  .to = &(o).ring_bytes, .min = 4096, .max = 1 << 30 }, \
	{ 0, "check", NULL, "say what the kernel offers and lacks for this program, and end", OPTION_FLAG, \
	  .to = &(o).check }

/* -t, for collectors of things that last. */
#define COLLECT_THRESHOLD(o) \
	{ 't', "threshold", "TIME", "only what lasts TIME or longer (a bare number is milliseconds)", \
	  OPTION_MILLISECONDS, .to = &(o).threshold_ns }

/* Entries for the programs of bpf/bpf.h, which are in every object. */
#define COLLECT_PROGRAMS \
	{ .name = "inherit_role", .gives = "new threads and processes of a job" }, \
	{ .name = "mark_tasks", .gives = "the processes of a job at the start" }

struct collect;

/*
 * Takes the options and what bpfobject_new() takes. Fills the settings that all programs share. With --check,
 * prints what is there and ends the program: status 0 when it can run, else 1.
 */
struct collect *collect_new(const struct collect_options *options, struct bpf_object_skeleton *skeleton,
			    struct bpfobject_program *programs);

/*
 * Loads, attaches, gives the roles, starts the command (stopped), drops rights. Ends the program with a
 * message when that fails. What needs the right to open others' files is opened before.
 */
void collect_start(struct collect *collect);

/* Its BPF programs, for what a collector does with them itself. */
struct bpfobject *collect_object(struct collect *collect);

/*
 * The collector has attached programs itself (perf events): DETACH is called once when no more events are wanted,
 * before the last ones are passed on.
 */
typedef void collect_detach(void *state);
void collect_attached(struct collect *collect, collect_detach *detach, void *state);

/*
 * Passes events on until the time is over, the command has ended, or SIGINT or SIGTERM came. EVENT is
 * valid during the call only; SPAN is filled from it but for its duration; its `ts` is in the clock of
 * records. An event that is more than 20 ms late with respect to others comes out of order; that is said.
 * EVERY (NULL: none) is called at least 20 times a second, and once when all events are out.
 */
typedef void collect_event(void *state, const struct event *event, size_t size, struct span *span);
typedef void collect_every(void *state, int64_t ts);
void collect_run(struct collect *collect, collect_event *event, collect_every *every, void *state);

/* Writes what was lost, closes the output, says the last line, frees all, the lists of options too. The exit status. */
int collect_end(struct collect *collect);

/* Where records go. */
struct writer *collect_out(struct collect *collect);

/* A time of the kernel's events in the clock of records. */
int64_t collect_ts(const struct collect *collect, uint64_t monotonic);

/* The time at which events began to be seen, and the last one that was (after collect_run()), monotonic. */
uint64_t collect_began(const struct collect *collect);
uint64_t collect_ended(const struct collect *collect);

/* When the command, which was made before all was ready, was let go, monotonic; 0: there is none. */
uint64_t collect_released(const struct collect *collect);

/* Whether the pids of events are those of /proc: not so in a PID namespace of our own. */
bool collect_host_pids(const struct collect *collect);

/* A thread's name as the kernel keeps it, escaped. */
void collect_name(struct label *label, const char name[COMM]);

/*
 * Fills SPAN, but for its duration, from the head of an event; COMM keeps its name, and must live as long
 * as it. collect_run() does it for events.
 */
void collect_span(struct collect *collect, const struct event *event, struct label *comm, struct span *span);

/* An event that did not come by the ring, such as what an iterator tells while it records: in its place in time. */
void collect_add(struct collect *collect, const struct event *event, size_t size);

/* Whether what an iterator tells of a thread is wanted: EVENT was filled by event_of() of a wanted one. */
bool collect_wants(struct collect *collect, const struct event *event);

/* N events that did not get into the stream for another reason than a full ring: `ev=lost`. */
void collect_lost(struct collect *collect, uint64_t n, const char *source);

/* N events that the kernel has summed up: they are among those that the last line tells of. */
void collect_summed(struct collect *collect, uint64_t n);

#endif
