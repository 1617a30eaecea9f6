// SPDX-License-Identifier: MIT
#include "stacks/perfscript.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/number.h"
#include "stacks/perfframe.h"
#include "stacks/stack.h"

struct perfscript {
	bool kinds;
	void (*take)(void *data, const struct perfscript_sample *sample);
	void *data;
	bool open;		/* the header of a sample has been read */
	struct perfscript_sample sample;
	char *header;		/* copies of its comm and event */
	size_t header_room;
	char *stack;		/* `stack_len` bytes at the end of the room, for the leaf comes first */
	size_t stack_room, stack_len;
};

struct perfscript *perfscript_new(bool kinds, void take(void *data, const struct perfscript_sample *), void *data)
{
	struct perfscript *p = memory_zeroed(sizeof *p);

	p->kinds = kinds;
	p->take = take;
	p->data = data;
	return p;
}

void perfscript_free(struct perfscript *p)
{
	free(p->header);
	free(p->stack);
	free(p);
}

static bool blank(char c)
{
	return c == ' ' || c == '\t';
}

static struct slice trimmed(struct slice text)
{
	while (text.len && blank(*text.at)) {
		text.at++;
		text.len--;
	}
	while (text.len && (blank(text.at[text.len - 1]) || text.at[text.len - 1] == '\r'))
		text.len--;
	return text;
}

/* Takes the first word off REST. */
static struct slice word(struct slice *rest)
{
	const char *at = rest->at, *end = at + rest->len, *start;

	while (at < end && blank(*at))
		at++;
	for (start = at; at < end && !blank(*at);)
		at++;
	*rest = (struct slice){ at, (size_t)(end - at) };
	return (struct slice){ start, (size_t)(at - start) };
}

/* Takes the last word off REST. */
static struct slice last_word(struct slice *rest)
{
	struct slice text = trimmed(*rest);
	const char *end = text.at + text.len, *at = end;

	while (at > text.at && !blank(at[-1]))
		at--;
	*rest = (struct slice){ text.at, (size_t)(at - text.at) };
	return (struct slice){ at, (size_t)(end - at) };
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* `1045.169330:` as ns. */
static bool time_of(struct slice text, int64_t *ns)
{
	const char *point;
	uint64_t fraction = 0, seconds;
	size_t digits;

	if (text.len < 4 || !is_digit(text.at[0]) || text.at[text.len - 1] != ':')
		return false;
	text.len--;
	point = memchr(text.at, '.', text.len);
	if (!point || !number_u64((struct slice){ text.at, (size_t)(point - text.at) }, &seconds) ||
	    seconds >= INT64_MAX / 1000000000)
		return false;
	digits = text.len - (size_t)(point + 1 - text.at);
	if (digits == 0 || digits > 9 || !number_u64((struct slice){ point + 1, digits }, &fraction))
		return false;
	for (; digits < 9; digits++)
		fraction *= 10;
	*ns = (int64_t)(seconds * 1000000000 + fraction);
	return true;
}

/* `[001]` */
static bool cpu_of(struct slice text, int64_t *cpu)
{
	return text.len > 2 && text.at[0] == '[' && text.at[text.len - 1] == ']' &&
	       number_i64((struct slice){ text.at + 1, text.len - 2 }, cpu) && *cpu >= 0;
}

/* `2171/2175` or `2175`, which is a thread. */
static bool thread_of(struct slice text, int64_t *pid, int64_t *tid)
{
	const char *slash = text.len ? memchr(text.at, '/', text.len) : NULL;

	*pid = -1;
	if (!slash)
		return number_i64(text, tid);
	return number_i64((struct slice){ text.at, (size_t)(slash - text.at) }, pid) &&
	       number_i64((struct slice){ slash + 1, (size_t)(text.at + text.len - slash - 1) }, tid);
}

/* What stands before the time: comm, thread, CPU. The comm may hold anything, so it is read from the end. */
static bool who_of(struct slice rest, struct perfscript_sample *sample)
{
	struct slice last = last_word(&rest);

	sample->cpu = -1;
	if (cpu_of(last, &sample->cpu))
		last = last_word(&rest);
	if (!thread_of(last, &sample->pid, &sample->tid))
		return false;
	sample->comm = trimmed(rest);
	return sample->comm.len > 0;
}

/* Where a time stands that has a thread before it; else the whole line is who it is of. */
static bool before_time(struct slice line, struct perfscript_sample *sample, struct slice *rest)
{
	const char *end = line.at + line.len, *at = line.at;
	struct slice left = line, token;

	for (; (at = memchr(at, ':', (size_t)(end - at))); at++) {
		const char *from = at;

		while (from > line.at && !blank(from[-1]))
			from--;
		if ((at + 1 == end || blank(at[1])) &&
		    time_of((struct slice){ from, (size_t)(at + 1 - from) }, &sample->ts) &&
		    who_of((struct slice){ line.at, (size_t)(from - line.at) }, sample)) {
			*rest = (struct slice){ at + 1, (size_t)(end - at - 1) };
			return true;
		}
	}
	/* No time was printed: the first word that is a thread, behind the comm. */
	sample->ts = -1;
	left = line;
	word(&left);
	while ((token = word(&left)).len) {
		struct slice cpu = left;
		bool has_cpu = cpu_of(word(&cpu), &sample->cpu);

		if (!thread_of(token, &sample->pid, &sample->tid))
			continue;
		sample->comm = trimmed((struct slice){ line.at, (size_t)(token.at - line.at) });
		if (!has_cpu)
			sample->cpu = -1;
		*rest = has_cpu ? cpu : left;
		return true;
	}
	return false;
}

/* The event's name, before its colon and modifiers: `cycles:ppp:` but `sched:sched_switch:`. */
static struct slice event_of(struct slice text)
{
	static const char modifiers[] = "ukhGHpPSDIWeb";
	const char *colon, *p;

