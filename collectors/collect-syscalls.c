// SPDX-License-Identifier: MIT
/* pkg-config: libbpf */
/*
 * collect-syscalls: system calls as threads make them: spans, live.
 *
 *	# collect-syscalls -d 10 -p redis-server | stats -g name dur_ns
 */
#include <bpf/libbpf.h>
#include <stdio.h>
#include <stdlib.h>

#include "../bpf/collect-syscalls.h"
#include "base/message.h"
#include "base/number.h"
#include "live/collect.h"
#include "live/sums.h"
#include "spans/callbook.h"

#include "collect-syscalls.skel.h"

_Static_assert((int)CALL_NUMBERS == CALLBOOK_NUMBERS && (int)CALL_ABIS == CALLBOOK_ABIS, "one table");

static struct bpfobject_program programs[] = {
	{ .name = "on_entry", .gives = "system calls begin" },
	{ .name = "on_return", .gives = "system calls return" },
	{ .name = "on_exec", .gives = "which program an exec has started" },
	{ .name = "on_thread_end", .gives = "calls that threads die in" },
	{ .name = "on_fork", .gives = "children, for --raw" },
	{ .name = "end_tasks", .gives = "calls under way at the end" },
	COLLECT_PROGRAMS,
	{ 0 },
};

struct calls {
	struct collect *collect;
	struct writer *out;
	struct sums_reader *sums;	/* NULL: events are told, not summed */
	bool arguments;			/* spans tell them */
	uint64_t threshold_ns;
	callbook book;
	struct callbook_entry unknown;
	char path[8 + 4 * CALL_PATH];	/* escaped */
};

static const struct callbook_entry *entry_of(const struct calls *calls, uint32_t nr, bool compat)
{
	const struct callbook_entry *entry = nr < CALLBOOK_NUMBERS ? &calls->book[compat][nr] : &calls->unknown;

	return entry->name.len ? entry : &calls->unknown;
}

/* Those of an event that has them. */
static const uint64_t *arguments_of(const struct call_event *at)
{
	return (const uint64_t *)(const void *)(at + 1);
}

/* Escaped, behind BEFORE; empty: it has none. */
static struct slice path_of(struct calls *calls, const struct call_event *at, const char *before)
{
	struct slice path = { (const char *)(arguments_of(at) + CALL_ARGUMENTS), at->path_len - 1u };
	size_t len = strlen(before);

	if (at->path_len <= 1)
		return (struct slice){ "", 0 };
	memcpy(calls->path, before, len);
	return (struct slice){ calls->path, len + writer_escape(calls->path + len, path) };
}

/* As LTTng writes it; empty: it is not known. */
static struct slice result_of(const struct callbook_entry *entry, const struct call_event *at, char text[NUMBER_TEXT])
{
	if (at->flags & CALL_UNFINISHED || entry->result == CALLBOOK_NO_RESULT)
		return (struct slice){ "", 0 };
	if (entry->result == CALLBOOK_ADDRESS && at->ret > 0)
		return (struct slice){ text, (size_t)snprintf(text, NUMBER_TEXT, "0x%llx", (long long)at->ret) };
	return (struct slice){ text, number_put_i64(text, at->ret) };
}

static bool makes_descriptor(const struct syscall *syscall, const struct call_event *at)
{
	if (syscall->does == SYSCALL_FCNTL)
		return at->other_fd == SYSCALL_DUPFD || at->other_fd == SYSCALL_DUPFD_CLOEXEC;
	return syscalls_makes_descriptor(syscall);
}

static void put_span(struct calls *calls, const struct call_event *at, struct span *span)
{
	const struct callbook_entry *entry = entry_of(calls, at->nr, at->compat);
	char text[NUMBER_TEXT];
	struct span_call told = {
		.name = entry->name.len ? entry->name : SLICE("unknown"),
		.id = entry->name.len ? -1 : (int64_t)at->nr,
		.ret = result_of(entry, at, text),
		.fd = at->fd,
		.path = path_of(calls, at, entry->syscall->does == SYSCALL_MEMFD ? "memfd:" : ""),
		.bytes = -1,
		.arguments = calls->arguments && at->flags & CALL_HAS_ARGUMENTS ? arguments_of(at) : NULL,
	};

	if (told.ret.len && at->ret < 0 && at->ret >= -4095)
		told.error = syscalls_error(-at->ret);
	else if (told.ret.len && entry->syscall->bytes)
		told.bytes = at->ret;
	if (told.ret.len && at->ret >= 0 && makes_descriptor(entry->syscall, at))
		told.fd = (int32_t)at->ret;
	span->dur_ns = (int64_t)at->dur_ns;
	span->unfinished = at->flags & CALL_UNFINISHED;
	span_syscall(calls->out, span, &told);
}

