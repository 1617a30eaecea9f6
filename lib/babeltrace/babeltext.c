// SPDX-License-Identifier: MIT
#include "babeltrace/babeltext.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "babeltrace/babelfields.h"
#include "base/memory.h"
#include "base/message.h"
#include "base/number.h"
#include "records/input.h"
#include "records/otherfile.h"

#define SECOND 1000000000LL
#define DAY (86400 * SECOND)

enum {
	BUFFER = 256 << 10,
	LINE_MAX_BYTES = RECORD_BYTES_MAX,
	NAME_MAX_BYTES = 4096,
	NAMED = 5,		/* faults that are named; the others are only counted */
};

struct text {
	int fd;
	const char *name;
	struct selection *selection;
	struct writer *out;
	struct babelfields fields;

	bool may_block, at_eof, skipping;
	char *buffer, *at, *end;
	size_t room;
	uint64_t line;		/* number of the line at hand */

	/* The beginning of a line that another message broke, or a string with a line feed in it. */
	char *held;
	size_t held_n, held_room;
	bool held_string;
	char *plain;		/* a line without its colours */
	size_t plain_room;

	bool started;		/* the first event was seen */
	bool unnamed_told;
	int64_t day, last;	/* ns: of the day that stamps without a date are in; of the last such */
	char date[10];		/* the last date, and what it is */
	int64_t date_ns;
	uint64_t faults;
};

static bool fault(struct text *t, const char *why)
{
	if (++t->faults <= NAMED)
		message("%s:%llu: cannot read this line: %s", t->name, (unsigned long long)t->line, why);
	return false;
}

/* N digits at P; -1: they are none. */
static int64_t digits(const char *p, int n)
{
	int64_t value = 0;

	for (int i = 0; i < n; i++) {
		if (p[i] < '0' || p[i] > '9')
			return -1;
		value = value * 10 + (p[i] - '0');
	}
	return value;
}

/* HH:MM:SS.nnnnnnnnn to ns of the day. */
static bool clock_time(struct slice s, int64_t *ns)
{
	int64_t hours, minutes, seconds, fraction;

	if (s.len != 18 || s.at[2] != ':' || s.at[5] != ':' || s.at[8] != '.')
		return false;
	hours = digits(s.at, 2);
	minutes = digits(s.at + 3, 2);
	seconds = digits(s.at + 6, 2);
	fraction = digits(s.at + 9, 9);
	*ns = ((hours * 60 + minutes) * 60 + seconds) * SECOND + fraction;
	return hours >= 0 && hours < 24 && minutes >= 0 && minutes < 60 && seconds >= 0 && seconds <= 60 &&
	       fraction >= 0;
}

/* YYYY-MM-DD to ns; mostly the same as last time. */
static bool date(struct text *t, const char *at, int64_t *ns)
{
	struct moment moment;

	if (memcmp(at, t->date, sizeof t->date) != 0) {
		if (!number_moment((struct slice){ at, sizeof t->date }, &moment) || at[4] != '-')
			return false;
		memcpy(t->date, at, sizeof t->date);
		t->date_ns = moment.ns;
	}
	*ns = t->date_ns;
	return true;
}

/* SECONDS.nnnnnnnnn, also negative, or CYCLES. */
static bool seconds(struct slice s, int64_t *ns)
{
	const char *point = memchr(s.at, '.', s.len);
	bool negative = s.len && s.at[0] == '-';
	int64_t whole, fraction = 0;
	size_t n = point ? (size_t)(point - s.at) : s.len;

	if (!number_i64((struct slice){ s.at + negative, n - negative }, &whole))
		return false;
	if (point) {
		fraction = s.len - n == 10 ? digits(point + 1, 9) : -1;
		if (fraction < 0 || __builtin_mul_overflow(whole, SECOND, &whole) ||
		    __builtin_add_overflow(whole, fraction, &whole))
			return false;
	}
	*ns = negative ? -whole : whole;
	return true;
}

/*
 * What stands between the brackets, as a ts. Where it has no date, it is taken to be near the last
 * such stamp; ADVANCE makes it the last one.
 */
