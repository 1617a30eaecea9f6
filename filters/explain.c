// SPDX-License-Identifier: MIT
/*
 * explain: why spans took so long: what their thread did meanwhile, to the nanosecond.
 *
 *	$ spans raw.tskv | explain --by syscall --slowest 10 name=fdatasync
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/message.h"
#include "base/options.h"
#include "explain/explained.h"
#include "explain/slowest.h"
#include "records/expression.h"
#include "records/loss.h"
#include "records/reader.h"
#include "records/rows.h"
#include "records/writer.h"

enum {
	WAITING_MAX = 1 << 16,
	/* Two clocks read on two CPUs: the server's end may seem to come after the client's. */
	LATE_NS = 100000000,
};

struct explain {
	/* Options: */
	const char *by;
	uint64_t threshold, slowest, reach;
	bool strict, summary;
	struct option_list files;
	struct expression *chosen;

	struct reader *in;
	struct writer *out;
	struct history *history;
	struct exchanges *exchanges;
	struct loss loss;
	struct lookup ev;
	struct explained_fields fields;

	struct explained **queue;	/* a ring, in the order of their ends */
	size_t room, first, n;
	struct explained *alone, **alone_end;	/* of these, whose server's side is still to be found */
	struct slowest top;

	uint64_t read, explained, partly, early, unusable, requests, unserved;
	__int128 total_ns;
	struct {
		__int128 ns;
		int64_t worst;
		uint64_t n;
	} sum[CAUSES];
};

static bool prints_records(const struct explain *e)
{
	return !e->slowest && !e->summary;
}

static void add_up(struct explain *e, const struct explained *item)
{
	e->explained++;
	e->partly += item->split.part[CAUSE_UNKNOWN] != 0;
	e->total_ns += item->to - item->from;
	for (int c = 0; c < CAUSES; c++) {
		int64_t ns = item->split.part[c];

		e->sum[c].ns += ns;
		e->sum[c].n += ns != 0;
		if (ns > e->sum[c].worst)
			e->sum[c].worst = ns;
	}
}

/* Gives out what is done, in the order of time. */
static void drain(struct explain *e)
{
	while (e->n && e->queue[e->first]->waits_for == EXPLAINED_DONE) {
		struct explained *item = e->queue[e->first];

		e->first = (e->first + 1) & (e->room - 1);
		e->n--;
		if (item->lost) {
			writer_bytes(e->out, item->text, item->len);
		} else {
			add_up(e, item);
			if (e->slowest)
				item = slowest_keep(&e->top, item);
			else if (!e->summary)
				explained_write(e->out, e->history, item, slice_of(e->by));
		}
		explained_free(item);
	}
}

/*
 * Whether all is known of the thread up to the time: its states, and the system call that it may be in.
 * The slice in which a span ends is known when it is over.
 */
static bool is_covered(const struct life *life, int64_t to, bool in_call)
{
	if (life->tid == 0)
		return true;	/* the idle threads have no states */
	if (!life->states.begun || life->states.end < to)
		return false;
	return in_call || life->ended || !life->has_calls || life->calls.end >= to;
}

static void wait_for(struct life *life, struct explained *item)
{
	item->next = NULL;
	if (life->first)
		life->last->next = item;
	else
		life->first = item;
	life->last = item;
}

/*
 * A request of which no thread is known but the server's: that begins to serve it when it is woken, not when it
 * gets to read it.
 */
static void split_request(struct explain *e, const struct life *life, struct explained *item)
{
	struct exchange *served = &item->server->exchange;

	if (served->from < item->from)
		served->from = item->from;
	if (served->to > item->to)
		served->to = item->to;
	served->from = history_awake(life, served->from, item->from);
	history_split(e->history, life, served->from, served->to, NULL, &item->split);
	explained_outside(item, served->from - item->from, item->to - served->to);
}

/* What is known of the item's own thread, or of the server's, is all that will be. */
static void finish_side(struct explain *e, struct life *life, struct explained *item)
{
	struct explained_server *server = item->server;

	if (item->waits_for == EXPLAINED_OWN_SIDE) {
		history_split(e->history, life, item->from, item->to, item->in_call ? &item->call : NULL,
			      &item->split);
		item->waits_for = server ? EXPLAINED_SERVER_SIDE : EXPLAINED_DONE;
		if (!server)
			return;
		life = history_at(e->history, server->exchange.tid, item->to);
		if (!is_covered(life, server->exchange.to, false)) {
			wait_for(life, item);
			return;
		}
	}
	item->waits_for = EXPLAINED_DONE;
	if (item->tid < 0) {
		split_request(e, life, item);
		return;
	}
	history_split(e->history, life, server->exchange.from, server->exchange.to, NULL, &server->split);
	item->split.incomplete |= server->split.incomplete;
}

