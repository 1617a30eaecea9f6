// SPDX-License-Identifier: MIT
/*
 * pair: each start event and the end event with the same keys become a span, ev=period.
 *
 *	$ lttng-convert TRACE | pair -s app:request_begin -e app:request_end -k id
 */
#include <stdlib.h>

#include "base/memory.h"
#include "base/message.h"
#include "base/options.h"
#include "base/table.h"
#include "records/keylist.h"
#include "records/loss.h"
#include "records/match.h"
#include "records/reader.h"
#include "records/writer.h"

enum { OPEN_MAX = 1 << 20, KEYS_MAX = 16 };

/* EVENT[,key=value,...]: which records begin or end a period. */
struct edge {
	char **words;
	struct slice ev;
	struct match *match;
	size_t n;
};

/* A period that has begun. Its texts are one behind the other, as the record has them. */
struct open {
	struct open *next;	/* of those with the same hash */
	int64_t ts;
	size_t keys_len;	/* of `text`: the values of the keys; then those of who and captures */
	uint32_t *len;		/* by field; ABSENT: the record has none */
	char text[];
};
#define ABSENT UINT32_MAX

struct pair {
	struct edge start, end;
	struct keylist start_keys, end_keys, who, capture;
	struct key *key_key, *who_key, *capture_key;	/* for the writer */
	struct slice name;
	bool first;

	struct table *open;	/* by the hash of the keys' values: struct open * */
	struct slice *values;	/* scratch: keys, who and captures of the record at hand */
	char *text;
	size_t text_room;
	uint64_t count, starts, ends;	/* that are open; without the other */
	uint64_t keyless, full;
	int64_t gap;		/* until then, events may be missing */

	struct reader *in;
	struct writer *out;
};

static struct edge edge_parse(const char *text)
{
	struct edge edge = { .words = options_split(text) };
	size_t words = 0;

	while (edge.words[words])
		words++;
	edge.ev = slice_of(edge.words[0]);
	if (edge.ev.len == 0)
		message_usage("cannot use '%.200s': it begins with the name of an event", text);
	edge.match = memory_zeroed(words * sizeof *edge.match);
	for (size_t i = 1; i < words; i++)
		if (!match_parse(&edge.match[edge.n++], edge.words[i]))
			message_usage("cannot use '%.200s': '%.100s' is not KEY=VALUE", text, edge.words[i]);
	return edge;
}

static void edge_free(struct edge *edge)
{
	for (size_t i = 0; i < edge->n; i++)
		lookup_free(&edge->match[i].key);
	free(edge->match);
	free(edge->words);
}

static bool edge_is(struct edge *edge, struct slice ev, const struct record *record)
{
	size_t i = 0;

	if (!match_text(ev, edge->ev))
		return false;
	while (i < edge->n && match_holds(&edge->match[i], record))
		i++;
	return i == edge->n;
}

/* KEY,... or STARTKEY=ENDKEY,...: two lists, of which the first names the fields. */
static void parse_keys(struct pair *p, const char *text)
{
	char *start = memory_get(strlen(text) + 1), *end = memory_get(strlen(text) + 1), *s = start, *e = end;
	bool both = true, first = true;	/* which of the lists a character belongs to */

	for (const char *c = text; ; c++) {
		if (*c == '=' && both) {
			both = false;
			first = false;
			while (e > end && e[-1] != ',')
				e--;
			continue;
		}
		if (*c == ',' || *c == '\0')
			both = first = true;
		if (first)
			*s++ = *c;
		*e++ = *c;
		if (*c == '\0')
			break;
	}
	p->start_keys = keylist_parse(start, "key");
	p->end_keys = keylist_parse(end, "key");
	if (p->start_keys.n > KEYS_MAX)
		message_usage("cannot pair by more than %d keys", KEYS_MAX);
	free(start);
	free(end);
}

static struct key *writer_keys(const struct keylist *keys)
{
	struct key *all = memory_zeroed((keys->n + 1) * sizeof *all);