static bool stamp(struct text *t, struct slice s, bool advance, int64_t *ts)
{
	int64_t day, time;

	if (s.len == 29 && s.at[10] == ' ' && clock_time((struct slice){ s.at + 11, 18 }, &time)) {
		if (!date(t, s.at, &day))
			return false;
		*ts = day + time;
		return true;
	}
	if (!clock_time(s, &time))
		return seconds(s, ts);
	day = t->day;
	if (time < t->last - DAY / 2)
		day += DAY;
	else if (!advance && t->started && time > t->last + DAY / 2 && day > 0)
		day -= DAY;
	*ts = day + time;
	if (advance) {
		t->day = day;
		t->last = time;
	}
	return true;
}

/* Sets S to what is between BEFORE and AFTER in TEXT, the first such place. */
static bool between(struct slice text, struct slice before, struct slice after, struct slice *s)
{
	const char *from = memmem(text.at, text.len, before.at, before.len), *to;

	if (!from)
		return false;
	from += before.len;
	to = memmem(from, (size_t)(text.at + text.len - from), after.at, after.len);
	if (!to)
		return false;
	*s = (struct slice){ from, (size_t)(to - from) };
	return true;
}

/* More than one in a nanosecond: LTTng's own counter has wrapped. */
static bool is_absurd(uint64_t n, int64_t first, int64_t last)
{
	uint64_t span = last > first ? (uint64_t)last - (uint64_t)first : 0;

	return n > (first && last ? span + 1000 : (uint64_t)1 << 48);
}

static struct slice loss_source(struct slice text)
{
	struct slice s, path = SLICE("?");
	const char *slash;

	if (between(text, SLICE(" within stream \""), SLICE("\""), &s) ||
	    between(text, SLICE(" at relative path: \""), SLICE("\""), &s))
		path = s;
	slash = memrchr(path.at, '/', path.len);
	return slash ? (struct slice){ slash + 1, (size_t)(path.at + path.len - slash - 1) } : path;
}

/* TEXT is from `Tracer` on: what the tracer discarded becomes ev=lost. */
static void convert_loss(struct text *t, struct slice text)
{
	int64_t first = 0, last = 0, ts = t->day + t->last;
	uint64_t n = LOST_UNKNOWN, packets = 0;
	struct slice s;

	if (!between(text, SLICE(" between ["), SLICE("]"), &s) || !stamp(t, s, false, &first))
		first = 0;
	if (!between(text, SLICE("] and ["), SLICE("]"), &s) || !stamp(t, s, false, &last))
		last = 0;
	if (!between(text, SLICE("discarded "), SLICE(" event"), &s) || !number_u64(s, &n) ||
	    is_absurd(n, first, last))
		n = LOST_UNKNOWN;
	/* How many events were in lost packets is not known. */
	if (!between(text, SLICE("discarded "), SLICE(" packet"), &s) || !number_u64(s, &packets))
		packets = 0;
	if (first)
		ts = first;
	if (t->started && ((first && first > t->selection->end_ns) ||
			   (last && last < t->selection->begin_ns)))
		return;
	writer_lost(t->out, ts, n, loss_source(text), first, last);
	if (packets)
		writer_u64(t->out, KEY("packets"), packets);
	writer_end(t->out);
}

/* Where a message about discarded events begins in the line, if one does; *TEXT is what it says. */
static const char *find_loss(struct slice line, struct slice *text)
{
	static const struct slice marks[] = { SLICE("WARNING: Tracer "), SLICE("[warning] Tracer ") };

	for (int i = 0; i < 2; i++) {
		const char *at = memmem(line.at, line.len, marks[i].at, marks[i].len);

		if (at) {
			size_t n = marks[i].len - (sizeof "Tracer " - 1);

			*text = (struct slice){ at + n, (size_t)(line.at + line.len - at) - n };
			return at;
		}
	}
	return NULL;
}

struct header {
	int64_t ts;
	struct slice name;
	struct slice pid, comm;	/* of the trace's process, where it has one alone; else empty */
	const char *fields;	/* where the braces, or their label, begin */
};

