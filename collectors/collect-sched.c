// SPDX-License-Identifier: MIT
// pkg-config: libbpf libdw libelf zlib
// library: iberty
/*
 * collect-sched: what threads do, as the kernel switches them: spans oncpu, runq and blocked, live.
 *
 *	# collect-sched -d 10 -p redis-server | stats -g ev dur_ns
 */
#include <bpf/libbpf.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <sys/syscall.h>

#include "../bpf/collect-sched.h"
#include "base/memory.h"
#include "base/message.h"
#include "live/cgroup.h"
#include "live/collect.h"
#include "live/news.h"
#include "live/sums.h"
#include "stacks/symbols.h"

#include "collect-sched.skel.h"

static const char *const why_names[] = { "preempt", "yield", "wakeup", "new", "sleep", "exit" };

#define COUNTING .with = "on_waking_by_handlers"
static struct bpfobject_program programs[] = {
	{ .name = "on_switch", .gives = "threads leave and get CPUs", .instead = "on_switch_without_state" },
	{ .name = "on_switch_without_state", .gives = "the same, before Linux 5.18" },
	{ .name = "on_waking", .gives = "who wakes a thread", .instead = "on_waking_by_handlers" },
	{ .name = "on_waking_by_handlers", .gives = "the same, where CONFIG_KALLSYMS_ALL is not set" },
	{ .name = "irq_handler_entry", .gives = "an interrupt begins", COUNTING },
	{ .name = "irq_handler_exit", .gives = "an interrupt ends", COUNTING },
	{ .name = "softirq_entry", .gives = "a soft interrupt begins", COUNTING },
	{ .name = "softirq_exit", .gives = "a soft interrupt ends", COUNTING },
	{ .name = "hrtimer_expire_entry", .gives = "a timer's function begins", COUNTING },
	{ .name = "hrtimer_expire_exit", .gives = "a timer's function ends", COUNTING },
	{ .name = "on_wakeup", .gives = "a sleep ends" },
	{ .name = "on_wakeup_new", .gives = "a thread begins" },
	{ .name = "begin_tasks", .gives = "what threads do at the start" },
	{ .name = "end_tasks", .gives = "what threads do at the end" },
	{ .name = "tells_throttling", .gives = "who is held back by a CPU quota", .off = true, .optional = true },
	COLLECT_PROGRAMS,
	{ 0 },
};

struct sched {
	struct collect *collect;
	struct writer *out;
	struct symbols *symbols;	/* NULL: no stacks are asked for */
	char *field;			/* the stack of the span at hand */
	size_t field_room;
	struct sums_reader *sums;	/* NULL: events are told, not summed */
};

#define SCHEDULE ";schedule;__schedule"

/* The field with the frames of the stack behind a span. Valid until the next call. */
static struct slice stack_of(struct sched *sched, const struct sched_span *at)
{
	static const struct slice key = { "\tstack=", sizeof "\tstack=" - 1 };
	const struct sched_program *program = (const struct sched_program *)(at + 1);
	const uint64_t *addresses = (const uint64_t *)(program + 1);
	struct stack stack = {
		.kernel = addresses, .kernels = at->kernels, .user = addresses + at->kernels, .users = at->users,
		.truncated = at->kernels == SCHED_DEPTH || at->users == SCHED_DEPTH,
	};
	struct slice frames;
	const char *last;

	if (!sched->symbols || at->kernels + at->users == 0)
		return (struct slice){ "", 0 };
	frames = symbols_stack(sched->symbols, symbols_program(sched->symbols, program->pid, program->exec), &stack);
	/* Below the switch lies what traces it. */
	last = memmem(frames.at, frames.len, SCHEDULE, sizeof SCHEDULE - 1);
	if (last && at->kernels)
		frames.len = (size_t)(last - frames.at) + sizeof SCHEDULE - 1;
	sched->field = memory_grow(sched->field, &sched->field_room, key.len + frames.len, 1);
	memcpy(sched->field, key.at, key.len);
	memcpy(sched->field + key.len, frames.at, frames.len);
	return (struct slice){ sched->field, key.len + frames.len };
}

static struct span_throttled throttled_of(const struct sched_held *held)
{
	return (struct span_throttled){ (int64_t)held->ns, (int64_t)held->after_ns,
					held->ns && held->cgroup ? cgroup_name(held->cgroup) : (struct slice){ "", 0 } };
}

static void put_span(struct sched *sched, const struct sched_span *at, struct span *span,
		     struct span_throttled throttled)
{
	struct label label = { 0 };
	struct span_other other = { -1, { "", 0 } };

	if (at->has_other) {
		collect_name(&label, at->other_comm);
		other = (struct span_other){ at->other_tid, label_text(&label) };
	}
	if (at->state == SCHED_RUNNING)
		span_oncpu(sched->out, span, span->unfinished ? (struct slice){ "", 0 } : slice_of(why_names[at->why]),
			   other);
	else if (at->state == SCHED_RUNNABLE)
		span_runq(sched->out, span, slice_of(why_names[at->why]), other, throttled);
	else
		span_blocked(sched->out, span, (char)at->letter, other, at->waker_irq, stack_of(sched, at));
}