	for (size_t i = 0; i < keys->n; i++)
		all[i] = key_of(keys->lookup[i].key);
	return all;
}

static void free_writer_keys(struct key *keys, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free((void *)(uintptr_t)keys[i].at);
	free(keys);
}

/* The values of the keys, one behind the other with a TAB, which no value has: what they are known by. */
static struct slice identity(struct pair *p, const struct slice *values, size_t n)
{
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		p->text = memory_grow(p->text, &p->text_room, len + values[i].len + 1, 1);
		memcpy(p->text + len, values[i].at, values[i].len);
		len += values[i].len;
		p->text[len++] = '\t';
	}
	return (struct slice){ p->text, len };
}

/* Where the pointer to the period of this identity is; NULL: none is open. */
static struct open **find(struct pair *p, struct slice id)
{
	struct open **at = table_find(p->open, slice_hash(id));

	while (at && *at && !slice_equal((struct slice){ (*at)->text, (*at)->keys_len }, id))
		at = &(*at)->next;
	return at && *at ? at : NULL;
}

static void forget(struct pair *p, struct slice id)
{
	uint64_t hash = slice_hash(id);
	struct open **at = find(p, id), *open = *at;

	*at = open->next;
	free(open);
	p->count--;
	at = table_find(p->open, hash);
	if (!*at)
		table_remove(p->open, hash);
}

static void forget_all(struct pair *p)
{
	uint64_t *keys = table_keys(p->open);
	size_t n = table_count(p->open);

	for (size_t i = 0; i < n; i++) {
		struct open *open = *(struct open **)table_find(p->open, keys[i]), *next;

		for (; open; open = next) {
			next = open->next;
			free(open);
		}
		table_remove(p->open, keys[i]);
	}
	p->count = 0;
	free(keys);
}

/* Events are missing from here on, until LAST_TS if that is known: their ends, or starts, may be among them. */
static void lose(struct pair *p, struct lookup *last_ts, const struct record *record)
{
	int64_t until;

	p->starts += p->count;
	forget_all(p);
	if (lookup_i64(last_ts, record, &until) && until > p->gap)
		p->gap = until;
}

static void begin(struct pair *p, const struct record *record, int64_t ts)
{
	size_t n = p->who.n + p->capture.n, size = 0;
	struct slice id, *more = p->values + p->start_keys.n;
	struct open *open, **at;

	if (keylist_values(&p->start_keys, record, p->values) < p->start_keys.n) {
		p->keyless++;
		return;
	}
	id = identity(p, p->values, p->start_keys.n);
	if (find(p, id)) {
		if (p->first)
			return;
		p->starts++;
		forget(p, id);
	}
	if (p->count == OPEN_MAX) {
		p->full++;
		return;
	}
	keylist_values(&p->who, record, more);
	keylist_values(&p->capture, record, more + p->who.n);
	for (size_t i = 0; i < n; i++)
		size += more[i].len;
	open = memory_get(sizeof *open + id.len + size + 4 + n * sizeof *open->len);
	*open = (struct open){ .ts = ts, .keys_len = id.len };
	open->len = (uint32_t *)(uintptr_t)(((uintptr_t)open->text + id.len + size + 3) & ~(uintptr_t)3);
	memcpy(open->text, id.at, id.len);
	size = id.len;
	for (size_t i = 0; i < n; i++) {
		open->len[i] = more[i].at ? (uint32_t)more[i].len : ABSENT;
		if (more[i].len)
			memcpy(open->text + size, more[i].at, more[i].len);
		size += more[i].len;
	}
	at = table_at(p->open, slice_hash(id));
	open->next = *at;
	*at = open;
	p->count++;
}