/*
 * BEFORE the event's name there is `HOST:NAME:(PID) ` where the trace is of one process, perhaps behind
 * `(+DELTA) `; NAMED: `trace:procname = NAME, trace:vpid = (PID), `.
 */
static void read_process(struct header *header, struct slice before, bool named)
{
	struct slice pid, comm;
	const char *delta;
	int64_t number;

	if (!named) {
		delta = memmem(before.at, before.len, ") ", 2);
		if (delta && slice_starts(before, SLICE(" (+"))) {
			before.len -= (size_t)(delta + 1 - before.at);
			before.at = delta + 1;
		}
	}
	if (!between(before, named ? SLICE("trace:procname = ") : SLICE(":"), named ? SLICE(", trace:vpid = (") :
		     SLICE(":("), &comm))
		return;
	pid.at = comm.at + comm.len + (named ? sizeof ", trace:vpid = (" : sizeof ":(") - 1;
	if (!between((struct slice){ pid.at - 1, (size_t)(before.at + before.len - pid.at) + 1 }, SLICE("("), SLICE(")"),
		     &pid) || !number_i64(pid, &number))
		return;
	if (slice_starts(comm, SLICE("ust:")))	/* the domain, where all fields are printed */
		comm = (struct slice){ comm.at + 4, comm.len - 4 };
	header->pid = pid;
	header->comm = comm;
}

/* What is before the braces; *WHY when it is no such thing. */
static bool read_header(struct text *t, struct slice line, struct header *header, const char **why)
{
	const char *end = line.at + line.len, *p = line.at, *close, *brace;
	bool named = slice_starts(line, SLICE("timestamp = "));

	*why = "it has no time stamp";
	if (!named && (line.len == 0 || *p != '['))
		return false;
	p += named ? sizeof "timestamp = " - 1 : 1;
	close = memchr(p, named ? ',' : ']', (size_t)(end - p));
	*why = "the time stamp is none";
	if (!close || !stamp(t, (struct slice){ p, (size_t)(close - p) }, true, &header->ts))
		return false;

	*why = "it has no event name";
	brace = memchr(close, '{', (size_t)(end - close));
	header->fields = brace ? brace : end;
	if (brace && brace - close > 3 && memcmp(brace - 3, " = ", 3) == 0) {
		brace -= 3;
		while (brace > close && brace[-1] != ' ')
			brace--;
		header->fields = brace;
	}
	/* `name: ` or, under --names=header, `name = NAME, `; babeltrace 1 leaves the last blank out. */
	p = header->fields;
	if (p > close && p[-1] == ' ')
		p--;
	if (p <= close || p[-1] != (named ? ',' : ':'))
		return false;
	p--;
	header->name.at = p;
	while (header->name.at > close + 1 && header->name.at[-1] != ' ')
		header->name.at--;
	header->name.len = (size_t)(p - header->name.at);
	read_process(header, (struct slice){ close + 1, (size_t)(header->name.at - close - 1) }, named);
	return header->name.len > 0 && header->name.len <= NAME_MAX_BYTES;
}

static bool is_wanted(struct text *t, const struct babelevent *event, int64_t ts)
{
	if (!t->started) {
		selection_start(t->selection, ts);
		t->started = true;
	}
	return event->wanted && selection_time(t->selection, ts);
}

/* As babeltrace 2 prints it; where that fails or looks wrong, as babeltrace 1 does. */
static bool read_fields(struct text *t, struct babelevent *event, const char *at, const char *end)
{
	bool good = babelfields_read(&t->fields, event, at, end), unescaped = t->fields.lexer.saw_unquoted;
	const char *why = t->fields.lexer.why;

	if ((good && !unescaped) || t->fields.lexer.unquoted)
		return good;
	t->fields.lexer.unquoted = true;
	if (babelfields_read(&t->fields, event, at, end)) {
		t->fields.lexer.unquoted = unescaped;
		return true;
	}
	t->fields.lexer.unquoted = false;
	if (good)
		return babelfields_read(&t->fields, event, at, end);
	if (!t->fields.lexer.open_string)
		t->fields.lexer.why = why;
	return false;
}