static void put_context(struct calls *calls, const struct span *span, struct slice ev)
{
	writer_begin(calls->out, span->ts, ev);
	writer_i64(calls->out, KEY("cpu"), span->cpu);
	writer_i64(calls->out, KEY("pid"), span->pid);
	writer_i64(calls->out, KEY("tid"), span->tid);
	writer_raw(calls->out, KEY("comm"), span->comm);
}

/* `syscall_entry_NAME`; a call without a name has its number. */
static void put_head(struct calls *calls, const struct call_event *at, const struct span *span, const char *what)
{
	const struct callbook_entry *entry = entry_of(calls, at->nr, at->compat);
	struct slice name = entry->name.len ? entry->name : SLICE("unknown");
	char ev[80];
	int n = snprintf(ev, sizeof ev, "%ssyscall_%s_%.*s", at->compat ? "compat_" : "", what, (int)name.len, name.at);

	put_context(calls, span, (struct slice){ ev, (size_t)n });
	if (!entry->name.len)
		writer_u64(calls->out, KEY("id"), at->nr);
}

/* Texts that were not read are left out, as all that is only pointed to. */
static void put_argument(struct calls *calls, const struct callbook_entry *entry, unsigned i, uint64_t value)
{
	struct key key = key_of(entry->argument[i]);

	if (entry->is_int[i])
		writer_i64(calls->out, key, (int32_t)value);
	else
		writer_u64(calls->out, key, value);
	free((void *)(uintptr_t)key.at);
}

static void put_path(struct calls *calls, const struct callbook_entry *entry, struct slice path)
{
	struct key key = key_of(entry->argument[entry->path - 1]);

	writer_raw(calls->out, key, path);
	free((void *)(uintptr_t)key.at);
}

static void put_entry(struct calls *calls, const struct call_event *at, const struct span *span)
{
	static const struct key keys[] = {
		{ "\targs.0=", 8 }, { "\targs.1=", 8 }, { "\targs.2=", 8 },
		{ "\targs.3=", 8 }, { "\targs.4=", 8 }, { "\targs.5=", 8 },
	};
	const struct callbook_entry *entry = entry_of(calls, at->nr, at->compat);
	const uint64_t *arguments = arguments_of(at);
	struct slice path = path_of(calls, at, "");

	put_head(calls, at, span, "entry");
	for (unsigned i = 0; !entry->name.len && i < CALL_ARGUMENTS; i++)
		writer_u64(calls->out, keys[i], arguments[i]);
	for (unsigned i = 0; i < entry->arguments; i++) {
		if (i + 1 == entry->path && at->path_len)
			put_path(calls, entry, path);
		else if (i + 1 != entry->path && !slice_equal(entry->argument[i], SLICE("-")))
			put_argument(calls, entry, i, arguments[i]);
	}
	writer_end(calls->out);
}

static void put_exit(struct calls *calls, const struct call_event *at, const struct span *span)
{
	const struct callbook_entry *entry = entry_of(calls, at->nr, at->compat);
	struct slice path = path_of(calls, at, ""), ret;
	char text[NUMBER_TEXT];

	put_head(calls, at, span, "exit");
	ret = result_of(entry, at, text);
	if (ret.len)
		writer_raw(calls->out, KEY("ret"), ret);
	if (entry->name.len && entry->syscall->does == SYSCALL_PIPE && at->fd >= 0) {
		writer_i64(calls->out, KEY("fildes.0"), at->fd);
		writer_i64(calls->out, KEY("fildes.1"), at->other_fd);
	}
	if (path.len && entry->path)
		put_path(calls, entry, path);
	writer_end(calls->out);
}

