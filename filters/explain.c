// SPDX-License-Identifier: MIT
/*
 * explain: why spans took so long: what their thread did meanwhile, to the nanosecond.
 *
 *	$ spans raw.tskv | explain --by syscall --slowest 10 name=fdatasync
 */
#include <stdio.h>
#include <stdlib.h>

#include "account.h"
#include "exchange.h"
#include "expression.h"
#include "loss.h"
#include "memory.h"
#include "message.h"
#include "number.h"
#include "options.h"
#include "reader.h"
#include "rows.h"
#include "writer.h"

enum {
	WAITING_MAX = 1 << 16,
	IDENTITY_BYTES = 4096,	/* what is kept of a span's own fields */
};

/* A span that is explained, or a record ev=lost on its way between those. */
struct item {
	struct item *next;	/* waits for the same thread */
	int64_t from, to, tid;
	enum { OWN_SIDE, SERVER_SIDE, DONE } waits_for;
	bool lost;
	bool in_call;		/* it is a system call: */
	struct history_call call;
	int64_t wait_ns, transfer_ns;	/* -1: not known */
	struct split split;
	struct server {
		struct exchange exchange;
		struct split split;
	} *server;		/* NULL: not in the stream */
	size_t who, len;	/* the text: cpu pid tid comm, then its other fields */
	char text[];
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
	struct lookup ev, dns, connect, tls, ttfb;

	struct item **queue;	/* a ring, in the order of their ends */
	size_t room, first, n;
	struct item **top;	/* a heap of the slowest, the least of them first */
	size_t top_n, top_room;