static int64_t needed_until(const struct explained *item)
{
	return item->waits_for == EXPLAINED_OWN_SIDE ? item->to : item->server->exchange.to;
}

/* More is known of the thread. */
static void settle(struct explain *e, struct life *life)
{
	life->held = true;
	while (life->first && is_covered(life, needed_until(life->first), life->first->in_call)) {
		struct explained *item = life->first;

		life->first = item->next;
		if (item->in_call)
			life->settled = item->to;
		finish_side(e, life, item);
	}
	life->held = false;
}

/* Finds the server's side of the first that still lacks it. */
static void match_first(struct explain *e)
{
	struct explained *item = e->alone;
	struct exchange *wanted = &item->server->exchange;
	const struct exchange *found = exchanges_find(
		e->exchanges, (struct slice){ wanted->connection, wanted->len }, item->from, item->to);
	struct life *life;

	e->alone = item->next;
	if (!e->alone)
		e->alone_end = &e->alone;
	if (found) {
		*wanted = *found;
	} else {
		free(item->server);
		item->server = NULL;
	}
	if (item->tid < 0 && !found) {
		explained_outside(item, item->to - item->from, 0);
		item->split.part[CAUSE_UNKNOWN] = item->split.part[CAUSE_OUTSIDE];
		item->split.part[CAUSE_OUTSIDE] = 0;
		item->waits_for = EXPLAINED_DONE;
		e->unserved++;
		return;
	}
	item->waits_for = item->tid < 0 ? EXPLAINED_SERVER_SIDE : EXPLAINED_OWN_SIDE;
	life = history_at(e->history, item->tid < 0 ? wanted->tid : item->tid, item->to);
	wait_for(life, item);
	settle(e, life);
}

/* Nothing more will be known of what the first in the queue waits for, or it has waited enough. */
static void finish_first(struct explain *e)
{
	struct explained *item = e->queue[e->first];

	if (item->waits_for == EXPLAINED_EXCHANGE)
		match_first(e);	/* they are in the queue's order */
	while (item->waits_for != EXPLAINED_DONE) {
		bool own = item->waits_for == EXPLAINED_OWN_SIDE;
		struct life *life = history_find(e->history, own ? item->tid : item->server->exchange.tid);
		struct explained **link = &life->first, *before = NULL;

		for (; *link != item; link = &(*link)->next)
			before = *link;
		*link = item->next;
		if (life->last == item)
			life->last = before;
		finish_side(e, life, item);
	}
	drain(e);
}

static void push(struct explain *e, struct explained *item)
{
	if (e->n == WAITING_MAX) {
		e->early++;
		finish_first(e);
	}
	if (e->n == e->room) {
		size_t room = e->room ? e->room * 2 : 64;
		struct explained **queue = memory_get(room * sizeof *queue);

		for (size_t i = 0; i < e->n; i++)
			queue[i] = e->queue[(e->first + i) & (e->room - 1)];
		free(e->queue);
		e->queue = queue;
		e->room = room;
		e->first = 0;
	}
	e->queue[(e->first + e->n++) & (e->room - 1)] = item;
}

static void explain_later(struct explain *e, const struct record *record, const struct history_span *span,
			  bool is_call)
{
	char connection[EXCHANGE_CONNECTION];
	size_t len = exchanges_connection(e->exchanges, record, connection);
	struct explained *item = explained_new(&e->fields, record, span, (struct slice){ connection, len });
	struct life *life;

	if (is_call) {
		item->in_call = true;
		item->call = history_call(e->history, record);
	}
	push(e, item);
	if (len) {
		e->requests++;
		item->next = NULL;
		*e->alone_end = item;
		e->alone_end = &item->next;
		return;
	}
	life = history_at(e->history, span->tid, span->to);
	wait_for(life, item);
	settle(e, life);
}

static void pass_lost(struct explain *e, const struct record *record)
{
	history_lost(e->history, record);
	if (prints_records(e))
		push(e, explained_lost(record));
}

static bool has_connection(struct explain *e, const struct record *record)
{
	char connection[EXCHANGE_CONNECTION];

	return exchanges_connection(e->exchanges, record, connection) > 0;
}