static void put_context(struct sched *sched, const struct span *span, struct slice ev)
{
	writer_begin(sched->out, span->ts, ev);
	writer_i64(sched->out, KEY("cpu"), span->cpu);
	writer_i64(sched->out, KEY("pid"), span->pid);
	writer_i64(sched->out, KEY("tid"), span->tid);
	writer_raw(sched->out, KEY("comm"), span->comm);
}

static void put_switch(struct sched *sched, const struct sched_raw *raw, const struct span *span,
		       struct slice next_comm)
{
	struct span_throttled next = throttled_of(&raw->held);

	put_context(sched, span, SLICE("sched_switch"));
	writer_raw(sched->out, KEY("prev_comm"), span->comm);
	writer_i64(sched->out, KEY("prev_tid"), span->tid);
	writer_u64(sched->out, KEY("prev_prio"), raw->prev_prio);
	writer_u64(sched->out, KEY("prev_state"), raw->prev_state);
	writer_raw(sched->out, KEY("next_comm"), next_comm);
	writer_u64(sched->out, KEY("next_tid"), raw->next_tid);
	writer_u64(sched->out, KEY("next_prio"), raw->next_prio);
	if (raw->flag)
		writer_raw(sched->out, KEY("prev_yields"), SLICE("1"));
	if (next.ns)
		writer_i64(sched->out, KEY("next_throttled_ns"), next.ns);
	if (next.ns && next.after_ns)
		writer_i64(sched->out, KEY("next_throttled_after_ns"), next.after_ns);
	if (next.cgroup.len)
		writer_raw(sched->out, KEY("next_cgroup"), next.cgroup);
	writer_end(sched->out);
}

static void put_raw(struct sched *sched, const struct sched_raw *raw, const struct span *span)
{
	static const char *const names[] = {
		[SCHED_RAW_WAKING] = "sched_waking", [SCHED_RAW_WAKEUP] = "sched_wakeup",
		[SCHED_RAW_NEW] = "sched_wakeup_new",
	};
	struct label label;

	collect_name(&label, raw->next_comm);
	if (raw->event.kind == SCHED_RAW_SWITCH) {
		put_switch(sched, raw, span, label_text(&label));
		return;
	}
	put_context(sched, span, slice_of(names[raw->event.kind]));
	writer_raw(sched->out, KEY("payload.comm"), label_text(&label));
	writer_u64(sched->out, KEY("payload.tid"), raw->next_tid);
	writer_u64(sched->out, KEY("prio"), raw->next_prio);
	writer_u64(sched->out, KEY("target_cpu"), raw->target_cpu);
	if (raw->flag)
		writer_raw(sched->out, KEY("in_irq"), SLICE("1"));
	writer_end(sched->out);
}

static void on_event(void *state, const struct event *event, size_t size, struct span *span)
{
	struct sched *sched = state;

	if (event->kind == SCHED_SPAN && size >= sizeof(struct sched_span)) {
		const struct sched_span *at = (const struct sched_span *)event;
		const struct sched_throttled *waited = (const struct sched_throttled *)event;
		struct span_throttled throttled = { 0 };
		size_t addresses = 8u * (at->kernels + at->users);

		if ((addresses && size < sizeof *at + sizeof(struct sched_program) + addresses) ||
		    (at->throttled && size < sizeof *waited))
			return;
		if (at->throttled)
			throttled = throttled_of(&waited->held);
		span->dur_ns = (int64_t)at->dur_ns;
		span->clipped = at->clipped;
		put_span(sched, at, span, throttled);
	} else if (event->kind <= SCHED_RAW_NEW && size >= sizeof(struct sched_raw)) {
		put_raw(sched, (const struct sched_raw *)event, span);
	}
}

/* A thread at the start, as LTTng's state dump tells it: spans(1) learns names and processes from it. */
static void put_statedump(void *state, const void *record)
{
	struct sched *sched = state;
	const struct sched_now *now = record;
	struct label comm;
	struct span span;

	if (!now->wanted || !collect_wants(sched->collect, &now->event))
		return;
	collect_span(sched->collect, &now->event, &comm, &span);
	writer_begin(sched->out, span.ts, SLICE("lttng_statedump_process_state"));
	writer_i64(sched->out, KEY("cpu"), span.cpu);
	writer_i64(sched->out, KEY("payload.tid"), span.tid);
	writer_i64(sched->out, KEY("payload.pid"), span.pid);
	writer_raw(sched->out, KEY("name"), span.comm);
	writer_end(sched->out);
}

/* A stretch that goes on at the end. */
static void put_unfinished(void *state, const void *record)
{
	struct sched *sched = state;
	const struct sched_now *now = record;
	uint64_t ended = collect_ended(sched->collect);
	struct sched_span at = { .state = now->state, .why = now->why, .letter = now->letter };
	struct label comm;
	struct span span;

	if (!now->wanted || now->state == SCHED_UNKNOWN || now->since >= ended ||
	    !collect_wants(sched->collect, &now->event))
		return;
	collect_span(sched->collect, &now->event, &comm, &span);
	span.ts = collect_ts(sched->collect, ended);
	span.dur_ns = (int64_t)(ended - now->since);
	span.unfinished = true;
	span.clipped = now->clipped;
	put_span(sched, &at, &span, throttled_of(&now->held));
}