	uint64_t explained, partly, early, unusable;
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

static void item_free(struct item *item)
{
	if (item)
		free(item->server);
	free(item);
}

/* The least of two: the shorter one, and of those as long the later one. */
static bool less(const struct item *a, const struct item *b)
{
	int64_t x = a->to - a->from, y = b->to - b->from;

	return x != y ? x < y : a->to != b->to ? a->to > b->to : a->tid > b->tid;
}

static void swap(struct item **a, struct item **b)
{
	struct item *other = *a;

	*a = *b;
	*b = other;
}

static void sift_down(struct item **heap, size_t n, size_t at)
{
	for (;;) {
		size_t child = 2 * at + 1;

		if (child + 1 < n && less(heap[child + 1], heap[child]))
			child++;
		if (child >= n || !less(heap[child], heap[at]))
			return;
		swap(&heap[child], &heap[at]);
		at = child;
	}
}

/* Keeps the item if it is one of the slowest so far, and gives back what is kept no more. */
static struct item *keep(struct explain *e, struct item *item)
{
	if (e->top_n == e->slowest) {
		if (!less(e->top[0], item))
			return item;
		swap(&e->top[0], &item);
		sift_down(e->top, e->top_n, 0);
		return item;
	}
	e->top = memory_grow(e->top, &e->top_room, e->top_n + 1, sizeof *e->top);
	e->top[e->top_n++] = item;
	for (size_t i = e->top_n - 1; i && less(e->top[i], e->top[(i - 1) / 2]); i = (i - 1) / 2)
		swap(&e->top[i], &e->top[(i - 1) / 2]);
	return NULL;
}

static void write_record(struct explain *e, const struct item *item)
{
	struct writer *out = e->out;

	writer_begin(out, item->to, SLICE("explain"));
	writer_bytes(out, item->text, item->who);
	writer_raw(out, KEY("by"), slice_of(e->by));
	writer_bytes(out, item->text + item->who, item->len - item->who);
	account_write(out, e->history, &item->split, false);
	if (item->wait_ns >= 0)
		writer_i64(out, KEY("wait_ns"), item->wait_ns);
	if (item->transfer_ns >= 0)
		writer_i64(out, KEY("transfer_ns"), item->transfer_ns);
	if (item->server) {
		const struct exchange *exchange = &item->server->exchange;

		if (exchange->pid >= 0)
			writer_i64(out, KEY("server.pid"), exchange->pid);
		writer_i64(out, KEY("server.tid"), exchange->tid);
		if (exchange->comm.len)
			writer_raw(out, KEY("server.comm"), label_text(&exchange->comm));
		writer_i64(out, KEY("server.dur_ns"), exchange->to - exchange->from);
		account_write(out, e->history, &item->server->split, true);
	}
	if (item->split.incomplete)
		writer_raw(out, KEY("incomplete"), SLICE("1"));
	writer_end(out);
}

static void add_up(struct explain *e, const struct item *item)
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
	while (e->n && e->queue[e->first]->waits_for == DONE) {
		struct item *item = e->queue[e->first];

		e->first = (e->first + 1) & (e->room - 1);
		e->n--;
		if (item->lost) {
			writer_bytes(e->out, item->text, item->len);
		} else {
			add_up(e, item);
			if (e->slowest)
				item = keep(e, item);
			else if (!e->summary)
				write_record(e, item);
		}
		item_free(item);
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

static void wait_for(struct life *life, struct item *item)
{
	item->next = NULL;
	if (life->first)
		life->last->next = item;
	else
		life->first = item;
	life->last = item;
}

/* What is known of the item's own thread, or of the server's, is all that will be. */
static void finish_side(struct explain *e, struct life *life, struct item *item)
{
	struct server *server = item->server;

	if (item->waits_for == OWN_SIDE) {
		history_split(e->history, life, item->from, item->to, item->in_call ? &item->call : NULL,
			      &item->split);
		item->waits_for = server ? SERVER_SIDE : DONE;
		if (!server)
			return;
		life = history_at(e->history, server->exchange.tid, item->to);
		if (!is_covered(life, server->exchange.to, false)) {
			wait_for(life, item);
			return;
		}
	}
	history_split(e->history, life, server->exchange.from, server->exchange.to, NULL, &server->split);
	item->split.incomplete |= server->split.incomplete;
	item->waits_for = DONE;
}

static int64_t needed_until(const struct item *item)
{
	return item->waits_for == OWN_SIDE ? item->to : item->server->exchange.to;
}

/* More is known of the thread. */
static void settle(struct explain *e, struct life *life)
{
	life->held = true;
	while (life->first && is_covered(life, needed_until(life->first), life->first->in_call)) {
		struct item *item = life->first;

		life->first = item->next;
		if (item->in_call)
			life->settled = item->to;
		finish_side(e, life, item);
	}
	life->held = false;
}

/* Nothing more will be known of what the first in the queue waits for, or it has waited enough. */
static void finish_first(struct explain *e)
{
	struct item *item = e->queue[e->first];

	while (item->waits_for != DONE) {
		bool own = item->waits_for == OWN_SIDE;
		struct life *life = history_find(e->history, own ? item->tid : item->server->exchange.tid);
		struct item **link = &life->first, *before = NULL;

		for (; *link != item; link = &(*link)->next)
			before = *link;
		*link = item->next;
		if (life->last == item)
			life->last = before;
		finish_side(e, life, item);
	}
	drain(e);
}

static void push(struct explain *e, struct item *item)
{
	if (e->n == WAITING_MAX) {
		e->early++;
		finish_first(e);
	}
	if (e->n == e->room) {
		size_t room = e->room ? e->room * 2 : 64;
		struct item **queue = memory_get(room * sizeof *queue);

		for (size_t i = 0; i < e->n; i++)
			queue[i] = e->queue[(e->first + i) & (e->room - 1)];
		free(e->queue);
		e->queue = queue;
		e->room = room;
		e->first = 0;
	}
	e->queue[(e->first + e->n++) & (e->room - 1)] = item;
}

static bool is_who(struct slice key)
{
	return slice_equal(key, SLICE("cpu")) || slice_equal(key, SLICE("pid")) ||
	       slice_equal(key, SLICE("tid")) || slice_equal(key, SLICE("comm"));
}

/* Copies the fields that tell who it was, or the others, behind TEXT's LEN bytes; the new length. */
static size_t copy_fields(char *text, size_t len, const struct record *record, bool who)
{
	for (uint32_t i = 0; i < record->shape->n; i++) {
		struct slice key = record->shape->key[i], value = record->value[i];

		if (is_who(key) != who || slice_equal(key, SLICE("ts")) || slice_equal(key, SLICE("ev")) ||
		    account_has_key(key) || len + key.len + value.len + 2 > IDENTITY_BYTES)
			continue;
		text[len] = '\t';
		memcpy(text + len + 1, key.at, key.len);
		text[len + 1 + key.len] = '=';
		memcpy(text + len + 2 + key.len, value.at, value.len);
		len += key.len + value.len + 2;
	}
	return len;
}

static int64_t phase(struct lookup *field, const struct record *record, int64_t absent)
{
	int64_t ns;

	return lookup_i64(field, record, &ns) && ns >= 0 ? ns : absent;
}

/* A request's time: until the first byte of the answer, less what came before the request was sent; the rest. */
static void split_phases(struct explain *e, const struct record *record, struct item *item)
{
	int64_t dur = item->to - item->from, ttfb = phase(&e->ttfb, record, -1), before = 0;

	item->wait_ns = item->transfer_ns = -1;
	if (ttfb < 0 || ttfb > dur)
		return;
	item->transfer_ns = dur - ttfb;
	if (!__builtin_add_overflow(before, phase(&e->dns, record, 0), &before) &&
	    !__builtin_add_overflow(before, phase(&e->connect, record, 0), &before) &&
	    !__builtin_add_overflow(before, phase(&e->tls, record, 0), &before) && before <= ttfb)
		item->wait_ns = ttfb - before;
}

static void explain_later(struct explain *e, const struct record *record, const struct history_span *span,
			  bool is_call)
{
	char text[IDENTITY_BYTES];
	size_t who = copy_fields(text, 0, record, true), len = copy_fields(text, who, record, false);
	struct item *item = memory_get(sizeof *item + len);
	const struct exchange *exchange = exchanges_find(e->exchanges, record, span->from, span->to);
	struct life *life;

	*item = (struct item){ .from = span->from, .to = span->to, .tid = span->tid, .who = who, .len = len };
	memcpy(item->text, text, len);
	if (is_call) {
		item->in_call = true;
		item->call = history_call(e->history, record);
	}
	split_phases(e, record, item);
	if (exchange) {
		item->server = memory_get(sizeof *item->server);
		item->server->exchange = *exchange;
	}
	push(e, item);
	life = history_at(e->history, span->tid, span->to);
	wait_for(life, item);
	settle(e, life);
}

static void pass_lost(struct explain *e, const struct record *record)
{
	struct item *item;

	history_lost(e->history, record);
	if (!prints_records(e))
		return;
	item = memory_get(sizeof *item + record->len);
	*item = (struct item){ .waits_for = DONE, .lost = true, .len = record->len };
	memcpy(item->text, record->line, record->len);
	push(e, item);
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

	if (!ev || (kind == HISTORY_NOTHING && !chosen && !exchange))
		return;
	if (!history_span(e->history, record, &span)) {
		if (chosen)
			refuse(e);
		return;
	}
	life = history_add(e->history, kind, &span, record);
	if (life)
		settle(e, life);
	if (exchange)
		exchanges_add(e->exchanges, record, span.tid, span.from, span.to);
	if (chosen && (uint64_t)(span.to - span.from) >= e->threshold && expression_holds(e->chosen, record)) {
		explain_later(e, record, &span, is_call);
	} else if (is_call) {
		/* No later call asks for what was before this one. */
		life = history_find(e->history, span.tid);
		if (life && !life->first)
			life->settled = span.to;
	}
}

/* The value of a field of an item, by `TAB KEY =`. */
static struct slice field_of(const struct item *item, const char *key)
{
	size_t n = strlen(key);
	const char *at = memmem(item->text, item->len, key, n), *end;

	if (!at)
		return SLICE("");
	at += n;
	end = memchr(at, '\t', (size_t)(item->text + item->len - at));
	return (struct slice){ at, (size_t)((end ? end : item->text + item->len) - at) };
}

/* Writes `A B C` without blanks where one of them is all that is missing. */
static struct slice join(char *to, struct slice a, const char *between, struct slice b)
{
	size_t n = a.len && b.len ? strlen(between) : 0;

	memcpy(to, a.at, a.len);
	memcpy(to + a.len, between, n);
	memcpy(to + a.len + n, b.at, b.len);
	return (struct slice){ to, a.len + n + b.len };
}

/* What the span is: the name of the call, the URL, the address. */
static struct slice what_of(const struct explain *e, const struct item *item, char *to)
{
	struct slice name = field_of(item, "\tname="), url = field_of(item, "\turl=");

	if (name.len || url.len)
		return name.len ? name : url;
	if (field_of(item, "\tdport=").len)
		return join(to, field_of(item, "\tdaddr="), ":", field_of(item, "\tdport="));
	return slice_of(e->by);
}

static size_t sentence_of(const struct explain *e, const struct item *item, char *to)
{
	static const char server[] = "; server: ";
	size_t len = account_sentence(to, e->history, &item->split, !item->in_call);

	if (item->server) {
		memcpy(to + len, server, sizeof server - 1);
		len += sizeof server - 1;
		len += account_sentence(to + len, e->history, &item->server->split, true);
	}
	if (item->split.incomplete) {
		memcpy(to + len, "; events were lost", 18);
		len += 18;
	}
	return len;
}

static void print_slowest(struct explain *e)
{
	static const struct column columns[] = {
		{ { "took", 4 }, COLUMN_NS }, { { "what", 4 }, COLUMN_TEXT }, { { "who", 3 }, COLUMN_TEXT },
		{ { "where the time went", 19 }, COLUMN_SENTENCE },
	};
	struct rows *rows = rows_open(e->out, ROWS_TABLE, columns, 4, true);
	size_t n = e->top_n;

	/* A heap sort: the least goes to the end. */
	while (n > 1) {
		swap(&e->top[0], &e->top[--n]);
		sift_down(e->top, n, 0);
	}
	for (size_t i = 0; i < e->top_n; i++) {
		char what[IDENTITY_BYTES + 2], who[IDENTITY_BYTES + 2], sentence[2 * ACCOUNT_SENTENCE + 64];
		const struct item *item = e->top[i];
		struct slice thread = join(who, field_of(item, "\tcomm="), "/", field_of(item, "\ttid="));
		size_t len = sentence_of(e, item, sentence);

		rows_put(rows, item->to, SLICE("explain"), (struct cell[]){
			cell_whole(item->to - item->from), cell_text(what_of(e, item, what)), cell_text(thread),
			cell_text((struct slice){ sentence, len }) });
	}
	rows_close(rows);
}

static void print_summary(struct explain *e)
{
	static const struct column columns[] = {
		{ { "cause", 5 }, COLUMN_TEXT }, { { "total", 5 }, COLUMN_NS }, { { "share", 5 }, COLUMN_NUMBER },
		{ { "spans", 5 }, COLUMN_NUMBER }, { { "longest", 7 }, COLUMN_NS },
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
		len = snprintf(share, sizeof share, "%.1f %%", 100 * (double)e->sum[most].ns / (double)e->total_ns);
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

	if (e->partly)
		message("%llu of %llu spans have time of which nothing is known, %.3g %% of all: the input does not "
			"tell all states of their threads, or --reach is too short",
			(unsigned long long)e->partly, (unsigned long long)e->explained,
			100 * (double)e->sum[CAUSE_UNKNOWN].ns / (double)e->total_ns);
	if (disordered)
		message("%llu spans came after one of the same thread that ended later, and were not used",
			(unsigned long long)disordered);
	if (e->early)
		message("%llu spans did not wait for the end of their thread's slice: more than %d were waiting",
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
	e->files.items = memory_grow(e->files.items, &e->files.room, e->files.count + 1, sizeof *e->files.items);
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
		{ 0, "strict", NULL, "exit with status 3 when events were lost", OPTION_FLAG, .to = &e->strict },
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
		print_slowest(e);
	if (e->slowest && e->summary && e->explained)
		writer_bytes(e->out, "\n", 1);
	if (e->summary)
		print_summary(e);
	writer_close(e->out);
	report(e);
}

static void explain_free(struct explain *e)
{
	struct lookup *fields[] = { &e->ev, &e->dns, &e->connect, &e->tls, &e->ttfb };

	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
		lookup_free(fields[i]);
	for (size_t i = 0; i < e->top_n; i++)
		item_free(e->top[i]);
	free(e->top);
	free(e->queue);
	free(e->files.items);
	expression_free(e->chosen);
	exchanges_free(e->exchanges);
	history_free(e->history);
}

int main(int argc, char **argv)
{
	struct explain e = {
		.by = "syscall", .reach = 60000000000, .loss = LOSS, .ev = LOOKUP("ev"), .dns = LOOKUP("dns_ns"),
		.connect = LOOKUP("connect_ns"), .tls = LOOKUP("tls_ns"), .ttfb = LOOKUP("ttfb_ns"),
	};
	const struct record *record;
	int status;

	(void)argc;
	parse(&e, argv);
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
