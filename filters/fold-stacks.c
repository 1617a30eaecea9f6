// SPDX-License-Identifier: MIT
/*
 * fold-stacks: stacks of records, of perf script's text and of traced functions become folded stacks, one
 * line for each distinct stack, with what it weighs.
 *
 *	$ lttng-convert TRACE | spans | where ev=blocked | fold-stacks -w dur_ns --kallsyms kallsyms
 *	redis-server;main;aeMain;epoll_wait;... 4711
 */
// pkg-config: libdw libelf zlib
// library: iberty
#include <stdlib.h>

#include "base/intern.h"
#include "base/memory.h"
#include "base/message.h"
#include "base/number.h"
#include "base/options.h"
#include "records/keylist.h"
#include "records/loss.h"
#include "records/refused.h"
#include "stacks/folded.h"
#include "stacks/functions.h"
#include "stacks/perfscript.h"
#include "stacks/spaces.h"
#include "stacks/stack.h"
#include "stacks/statedump.h"
#include "stacks/unfold.h"

enum from { FROM_ANY, FROM_RECORDS, FROM_PERF, FROM_FOLDED };
static const char *const from_names[] = { "auto", "records", "perf", "folded", NULL };
static const char *const unit_names[] = { "ns", "us", "ms", "s", NULL };
enum { US = 1 };
static const uint64_t unit_ns[] = { 1, 1000, 1000000, 1000000000 };

enum field { EV, PID, TID, VPID, VTID, COMM, PROCNAME, STACK, FIELDS };

struct fold {
	struct keylist keys;
	const char *weight;	/* NULL: 1 for each stack, the time of functions */
	bool unfold;

	struct reader *in;
	struct writer *out;
	struct folded *folded;
	struct stack_text text;
	struct refused refused;
	uint64_t all;		/* records or lines */

	struct loss loss;
	struct lookup field[FIELDS], weigh;
	struct callstack callstack;
	struct spaces *spaces;
	struct functions *functions;
	struct statedump *statedump;
	bool stacks;		/* some record had one */

	struct intern *events;	/* of perf's samples */
	struct slice event;	/* that of the last one */
	uint64_t bare;		/* samples without stack */
};

static struct slice value_of(struct fold *f, enum field field, enum field otherwise, const struct record *record)
{
	const struct slice *value = lookup_value(&f->field[field], record);

	value = value ? value : lookup_value(&f->field[otherwise], record);
	return value ? *value : (struct slice){ "", 0 };
}

static int64_t number_of(struct fold *f, enum field field, enum field otherwise, const struct record *record)
{
	int64_t value;

	return number_i64(value_of(f, field, otherwise, record), &value) ? value : -1;
}

/* A frame for a key of -g: the comm by its value alone, others with their name. */
static void add_group(struct fold *f, struct slice key, struct slice value)
{
	char prefix[256];
	size_t n = 0;

	if (!slice_equal(key, SLICE("comm")) && key.len < sizeof prefix) {
		memcpy(prefix, key.at, key.len);
		n = key.len + 1;
		prefix[key.len] = '=';
	}
	stack_add_frame(&f->text, (struct slice){ prefix, n }, value.len ? value : SLICE("-"));
}

static void add_groups(struct fold *f, const struct record *record)
{
	f->text.len = 0;
	for (size_t i = 0; i < f->keys.n; i++) {
		struct slice key = f->keys.lookup[i].key;
		const struct slice *value = lookup_value(&f->keys.lookup[i], record);
		struct slice text = value ? *value : slice_equal(key, SLICE("comm")) ?
			value_of(f, COMM, PROCNAME, record) : (struct slice){ "", 0 };
		char *plain = memory_get(text.len + 1);

		text = (struct slice){ plain, reader_unescape(text, plain) };
		add_group(f, key, text);
		free(plain);
	}
}