static bool put_record(struct text *t, int64_t ts, const struct babelevent *event)
{
	size_t bytes = 64 + event->name.len * 4;

	for (size_t i = 0; i < t->fields.n; i++)
		bytes += t->fields.field[i].key.len + t->fields.field[i].value.len * 4;
	if (bytes > RECORD_BYTES_MAX)
		return fault(t, "its record could be longer than 16 MiB");
	writer_begin(t->out, ts, event->name);
	for (size_t i = 0; i < t->fields.n; i++)
		if (t->fields.field[i].wanted)
			writer_text(t->out, t->fields.field[i].key, t->fields.field[i].value);
	writer_end(t->out);
	return true;
}

/* An event. When it is none, why is in *WHY, and nothing was reported. */
static bool convert_event(struct text *t, struct slice line, const char **why)
{
	int64_t day = t->day, last = t->last;
	struct babelevent *event;
	struct header header = { 0 };
	struct slice fields;

	if (!read_header(t, line, &header, why)) {
		t->day = day;
		t->last = last;
		return false;
	}
	fields = (struct slice){ header.fields, (size_t)(line.at + line.len - header.fields) };
	babelkeys_tidy(t->fields.keys);
	event = babelkeys_event(t->fields.keys, header.name, fields);
	if (!is_wanted(t, event, header.ts))
		return true;
	t->fields.pid = header.pid;
	t->fields.comm = header.comm;
	if (!read_fields(t, event, fields.at, fields.at + fields.len)) {
		*why = t->fields.lexer.why;
		return false;
	}
	if (t->fields.unnamed && !t->unnamed_told) {
		message("%s: fields have no names (see --names of babeltrace): they are numbered", t->name);
		t->unnamed_told = true;
	}
	put_record(t, header.ts, event);
	return true;
}

/* The line without terminal colours. */
static struct slice without_colours(struct text *t, struct slice line)
{
	const char *p = line.at, *end = p + line.len;
	char *to;

	t->plain = memory_grow(t->plain, &t->plain_room, line.len + 1, 1);
	for (to = t->plain; p < end; ) {
		if (*p == '\033' && p + 1 < end && p[1] == '[') {
			const char *q = p + 2;

			while (q < end && ((*q >= '0' && *q <= '9') || *q == ';'))
				q++;
			if (q < end && *q == 'm') {
				p = q + 1;
				continue;
			}
		}
		*to++ = *p++;
	}
	*to = '\n';
	return (struct slice){ t->plain, (size_t)(to - t->plain) };
}

/* Keeps a beginning until its rest comes. */
static void hold(struct text *t, struct slice part, bool in_string)
{
	t->held = memory_grow(t->held, &t->held_room, part.len + 2, 1);
	if (part.at != t->held)
		memmove(t->held, part.at, part.len);
	t->held_n = part.len;
	t->held_string = in_string;
	if (in_string)
		t->held[t->held_n++] = '\n';
}

/* What babeltrace, or `lttng view`, says beside the events. */
static bool is_aside(struct text *t, struct slice line)
{
	if (line.len == 0 || slice_starts(line, SLICE("Trace directory: ")))
		return true;
	if (!slice_starts(line, SLICE("[warning] ")) && !slice_starts(line, SLICE("WARNING: ")))
		return false;
	message("%s:%llu: %.*s", t->name, (unsigned long long)t->line, line.len > 200 ? 200 : (int)line.len,
		line.at);
	return true;
}

static bool is_stamped(struct slice line)
{
	return slice_starts(line, SLICE("timestamp = ")) ||
	       (line.len > 2 && line.at[0] == '[' &&
		((line.at[1] >= '0' && line.at[1] <= '9') || line.at[1] == '-' || line.at[1] == '\033'));
}

/* What was held gets no rest. */
static void give_up_held(struct text *t)
{
	if (!t->held_n)
		return;
	t->line--;
	fault(t, t->held_string ? "a string does not end" : "the line is cut");
	t->line++;
	t->held_n = 0;
}