/* A span that is to be explained lacks its thread or time. */
static void refuse(struct explain *e)
{
	if (e->unusable++ == 0)
		reader_complain(e->in, "tid or dur_ns", "to be explained, a span needs both, and ts");
}

static void take(struct explain *e, const struct record *record)
{
	const struct slice *ev = lookup_value(&e->ev, record);
	enum history_kind kind = ev ? history_kind(*ev) : HISTORY_NOTHING;
	bool chosen = ev && slice_equal(*ev, slice_of(e->by)), is_call = chosen && kind == HISTORY_SYSCALL;
	bool exchange = ev && slice_equal(*ev, SLICE("tcp"));
	struct history_span span;
	struct life *life;

	e->read++;
	if (!ev || (kind == HISTORY_NOTHING && !chosen && !exchange))
		return;
	if (!history_time(e->history, record, &span)) {
		if (chosen && expression_holds(e->chosen, record))
			refuse(e);
		return;
	}
	while (e->alone && span.to > e->alone->to && span.to - e->alone->to > LATE_NS)
		match_first(e);
	chosen = chosen && (uint64_t)(span.to - span.from) >= e->threshold && expression_holds(e->chosen, record);
	if (span.tid < 0 && !(chosen && has_connection(e, record))) {
		if (chosen)
			refuse(e);
		return;
	}
	life = span.tid < 0 ? NULL : history_add(e->history, kind, &span, record);
	if (life)
		settle(e, life);
	if (exchange)
		exchanges_add(e->exchanges, record, span.tid, span.from, span.to);
	if (chosen) {
		explain_later(e, record, &span, is_call);
	} else if (is_call) {
		/* No later call asks for what was before this one. */
		life = history_find(e->history, span.tid);
		if (life && !life->first)
			life->settled = span.to;
	}
}

static void print_summary(struct explain *e)
{
	static const struct column columns[] = {
		{ { "cause", 5 }, COLUMN_TEXT }, { { "total", 5 }, COLUMN_NS },
		{ { "share", 5 }, COLUMN_NUMBER }, { { "spans", 5 }, COLUMN_NUMBER }, { { "longest", 7 }, COLUMN_NS },
	};
	struct rows *rows = rows_open(e->out, ROWS_TABLE, columns, 5, false);
	bool shown[CAUSES] = { false };

	for (int i = 0; i < CAUSES; i++) {
		int most = -1, len;
		char share[32];

		for (int c = 0; c < CAUSES; c++)
			if (!shown[c] && (most < 0 || e->sum[c].ns > e->sum[most].ns))
				most = c;
		shown[most] = true;
		if (e->sum[most].ns == 0)
			break;
		len = snprintf(share, sizeof share, "%.1f %%",
			       100 * (double)e->sum[most].ns / (double)e->total_ns);
		rows_put(rows, 0, SLICE("explain"), (struct cell[]){
			cell_text(cause_phrase((enum cause)most)), cell_whole(e->sum[most].ns),
			cell_text((struct slice){ share, (size_t)len }), cell_whole(e->sum[most].n),
			cell_whole(e->sum[most].worst) });
	}
	rows_close(rows);
}

/* What is doubtful, a line each. */
static void report(const struct explain *e)
{
	uint64_t disordered = history_disordered(e->history);

	if (e->read && !e->explained && !e->unusable)
		message("nothing to explain: none of %llu records is an ev=%.60s that was asked for",
			(unsigned long long)e->read, e->by);
	if (e->partly)
		message("%llu of %llu spans have time of which nothing is known, %.3g %% of all: the input "
			"does not tell all states of their threads, or --reach is too short",
			(unsigned long long)e->partly, (unsigned long long)e->explained,
			100 * (double)e->sum[CAUSE_UNKNOWN].ns / (double)e->total_ns);
	if (e->unserved)
		message("%llu of %llu requests have no server's side: no ev=tcp role=server has their connection "
			"and time",
			(unsigned long long)e->unserved, (unsigned long long)e->requests);
	if (disordered)
		message("%llu spans came after one of the same thread that ended later, and were not used",
			(unsigned long long)disordered);
	if (e->early)
		message("%llu spans did not wait for the end of their thread's slice: more than %d were "
			"waiting",
			(unsigned long long)e->early, WAITING_MAX);
}