static void put_life(struct calls *calls, const struct call_event *at, const struct span *span)
{
	struct writer *out = calls->out;

	if (at->event.kind == CALL_RAW_FORK) {
		put_context(calls, span, SLICE("sched_process_fork"));
		writer_raw(out, KEY("parent_comm"), span->comm);
		writer_i64(out, KEY("parent_tid"), span->tid);
		writer_i64(out, KEY("parent_pid"), span->pid);
		writer_raw(out, KEY("child_comm"), span->comm);
		writer_i64(out, KEY("child_tid"), at->fd);
		writer_i64(out, KEY("child_pid"), at->other_fd);
	} else if (at->event.kind == CALL_RAW_EXEC) {
		struct slice path = path_of(calls, at, "");

		put_context(calls, span, SLICE("sched_process_exec"));
		writer_raw(out, KEY("filename"), path);
		writer_i64(out, KEY("payload.tid"), span->tid);
		writer_i64(out, KEY("old_tid"), at->other_fd);
	} else {
		put_context(calls, span, SLICE("sched_process_exit"));
		writer_raw(out, KEY("payload.comm"), span->comm);
		writer_i64(out, KEY("payload.tid"), span->tid);
	}
	writer_end(out);
}

static void on_event(void *state, const struct event *event, size_t size, struct span *span)
{
	struct calls *calls = state;
	const struct call_event *at = (const struct call_event *)event;

	if (size < sizeof *at)
		return;
	switch (event->kind) {
	case CALL_SPAN: put_span(calls, at, span); break;
	case CALL_RAW_ENTRY: put_entry(calls, at, span); break;
	case CALL_RAW_EXIT: put_exit(calls, at, span); break;
	default: put_life(calls, at, span); break;
	}
}

/* A call that goes on at the end. */
static void put_unfinished(void *state, const void *record)
{
	struct calls *calls = state;
	const struct call_event *at = record;
	uint64_t ended = collect_ended(calls->collect), since = at->event.ts - at->dur_ns;
	struct call_event_long now;
	struct label comm;
	struct span span;

	if (since >= ended || ended - since < calls->threshold_ns || !collect_wants(calls->collect, &at->event))
		return;
	memcpy(&now, record, sizeof now);
	now.call.dur_ns = ended - since;
	collect_span(calls->collect, &at->event, &comm, &span);
	span.ts = collect_ts(calls->collect, ended);
	put_span(calls, &now.call, &span);
}

static void name_sums(void *state, struct writer *out, uint32_t what)
{
	const struct calls *calls = state;
	const struct callbook_entry *entry = entry_of(calls, what & ~CALL_COMPAT, what & CALL_COMPAT);

	writer_raw(out, KEY("group.name"), entry->name.len ? entry->name : SLICE("unknown"));
	if (!entry->name.len)
		writer_u64(out, KEY("group.id"), what & ~CALL_COMPAT);
}

static void on_time(void *state, int64_t ts)
{
	struct calls *calls = state;

	if (calls->sums)
		sums_reader_pass(calls->sums, ts, false);
}

/* What the kernel's side has to know of each call. */
static void plan_calls(const struct calls *calls, struct call_plan *plans, bool listed)
{
	for (size_t i = 0; i < CALLBOOK_ABIS * CALLBOOK_NUMBERS; i++) {
		const struct callbook_entry *entry = &calls->book[i / CALLBOOK_NUMBERS][i % CALLBOOK_NUMBERS];

		plans[i] = (struct call_plan){
			.flags = listed ? PLAN_LEFT_OUT : 0,
			.fd = (uint8_t)entry->fd,
			.path = (uint8_t)entry->path,
			.directory = (uint8_t)entry->directory,
		};
		if (entry->name.len && entry->syscall->does == SYSCALL_PIPE)
			plans[i].flags |= PLAN_PIPE;
	}
}

static void choose_call(const struct calls *calls, struct call_plan *plans, const char *name)
{
	bool found = false;

	for (size_t i = 0; i < CALLBOOK_ABIS * CALLBOOK_NUMBERS; i++) {
		if (!slice_equal(calls->book[i / CALLBOOK_NUMBERS][i % CALLBOOK_NUMBERS].name, slice_of(name)))
			continue;
		plans[i].flags &= (uint8_t)~PLAN_LEFT_OUT;
		found = true;
	}
	if (!found || !*name)
		message_usage("cannot record the system call '%s': there is none of this name", name);
}