	text.len--;
	colon = p = memchr(text.at, ':', text.len);
	if (!colon)
		return text;
	while (++p < text.at + text.len)
		if (!memchr(modifiers, *p, sizeof modifiers - 1))
			return text;
	return (struct slice){ text.at, (size_t)(colon - text.at) };
}

static bool header(struct slice line, struct perfscript_sample *sample, struct slice *rest)
{
	struct slice left, token;

	*sample = (struct perfscript_sample){ .ts = -1, .cpu = -1, .pid = -1, .tid = -1, .period = 1 };
	if (!before_time(line, sample, &left))
		return false;
	token = word(&left);
	if (token.len && number_u64(token, &sample->period))
		token = word(&left);
	if (token.len < 2 || token.at[token.len - 1] != ':')
		return false;
	sample->event = event_of(token);
	if (sample->period == 0)
		sample->period = 1;
	*rest = left;
	return true;
}

/* Room for LEN bytes more, which come before the others: the stack grows to the left. */
static char *make_room(struct perfscript *p, size_t len)
{
	size_t room = p->stack_room;

	if (room < p->stack_len + len) {
		p->stack = memory_grow(p->stack, &p->stack_room, p->stack_len + len, 1);
		memmove(p->stack + p->stack_room - p->stack_len, p->stack + room - p->stack_len, p->stack_len);
	}
	return p->stack + p->stack_room - p->stack_len;
}

static void add_frame(struct perfscript *p, const struct perfframe *frame)
{
	size_t len = frame->name.len;
	char *end;

	if (len && !p->kinds && stack_plain(frame->name)) {
		end = make_room(p, len + 1);
		memcpy(end - len - 1, frame->name.at, len);
	} else {
		/* How long it is becomes known as it is written, at the other end of the room. */
		end = make_room(p, 4 * (frame->name.len + frame->in.len) + PERFFRAME_MORE + 1);
		len = perfframe_put(p->stack, frame, p->kinds);
		memmove(end - len - 1, p->stack, len);
	}
	end[-1] = ';';
	p->stack_len += len + 1;
}

static void complete(struct perfscript *p)
{
	size_t len = p->stack_len;

	if (!p->open)
		return;
	p->open = false;
	p->sample.stack = len ? (struct slice){ p->stack + p->stack_room - len, len - 1 } : (struct slice){ 0 };
	p->stack_len = 0;
	p->take(p->data, &p->sample);
}

/* The texts of the header outlive its line. */
static void keep(struct perfscript *p)
{
	struct slice comm = p->sample.comm, event = p->sample.event;

	p->header = memory_grow(p->header, &p->header_room, comm.len + event.len + 1, 1);
	memcpy(p->header, comm.at, comm.len);
	memcpy(p->header + comm.len, event.at, event.len);
	p->sample.comm.at = p->header;
	p->sample.event.at = p->header + comm.len;
}

const char *perfscript_line(struct perfscript *p, struct slice line)
{
	bool indented = p->open && line.len && blank(line.at[0]);
	struct slice text, rest;
	struct perfframe frame;
	struct perfscript_sample next;

	if (indented && perfframe_parse(line, &frame)) {
		add_frame(p, &frame);
		return NULL;
	}
	text = trimmed(line);
	if (text.len == 0) {
		complete(p);
		return NULL;
	}
	if (text.at[0] == '#')
		return NULL;
	if (!header(text, &next, &rest))
		return indented ? "it is no frame: it has no address" : "it is not the beginning of a sample";
	complete(p);
	p->sample = next;
	keep(p);
	p->open = true;
	/* Without -g, the one address stands behind the event. */
	if (perfframe_parse(rest, &frame))
		add_frame(p, &frame);
	return NULL;
}

void perfscript_end(struct perfscript *p)
{
	complete(p);
}

bool perfscript_detect(struct slice text)
{
	struct perfscript_sample sample;
	struct slice rest;

	while (text.len) {
		const char *lf = memchr(text.at, '\n', text.len);
		struct slice line = { text.at, lf ? (size_t)(lf - text.at) : text.len };

		text.at += line.len + (lf != NULL);
		text.len -= line.len + (lf != NULL);
		line = trimmed(line);
		if (line.len && line.at[0] != '#')
			return header(line, &sample, &rest);
	}
	return false;
}