/* As awk does with assignments among its files. */
static bool is_expression(const char *operand)
{
	return *operand == '!' || strpbrk(operand, "=<>~");
}

/* Splits the operands into expressions, and the files that follow those of -f. */
static void sort_operands(struct explain *e, char **operands)
{
	size_t n = 0;

	for (size_t i = 0; operands[i]; i++) {
		if (is_expression(operands[i])) {
			operands[n++] = operands[i];
			continue;
		}
		e->files.items = memory_grow(e->files.items, &e->files.room, e->files.count + 2,
					     sizeof *e->files.items);
		e->files.items[e->files.count++] = operands[i];
	}
	operands[n] = NULL;
	e->files.items = memory_grow(e->files.items, &e->files.room, e->files.count + 1,
				     sizeof *e->files.items);
	e->files.items[e->files.count] = NULL;
	e->chosen = expression_parse(operands);
}

static void parse(struct explain *e, char **argv)
{
	const struct option options[] = {
		{ 'b', "by", "EV", "explain the spans with this ev: syscall, http, tcp, period ... (syscall)",
		  OPTION_TEXT, .to = &e->by },
		{ 't', "threshold", "TIME", "only spans that took so long, in ms or with its unit (0)",
		  OPTION_MILLISECONDS, .to = &e->threshold },
		{ 'n', "slowest", "N", "print the N slowest, as a table for people", OPTION_COUNT,
		  .to = &e->slowest, .min = 1, .max = 1000000 },
		{ 's', "summary", NULL, "print what the time of all of them went to, as a table", OPTION_FLAG,
		  .to = &e->summary },
		{ 'r', "reach", "TIME", "how far back spans are remembered, in s or with its unit (60)",
		  OPTION_SECONDS, .to = &e->reach },
		{ 'f', "file", "FILE", "read FILE; may be repeated", OPTION_LIST, .to = &e->files },
		{ 0, "strict", NULL, "exit with status 3 when events were lost", OPTION_FLAG,
		  .to = &e->strict },
		{ 0 },
	};
	const struct program program = {
		.name = "explain",
		.does = "split the time of spans into running, runnable and blocked, and say why",
		.operands = "[EXPR...] [FILE...]",
		.options = options,
		.examples = "  spans raw.tskv | explain --by syscall --slowest 10\n"
			    "  explain --by syscall -t 10ms comm=postgres name=fdatasync spans.tskv\n"
			    "  explain --by period spans.tskv | stats -g main dur_ns\n",
	};

	sort_operands(e, options_parse(&program, argv));
	if (!*e->by)
		message_usage("cannot explain spans without an ev: --by is empty");
	if (e->reach > INT64_MAX)
		e->reach = INT64_MAX;
}

static void finish(struct explain *e)
{
	while (e->n)
		finish_first(e);
	if (e->slowest)
		slowest_print(&e->top, e->out, e->history, slice_of(e->by));
	if (e->slowest && e->summary && e->explained)
		writer_bytes(e->out, "\n", 1);
	if (e->summary)
		print_summary(e);
	writer_close(e->out);
	report(e);
}

static void explain_free(struct explain *e)
{
	lookup_free(&e->ev);
	explained_fields_free(&e->fields);
	slowest_free(&e->top);
	free(e->queue);
	free(e->files.items);
	expression_free(e->chosen);
	exchanges_free(e->exchanges);
	history_free(e->history);
}

int main(int argc, char **argv)
{
	struct explain e = {
		.by = "syscall", .reach = 60000000000, .loss = LOSS, .ev = LOOKUP("ev"),
		.fields = EXPLAINED_FIELDS,
	};
	const struct record *record;
	int status;

	(void)argc;
	parse(&e, argv);
	e.top.max = e.slowest;
	e.alone_end = &e.alone;
	e.history = history_new((int64_t)e.reach, strcmp(e.by, "syscall") != 0);
	e.exchanges = exchanges_new();
	e.out = writer_stdout();
	e.in = reader_open((char **)(uintptr_t)e.files.items, e.out);
	while ((record = reader_next(e.in))) {
		if (loss_is(&e.loss, record))
			pass_lost(&e, record);
		else
			take(&e, record);
		drain(&e);
	}
	status = reader_close(e.in) ? EXIT_COMPLETE : EXIT_FAILED;
	finish(&e);
	if (loss_report(&e.loss, "what is explained is", e.strict) && status == EXIT_COMPLETE)
		status = EXIT_LOSS;
	explain_free(&e);
	return status;
}