static void convert_line(struct text *t, struct slice line)
{
	struct slice text;
	const char *why, *loss;

	if (line.len && line.at[line.len - 1] == '\r')
		line.len--;
	if (t->held_n && t->held_string && is_stamped(line))
		give_up_held(t);
	if (t->held_n) {
		t->held = memory_grow(t->held, &t->held_room, t->held_n + line.len + 2, 1);
		memcpy(t->held + t->held_n, line.at, line.len);
		line = (struct slice){ t->held, t->held_n + line.len };
		t->held[line.len] = '\n';
		t->held_n = 0;
	}
	if (convert_event(t, line, &why))
		return;
	if (memchr(line.at, '\033', line.len)) {
		line = without_colours(t, line);
		if (convert_event(t, line, &why))
			return;
	}
	loss = find_loss(line, &text);
	if (loss) {
		convert_loss(t, text);
		if (loss > line.at)
			hold(t, (struct slice){ line.at, (size_t)(loss - line.at) }, false);
		return;
	}
	if (is_aside(t, line))
		return;
	if (is_stamped(line) && t->fields.lexer.why == why && t->fields.lexer.open_string &&
	    line.len < LINE_MAX_BYTES / 2) {
		hold(t, line, true);
		return;
	}
	fault(t, why);
}

/* What begins with BYTES, where it is no text of babeltrace. */
static const char *other(struct slice bytes)
{
	return slice_starts(bytes, SLICE("ts=")) ? "records already, which all other programs read" : otherfile(bytes);
}

/* Reads more behind the unfinished line at t->at. False at the end. */
static bool fill(struct text *t)
{
	size_t kept = (size_t)(t->end - t->at);

	memmove(t->buffer, t->at, kept);
	if (kept == t->room) {
		if (t->room >= LINE_MAX_BYTES) {
			if (!t->skipping) {
				t->line++;
				fault(t, "it is longer than 16 MiB");
				t->line--;
			}
			t->skipping = true;
			kept = 0;
		} else {
			t->room *= 2;
			t->buffer = memory_resize(t->buffer, t->room + 1);
		}
	}
	t->at = t->buffer;
	t->end = t->buffer + kept;
	for (;;) {
		ssize_t n;

		if (t->may_block)
			input_flush_before_blocking(t->fd, t->out);
		n = read(t->fd, t->end, t->room - kept);
		if (n < 0 && errno == EINTR)
			continue;
		if (n > 0) {
			const char *is = t->line || t->end > t->buffer ? NULL : other((struct slice){ t->buffer, (size_t)n });

			if (is) {
				message("cannot read %s: it is %s", t->name, is);
				t->faults++;
				return false;
			}
			t->end += n;
			return true;
		}
		if (n < 0) {
			message("cannot read %s: %m", t->name);
			t->faults++;
			t->end = t->at;
		}
		return false;
	}
}

static void convert_lines(struct text *t)
{
	size_t seen = 0;	/* bytes of the unfinished line that have no LF */

	for (;;) {
		char *lf = memchr(t->at + seen, '\n', (size_t)(t->end - t->at) - seen);

		if (!lf) {
			if (t->skipping)
				t->at = t->end;
			seen = (size_t)(t->end - t->at);
			if (!fill(t))
				return;
			if (t->skipping)
				seen = 0;
			continue;
		}
		t->line++;
		if (!t->skipping)
			convert_line(t, (struct slice){ t->at, (size_t)(lf - t->at) });
		t->skipping = false;
		t->at = lf + 1;
		seen = 0;
	}
}

bool babeltext_convert(int fd, const char *name, struct selection *selection, struct writer *out)
{
	struct text t = { .fd = fd, .name = name, .selection = selection, .out = out, .room = BUFFER };
	uint64_t faults;

	t.buffer = memory_get(t.room + 1);
	t.at = t.end = t.buffer;
	t.may_block = input_may_block(fd);
	babelfields_init(&t.fields, selection);
	convert_lines(&t);
	t.line++;
	give_up_held(&t);
	if (t.end > t.at)
		fault(&t, "it has no line feed: the input was cut");
	faults = t.faults;
	if (faults > NAMED)
		message("cannot read %llu lines of %s: the first %d are named above",
			(unsigned long long)faults, name, NAMED);
	babelfields_free(&t.fields);
	free(t.buffer);
	free(t.held);
	free(t.plain);
	return faults == 0;
}