static const char *take_stack(struct fold *f, const struct record *record)
{
	struct slice stack = value_of(f, STACK, STACK, record);
	uint64_t weight = 1;

	if (f->weigh.key.len) {
		const struct slice *value = lookup_value(&f->weigh, record);

		if (!value)
			return "it lacks the field to weigh it by";
		if (!number_u64(*value, &weight))
			return "what is to weigh it is no whole number from 0 up";
	}
	if (stack.len == 0 && callstack_get(&f->callstack, record))
		stack = spaces_stack(f->spaces, number_of(f, PID, VPID, record),
				     value_of(f, COMM, PROCNAME, record), &f->callstack);
	if (stack.len == 0)
		return "it has no stack";
	add_groups(f, record);
	stack_add_value(&f->text, stack);
	folded_add(f->folded, stack_slice(&f->text), weight);
	f->stacks = true;
	return NULL;
}

static const char *take_record(struct fold *f, const struct record *record)
{
	struct slice ev = value_of(f, EV, EV, record);
	enum functions_event event = functions_event(ev);

	if (statedump_take(f->statedump, record, ev, number_of(f, PID, VPID, record)))
		return NULL;
	if (event == FUNCTIONS_NONE)
		return take_stack(f, record);
	add_groups(f, record);
	return functions_take(f->functions, record, event, number_of(f, PID, VPID, record),
			      number_of(f, TID, VTID, record), value_of(f, COMM, PROCNAME, record),
			      stack_slice(&f->text));
}

static void take_records(struct fold *f)
{
	const struct record *record;

	while ((record = reader_next(f->in))) {
		const char *refused;

		if (loss_is(&f->loss, record)) {
			functions_lost(f->functions, record);
			continue;
		}
		f->all++;
		refused = take_record(f, record);
		if (refused)
			refused_count(&f->refused, refused, f->in);
	}
}

static const char *take_folded(struct fold *f, struct slice line)
{
	struct slice stack, frame, plain;
	uint64_t weight;
	const char *refused = folded_parse(line, &stack, &weight);

	if (refused)
		return refused;
	/* Others write spaces as they are. */
	f->text.len = 0;
	f->text.space = memory_grow(f->text.space, &f->text.space_room, stack.len + 1, 1);
	while (stack_next(&stack, &frame)) {
		plain = (struct slice){ f->text.space, stack_unescape(f->text.space, frame) };
		stack_add_frame(&f->text, SLICE(""), plain);
	}
	if (f->unfold)
		return unfold_line(f->out, &f->keys, stack_slice(&f->text), weight);
	folded_add(f->folded, stack_slice(&f->text), weight);
	return NULL;
}

static void take_sample(void *data, const struct perfscript_sample *sample)
{
	struct fold *f = data;

	if (sample->stack.len == 0) {
		f->bare++;
		return;
	}
	if (!slice_equal(sample->event, f->event))
		f->event = intern_text(f->events, intern_id(f->events, sample->event));
	if (f->unfold) {
		unfold_sample(f->out, sample);
		return;
	}
	f->text.len = 0;
	for (size_t i = 0; i < f->keys.n; i++) {
		struct slice key = f->keys.lookup[i].key;
		char digits[NUMBER_TEXT];
		struct slice value = slice_equal(key, SLICE("comm")) ? sample->comm : sample->event;
		int64_t number = slice_equal(key, SLICE("tid")) ? sample->tid :
				 slice_equal(key, SLICE("cpu")) ? sample->cpu : sample->pid;

		if (!slice_equal(key, SLICE("comm")) && !slice_equal(key, SLICE("event")))
			value = (struct slice){ digits, number < 0 ? 0 : number_put_i64(digits, number) };
		add_group(f, key, value);
	}
	stack_add_folded(&f->text, sample->stack);
	folded_add(f->folded, stack_slice(&f->text), f->weigh.key.len ? sample->period : 1);
}

static void check_perf(const struct fold *f)
{
	static const char *const keys[] = { "comm", "event", "pid", "tid", "cpu" };

	if (f->weigh.key.len && !slice_equal(f->weigh.key, SLICE("period")))
		message_usage("cannot weigh by '%.100s': perf script's text has period", f->weight);
	for (size_t i = 0; i < f->keys.n; i++) {
		size_t k = 0;

		while (k < 5 && !slice_equal(f->keys.lookup[i].key, slice_of(keys[k])))
			k++;
		if (k == 5)
			message_usage("cannot group by '%.100s': perf script's text has comm, event, pid, tid and cpu",
				      f->keys.names[i]);
	}
}