static void name_sums(void *state, struct writer *out, uint32_t what)
{
	static const char *const names[] = {
		[SCHED_RUNNING] = "oncpu", [SCHED_RUNNABLE] = "runq", [SCHED_BLOCKED] = "blocked",
	};

	(void)state;
	if (what < sizeof names / sizeof *names && names[what])
		writer_raw(out, KEY("group.ev"), slice_of(names[what]));
}

static void on_time(void *state, int64_t ts)
{
	struct sched *sched = state;

	if (sched->sums)
		sums_reader_pass(sched->sums, ts, false);
}

static void ignore(void *state, const void *record)
{
	(void)state;
	(void)record;
}

int main(int argc, char **argv)
{
	struct collect_options common = COLLECT_DEFAULTS;
	bool raw = false, spans = false, stacks = false;
	uint64_t interval = 0;
	struct news *news = NULL;
	int status;
	const struct option options[] = {
		{ 0, "raw", NULL, "write the switches and wakeups as LTTng records them, in place of spans",
		  OPTION_FLAG, .to = &raw },
		{ 0, "spans", NULL, "with --raw: write the spans too", OPTION_FLAG, .to = &spans },
		{ 0, "stacks", NULL, "tell where each sleep began: the frames of the program and the kernel", OPTION_FLAG,
		  .to = &stacks },
		{ 0, "aggregate", "TIME", "sum up in the kernel, by process, and write states of figures (ev=partial) "
		  "every TIME, for stats --merge", OPTION_SECONDS, .to = &interval, .min = 10000000 },
		COLLECT_THRESHOLD(common),
		COLLECT_OPTIONS(common),
		{ 0 },
	};
	const struct program program = {
		.name = "collect-sched",
		.does = "record what threads do: running, waiting for a CPU, asleep",
		.operands = "[-- COMMAND [ARGUMENT...]]",
		.options = options,
		.examples = "  collect-sched -d 10 -p redis-server | stats -g ev dur_ns\n"
			    "  collect-sched -t 10ms -- make | where ev=runq | stats -g by_comm dur_ns\n",
	};
	struct sched sched = { 0 };
	struct collect_sched *skeleton;

	(void)argc;
	common.command = options_parse(&program, argv);
	if (spans && !raw)
		message_usage("--spans goes with --raw");
	if (raw && !spans && common.threshold_ns)
		message_usage("-t is for spans, not for --raw");
	if (interval && (raw || common.prefixes.count || common.regexes.count))
		message_usage("--aggregate does not go with %s", raw ? "--raw" :
			      "--prefix and --regex: what is summed in the kernel is filtered there");
	if (interval && common.all)
		message_usage("--aggregate does not go with --all: sums have no role");
	if (stacks && (interval || (raw && !spans)))
		message_usage("--stacks is for spans");
	if (stacks)
		common.rights = NEWS_RIGHTS;
	skeleton = collect_sched__open();
	sched.collect = collect_new(&common, skeleton ? skeleton->skeleton : NULL, programs);
	skeleton->rodata->spans = spans || !raw;
	skeleton->rodata->raw = raw;
	skeleton->rodata->aggregate = interval != 0;
	skeleton->rodata->stacks = stacks;
	if (stacks) {
		sched.symbols = symbols_new();
		symbols_kernel(sched.symbols, NULL);
	}
	skeleton->rodata->yield_nr = SYS_sched_yield;
	if (interval)
		sched.sums = sums_reader_new(sched.collect, interval, name_sums, NULL);
	collect_start(sched.collect);
	sched.out = collect_out(sched.collect);
	if (stacks)
		news = news_new(sched.symbols, bpf_map__fd(skeleton->maps.news));
	bpfobject_iterate(collect_object(sched.collect), "begin_tasks", sizeof(struct sched_now),
			  raw ? put_statedump : ignore, &sched);
	collect_run(sched.collect, on_event, on_time, &sched);
	if (sched.sums)
		sums_reader_pass(sched.sums, collect_ts(sched.collect, collect_ended(sched.collect)), true);
	else if (skeleton->rodata->spans)
		bpfobject_iterate(collect_object(sched.collect), "end_tasks", sizeof(struct sched_now),
				  put_unfinished, &sched);
	if (skeleton->bss->contradictions)
		message("%llu events contradict earlier ones: the kernel hid some; what they end is not told",
			(unsigned long long)skeleton->bss->contradictions);
	if (skeleton->bss->unwoken)
		message("%llu sleeps ended without a wakeup that was seen: they include a wait for a CPU",
			(unsigned long long)skeleton->bss->unwoken);
	if (stacks)
		symbols_report(sched.symbols);
	news_free(news);
	symbols_free(sched.symbols);
	free(sched.field);
	sums_reader_free(sched.sums);
	status = collect_end(sched.collect);
	free(skeleton);		/* what it held went with the collector */
	return status;
}