static void end(struct pair *p, const struct record *record, int64_t ts)
{
	struct slice id, *more = p->values + p->start_keys.n;
	const struct open *open;
	struct open **at;
	size_t from;

	if (keylist_values(&p->end_keys, record, p->values) < p->end_keys.n) {
		p->keyless++;
		return;
	}
	id = identity(p, p->values, p->end_keys.n);
	at = find(p, id);
	if (!at) {
		p->ends++;
		return;
	}
	open = *at;
	keylist_values(&p->capture, record, more);
	writer_begin(p->out, ts, SLICE("period"));
	from = open->keys_len;
	for (size_t i = 0; i < p->who.n; i++) {
		if (open->len[i] == ABSENT)
			continue;
		writer_raw(p->out, p->who_key[i], (struct slice){ open->text + from, open->len[i] });
		from += open->len[i];
	}
	writer_text(p->out, KEY("name"), p->name);
	writer_i64(p->out, KEY("dur_ns"), ts - open->ts);
	for (size_t i = 0; i < p->start_keys.n; i++)
		if (p->key_key[i].at)
			writer_raw(p->out, p->key_key[i], p->values[i]);
	for (size_t i = 0; i < p->capture.n; i++) {
		uint32_t len = open->len[p->who.n + i];

		if (more[i].at)
			writer_raw(p->out, p->capture_key[i], more[i]);
		else if (len != ABSENT)
			writer_raw(p->out, p->capture_key[i], (struct slice){ open->text + from, len });
		from += len == ABSENT ? 0 : len;
	}
	writer_end(p->out);
	forget(p, id);
}

static void report(const struct pair *p)
{
	uint64_t starts = p->count + p->starts;

	if (starts || p->ends)
		message("unpaired: %llu start%s, %llu end%s", (unsigned long long)starts, starts == 1 ? "" : "s",
			(unsigned long long)p->ends, p->ends == 1 ? "" : "s");
	if (p->keyless)
		message("%llu start%s or ends lack a key", (unsigned long long)p->keyless,
			p->keyless == 1 ? "" : "s");
	if (p->full)
		message("%llu starts were left out: %d periods were open", (unsigned long long)p->full,
			OPEN_MAX);
}

/* A key that is written already, by name or as one of those who began it, is not written again. */
static void prepare(struct pair *p, const char *keys, const char *captures)
{
	static const char who[] = "cpu,pid,tid,comm";
	static const struct slice taken[] = { { "ts", 2 }, { "ev", 2 }, { "name", 4 }, { "dur_ns", 6 } };

	parse_keys(p, keys);
	p->who = keylist_parse(who, "key");
	p->capture = keylist_parse(captures, "captured field");
	p->key_key = writer_keys(&p->start_keys);
	p->who_key = writer_keys(&p->who);
	p->capture_key = writer_keys(&p->capture);
	for (size_t i = 0; i < p->start_keys.n + p->capture.n; i++) {
		bool is_key = i < p->start_keys.n;
		struct slice name = is_key ? p->start_keys.lookup[i].key :
					     p->capture.lookup[i - p->start_keys.n].key;

		for (size_t k = 0; k < sizeof taken / sizeof *taken; k++)
			if (slice_equal(name, taken[k]))
				message_usage("cannot use the field '%.*s': each period has one of its own",
					      (int)name.len, name.at);
		for (size_t k = 0; k < p->who.n; k++) {
			if (!slice_equal(name, p->who.lookup[k].key))
				continue;
			if (!is_key)
				message_usage("cannot use the field '%.*s': each period has it, of its start",
					      (int)name.len, name.at);
			free((void *)(uintptr_t)p->key_key[i].at);
			p->key_key[i] = (struct key){ 0 };
		}
		for (size_t k = 0; !is_key && k < p->start_keys.n; k++)
			if (slice_equal(name, p->start_keys.lookup[k].key))
				message_usage("cannot use the field '%.*s' twice", (int)name.len, name.at);
	}
	p->values = memory_zeroed((p->start_keys.n + p->who.n + p->capture.n) * sizeof *p->values);
	p->open = table_new(sizeof(struct open *));
}

static void finish(struct pair *p)
{
	forget_all(p);
	table_free(p->open);
	free_writer_keys(p->key_key, p->start_keys.n);
	free_writer_keys(p->who_key, p->who.n);
	free_writer_keys(p->capture_key, p->capture.n);
	keylist_free(&p->start_keys);
	keylist_free(&p->end_keys);
	keylist_free(&p->who);
	keylist_free(&p->capture);
	edge_free(&p->start);
	edge_free(&p->end);
	free(p->values);
	free(p->text);
}