static void take_text(struct fold *f, enum from from, bool kinds)
{
	struct perfscript *perf = perfscript_new(kinds, take_sample, f);
	struct slice line;

	f->events = intern_new();
	if (from == FROM_PERF)
		check_perf(f);
	else if (f->weight)
		message_usage("cannot weigh by '%.100s': folded stacks have their weights", f->weight);
	for (; reader_peek(f->in).len; perfscript_end(perf))
		while (reader_text(f->in, &line)) {
			const char *refused = from == FROM_PERF ? perfscript_line(perf, line) : take_folded(f, line);

			f->all++;
			if (refused)
				refused_count(&f->refused, refused, f->in);
		}
	perfscript_free(perf);
	if (f->bare)
		message("%llu samples have no stack, and are left out (perf record -g)", (unsigned long long)f->bare);
	for (size_t i = 0; i < f->keys.n; i++)
		if (slice_equal(f->keys.lookup[i].key, SLICE("event")))
			return;
	if (!f->unfold && intern_count(f->events) > 1)
		message("samples of %u events are counted together: -g event,comm keeps them apart",
			intern_count(f->events));
}

/* What TEXT, the beginning of the first file, is. */
static enum from detect(struct slice text)
{
	const char *lf = text.len ? memchr(text.at, '\n', text.len) : NULL;
	struct slice line = { text.at, lf ? (size_t)(lf - text.at) : text.len }, stack;
	uint64_t weight;

	if (text.len == 0 || slice_starts(text, SLICE("ts=")))
		return FROM_RECORDS;
	if (perfscript_detect(text))
		return FROM_PERF;
	return folded_parse(line, &stack, &weight) ? FROM_ANY : FROM_FOLDED;
}

/* Takes all input; false, after a message, when what it is cannot be told. */
static bool take(struct fold *f, enum from from, bool kinds)
{
	if (from == FROM_ANY) {
		message("cannot tell what %s is: neither records, perf script's text nor folded stacks (--from)",
			reader_file(f->in));
		reader_close(f->in);
		writer_close(f->out);
		return false;
	}
	if (from != FROM_RECORDS)
		take_text(f, from, kinds);
	else if (f->unfold && reader_peek(f->in).len)
		message_usage("cannot unfold records: they are");
	else
		take_records(f);
	return true;
}

/* How many of what was added make one of UNIT, of those that names. */
static uint64_t divisor(struct fold *f, int unit)
{
	bool calls = f->weight && !f->weigh.key.len, functions = functions_fold(f->functions, calls, f->folded);
	size_t len = f->weigh.key.len;

	if (functions && f->stacks && (!f->weight || calls))
		message_die("cannot add counts of stacks to functions' times or calls: choose with where(1)");
	if ((functions && !calls) || (len >= 3 && memcmp(f->weigh.key.at + len - 3, "_ns", 3) == 0))
		return unit_ns[unit < 0 ? US : unit];
	if (unit >= 0 && !len)
		message_usage("cannot write counts in %s: -w names a field in ns", unit_names[unit]);
	return unit < 0 ? 1 : unit_ns[unit];
}

static int finish(struct fold *f, int unit, bool strict)
{
	struct folded_sum sum = folded_write(f->folded, divisor(f, unit), f->out);
	int status = reader_close(f->in) ? EXIT_COMPLETE : EXIT_FAILED;

	writer_close(f->out);
	/* Other records than stacks are no fault of the input; lines that are nothing are. */
	refused_report(&f->refused, f->all, f->events ? "lines" : "records");
	if (f->refused.n && f->events)
		status = EXIT_FAILED;
	if (sum.light)
		message("left out %u of %u stacks that weigh less than half a unit (-u ns has them)", sum.light,
			sum.stacks);
	functions_report(f->functions);
	statedump_report(f->statedump);
	spaces_report(f->spaces);
	if (loss_report(&f->loss, "what the stacks tell is", strict) && status == EXIT_COMPLETE)
		status = EXIT_LOSS;
	return status;
}

static void free_all(struct fold *f)
{
	functions_free(f->functions);
	statedump_free(f->statedump);
	spaces_free(f->spaces);
	folded_free(f->folded);
	intern_free(f->events);
	stack_text_free(&f->text);
	callstack_free(&f->callstack);
	keylist_free(&f->keys);
	for (size_t i = 0; i < FIELDS; i++)
		lookup_free(&f->field[i]);
	lookup_free(&f->weigh);
	lookup_free(&f->loss.ev);
	lookup_free(&f->loss.n);
}