static void choose_calls(const struct calls *calls, struct call_plan *plans, const struct option_list *lists)
{
	plan_calls(calls, plans, lists->count);
	for (size_t i = 0; i < lists->count; i++) {
		char **names = options_split(lists->items[i]);

		for (char **name = names; *name; name++)
			choose_call(calls, plans, *name);
		free(names);
	}
}

static void switch_off(const char *name)
{
	for (struct bpfobject_program *p = programs; p->name; p++)
		if (strcmp(p->name, name) == 0)
			p->off = true;
}

int main(int argc, char **argv)
{
	static struct calls calls;
	struct collect_options common = COLLECT_DEFAULTS;
	struct option_list only = { 0 };
	bool raw = false, spans = false, failed = false;
	uint64_t interval = 0;
	const struct option options[] = {
		{ 's', "syscall", "NAME,...", "only these system calls; may be repeated", OPTION_LIST, .to = &only },
		{ 0, "failed", NULL, "only calls that failed", OPTION_FLAG, .to = &failed },
		{ 0, "args", NULL, "tell the arguments too: arg0 to arg5", OPTION_FLAG, .to = &calls.arguments },
		{ 0, "raw", NULL, "write entries and exits as LTTng records them, in place of spans", OPTION_FLAG,
		  .to = &raw },
		{ 0, "spans", NULL, "with --raw: write the spans too", OPTION_FLAG, .to = &spans },
		{ 0, "aggregate", "TIME", "sum up in the kernel, by process and call, and write states of figures "
		  "(ev=partial) every TIME, for stats --merge", OPTION_SECONDS, .to = &interval, .min = 10000000 },
		COLLECT_THRESHOLD(common),
		COLLECT_OPTIONS(common),
		{ 0 },
	};
	const struct program program = {
		.name = "collect-syscalls",
		.does = "record system calls: how long, on what, with which result",
		.operands = "[-- COMMAND [ARGUMENT...]]",
		.options = options,
		.examples = "  collect-syscalls -d 10 -p redis-server | stats -g name dur_ns\n"
			    "  collect-syscalls --failed -- make | stats -g name,errno dur_ns\n"
			    "  collect-syscalls -s write --args -d 1 | where 'arg2>1000'\n",
	};
	struct collect_syscalls *skeleton;
	int status;

	(void)argc;
	common.command = options_parse(&program, argv);
	if (spans && !raw)
		message_usage("--spans goes with --raw");
	if (raw && !spans && (common.threshold_ns || failed || calls.arguments))
		message_usage("-t, --failed and --args are for spans, not for --raw");
	if (interval && (raw || calls.arguments || common.prefixes.count || common.regexes.count))
		message_usage("--aggregate does not go with %s", raw ? "--raw" : calls.arguments ? "--args" :
			      "--prefix and --regex: what is summed in the kernel is filtered there");
	if (interval && common.all)
		message_usage("--aggregate does not go with --all: sums have no role");
	calls.threshold_ns = common.threshold_ns;
	callbook_fill(calls.book);
	calls.unknown.syscall = syscalls_find(SLICE(""));
	if (!raw)
		switch_off("on_fork");
	if (interval) {
		switch_off("on_exec");
		switch_off("on_thread_end");
		switch_off("end_tasks");
	}
	skeleton = collect_syscalls__open();
	calls.collect = collect_new(&common, skeleton ? skeleton->skeleton : NULL, programs);
	skeleton->rodata->spans = spans || !raw;
	skeleton->rodata->raw = raw;
	skeleton->rodata->aggregate = interval != 0;
	skeleton->rodata->arguments = calls.arguments;
	skeleton->rodata->failed = failed;
	skeleton->rodata->listed = only.count;
	choose_calls(&calls, skeleton->rodata->plans, &only);
	if (interval)
		calls.sums = sums_reader_new(calls.collect, interval, name_sums, &calls);
	collect_start(calls.collect);
	calls.out = collect_out(calls.collect);
	collect_run(calls.collect, on_event, on_time, &calls);
	if (calls.sums)
		sums_reader_pass(calls.sums, collect_ts(calls.collect, collect_ended(calls.collect)), true);
	else if ((spans || !raw) && !failed)
		bpfobject_iterate(collect_object(calls.collect), "end_tasks", sizeof(struct call_event_long),
				  put_unfinished, &calls);
	sums_reader_free(calls.sums);
	free(only.items);
	status = collect_end(calls.collect);
	free(skeleton);		/* what it held went with the collector */
	return status;
}