int main(int argc, char **argv)
{
	const char *start = NULL, *stop = NULL, *keys = "tid", *captures = NULL, *name = NULL;
	bool strict = false, keep = false;
	struct pair p = { .gap = INT64_MIN };
	const struct option options[] = {
		{ 's', "start", "EVENT", "what begins a period: the event's name, and ,KEY=VALUE for conditions",
		  OPTION_TEXT, .to = &start },
		{ 'e', "end", "EVENT", "what ends it", OPTION_TEXT, .to = &stop },
		{ 'k', "key", "KEY,...", "start and end have the same KEYs (tid); A=B: A of the start is B of the "
		  "end", OPTION_TEXT, .to = &keys },
		{ 'c', "capture", "KEY,...", "give periods these fields of the end, else of the start",
		  OPTION_TEXT, .to = &captures },
		{ 'n', "name", "NAME", "call the periods so (the name of the start event)", OPTION_TEXT,
		  .to = &name },
		{ 0, "first", NULL, "a start while the period is open is no new one (without: it begins anew)",
		  OPTION_FLAG, .to = &p.first },
		{ 0, "keep", NULL, "pass all records too, each before the period that it ends", OPTION_FLAG,
		  .to = &keep },
		{ 0, "strict", NULL, "exit with status 3 when events were lost", OPTION_FLAG, .to = &strict },
		{ 0 },
	};
	const struct program program = {
		.name = "pair",
		.does = "pair start events with end events: spans ev=period",
		.operands = "[FILE...]",
		.options = options,
		.examples = "  lttng-convert TRACE | pair -s app:request_begin -e app:request_end -k id\n"
			    "  pair -s irq_softirq_raise -e irq_softirq_entry -k cpu,vec --first raw.tskv\n",
	};
	char **files = options_parse(&program, argv);
	struct lookup ts_lookup = LOOKUP("ts"), ev_lookup = LOOKUP("ev"), last_ts_lookup = LOOKUP("last_ts");
	const struct record *record;
	struct loss loss = LOSS;
	int status;

	(void)argc;
	if (!start || !stop)
		message_usage("cannot pair: it takes a start (-s) and an end (-e)");
	p.start = edge_parse(start);
	p.end = edge_parse(stop);
	p.name = name ? slice_of(name) : p.start.ev;
	prepare(&p, keys, captures);
	p.out = writer_stdout();
	p.in = reader_open(files, p.out);
	while ((record = reader_next(p.in))) {
		const struct slice *ev = lookup_value(&ev_lookup, record);
		bool starts, ends;
		int64_t ts;

		if (loss_is(&loss, record)) {
			lose(&p, &last_ts_lookup, record);
			writer_bytes(p.out, record->line, record->len);
			continue;
		}
		if (keep)
			writer_bytes(p.out, record->line, record->len);
		if (!ev)
			continue;
		starts = edge_is(&p.start, *ev, record);
		ends = edge_is(&p.end, *ev, record);
		if (!starts && !ends)
			continue;
		if (!lookup_i64(&ts_lookup, record, &ts)) {
			reader_complain(p.in, "ts", "it is not a whole number");
			continue;
		}
		/* An event that is both ends the one and begins the next. */
		if (ends)
			end(&p, record, ts);
		if (starts && ts > p.gap)
			begin(&p, record, ts);
		else if (starts)
			p.starts++;
	}
	status = reader_close(p.in) ? EXIT_COMPLETE : EXIT_FAILED;
	writer_close(p.out);
	report(&p);
	if (loss_report(&loss, "what the periods tell is", strict) && status == EXIT_COMPLETE)
		status = EXIT_LOSS;
	finish(&p);
	lookup_free(&ts_lookup);
	lookup_free(&ev_lookup);
	lookup_free(&last_ts_lookup);
	return status;
}