int main(int argc, char **argv)
{
	int from = FROM_ANY, unit = -1, status;
	bool kinds = false, strict = false;
	struct option_list maps = { 0 }, elf = { 0 };
	const char *groups = "comm", *kallsyms = NULL;
	struct fold f = {
		.loss = LOSS,
		.callstack = CALLSTACK,
		.field = {
			[EV] = LOOKUP("ev"), [PID] = LOOKUP("pid"), [TID] = LOOKUP("tid"),
			[VPID] = LOOKUP("vpid"), [VTID] = LOOKUP("vtid"), [COMM] = LOOKUP("comm"),
			[PROCNAME] = LOOKUP("procname"), [STACK] = LOOKUP("stack"),
		},
	};
	const struct option options[] = {
		{ 'w', "weight", "FIELD", "weigh a stack by this field, or count (default: count; functions: time)",
		  OPTION_TEXT, .to = &f.weight },
		{ 'u', "unit", "UNIT", "write weights that are ns in ns, us, ms or s (default: us)", OPTION_CHOICE,
		  .to = &unit, .choices = unit_names },
		{ 'g', "group", "KEY,...", "begin stacks with frames of these fields; '' for none (default: comm)",
		  OPTION_TEXT, .to = &groups },
		{ 0, "from", "FORM", "the input is records, perf or folded (default: auto)", OPTION_CHOICE,
		  .to = &from, .choices = from_names },
		{ 0, "unfold", NULL, "write a record for each folded line, or sample of perf", OPTION_FLAG,
		  .to = &f.unfold },
		{ 0, "kinds", NULL, "mark perf's frames: _[k] kernel, _[i] inlined, _[j] compiled at run time",
		  OPTION_FLAG, .to = &kinds },
		{ 0, "kallsyms", "FILE", "names for the kernel's addresses, a copy of /proc/kallsyms", OPTION_TEXT,
		  .to = &kallsyms },
		{ 0, "maps", "[WHO=]FILE", "a copy of /proc/PID/maps of the process WHO (its pid or comm)",
		  OPTION_LIST, .to = &maps },
		{ 0, "elf", "[WHO=]FILE", "the program, or a library, that the process WHO ran", OPTION_LIST,
		  .to = &elf },
		{ 0, "strict", NULL, "exit with status 3 when events were lost", OPTION_FLAG, .to = &strict },
		{ 0 },
	};
	const struct program program = {
		.name = "fold-stacks",
		.does = "fold stacks: a line for each distinct one, with what it weighs",
		.operands = "[FILE...]",
		.options = options,
		.examples = "  spans raw.tskv | where ev=blocked | fold-stacks -w dur_ns | plot-flame > off-cpu.svg\n"
			    "  perf script | fold-stacks | plot-flame > cpu.svg\n"
			    "  fold-stacks --unfold old.folded | where comm=nginx | fold-stacks -w weight\n",
	};
	char **files = options_parse(&program, argv);

	(void)argc;
	f.keys = keylist_parse(*groups ? groups : NULL, "key");
	if (f.keys.n > UNFOLD_KEYS_MAX)
		message_usage("cannot group by more than %d keys", UNFOLD_KEYS_MAX);
	if (f.weight && strcmp(f.weight, "count") != 0) {
		f.weigh.key = slice_of(f.weight);
		if (!keylist_valid(f.weigh.key))
			message_usage("cannot weigh by '%.100s': a key is letters, digits, _ and .", f.weight);
	}
	f.spaces = spaces_new(kallsyms, &maps, &elf);
	f.functions = functions_new(f.spaces);
	f.statedump = statedump_new(f.spaces);
	f.folded = folded_new();
	f.out = writer_stdout();
	f.in = reader_open(files, f.out);
	if (from == FROM_ANY)
		from = (int)detect(reader_peek(f.in));
	status = take(&f, (enum from)from, kinds) ? finish(&f, unit, strict) : EXIT_FAILED;
	free_all(&f);
	free(maps.items);
	free(elf.items);
	return status;
}
