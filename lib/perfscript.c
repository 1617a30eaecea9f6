// SPDX-License-Identifier: MIT
#include "perfscript.h"

#include <stdlib.h>

#include "memory.h"
#include "number.h"
#include "stack.h"

struct frame {
	size_t at, len;		/* in `text` */
};

struct perfscript {
	bool kinds;
	void (*take)(void *data, const struct perfscript_sample *sample);
	void *data;
	bool open;		/* the header of a sample has been read */
	struct perfscript_sample sample;
	char *header;		/* copies of its comm and event */
	size_t header_room;
	char *text;		/* the frames, leaf first */
	size_t text_room, text_len;
	struct frame *frame;
	size_t frame_room, frames;
	char *stack;
	size_t stack_room;
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
	free(p->text);
	free(p->frame);
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
	struct slice first;

	*rest = trimmed(*rest);
	first = (struct slice){ rest->at, 0 };
	while (first.len < rest->len && !blank(first.at[first.len]))
		first.len++;
	rest->at += first.len;
	rest->len -= first.len;
	return first;
}

/* Takes the last word off REST. */
static struct slice last_word(struct slice *rest)
{
	struct slice last;

	*rest = trimmed(*rest);
	last = (struct slice){ rest->at + rest->len, 0 };
	while (last.len < rest->len && !blank(last.at[-1])) {
		last.at--;
		last.len++;
	}
	rest->len -= last.len;
	return last;
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
	struct slice left = line, token;

	while ((token = word(&left)).len)
		if (time_of(token, &sample->ts) &&
		    who_of((struct slice){ line.at, (size_t)(token.at - line.at) }, sample)) {
			*rest = left;
			return true;
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

/* A frame's address: hexadecimal digits and a blank. Returns its length, 0 for none. */
static size_t address(struct slice text)
{
	static const bool hex[256] = {
		['0'] = 1, ['1'] = 1, ['2'] = 1, ['3'] = 1, ['4'] = 1, ['5'] = 1, ['6'] = 1, ['7'] = 1, ['8'] = 1,
		['9'] = 1, ['a'] = 1, ['b'] = 1, ['c'] = 1, ['d'] = 1, ['e'] = 1, ['f'] = 1,
	};
	size_t n = 0;

	while (n < text.len && hex[(unsigned char)text.at[n]])
		n++;
	return n && n <= 16 && (n == text.len || blank(text.at[n])) ? n : 0;
}

/* Takes `(module)` off the end of REST: parentheses in it come in pairs. `at` NULL: there is none. */
static struct slice module(struct slice *rest)
{
	const char *last = rest->at + rest->len - 1, *p;
	size_t depth = 1;

	if (rest->len == 0 || *last != ')')
		return (struct slice){ 0 };
	p = memrchr(rest->at, '(', rest->len);
	if (!p || memchr(p, ')', (size_t)(last - p)))
		for (p = last; depth && p > rest->at;)
			depth = *--p == ')' ? depth + 1 : *p == '(' ? depth - 1 : depth;
	/* It begins a word, or it is a part of the name. */
	if (*p != '(' || (p > rest->at && !blank(p[-1])))
		return (struct slice){ 0 };
	rest->len = (size_t)(p - rest->at);
	return (struct slice){ p + 1, (size_t)(last - p - 1) };
}

/* `+0x1a` at the end of a name is taken off. */
static struct slice without_offset(struct slice name)
{
	size_t n = name.len;

	while (n && (is_digit(name.at[n - 1]) || (name.at[n - 1] >= 'a' && name.at[n - 1] <= 'f')))
		n--;
	if (n > 3 && n < name.len && memcmp(name.at + n - 3, "+0x", 3) == 0)
		name.len = n - 3;
	return name;
}

static bool begins(struct slice text, struct slice with)
{
	return text.len >= with.len && memcmp(text.at, with.at, with.len) == 0;
}

static bool ends(struct slice text, struct slice with)
{
	return text.len >= with.len && memcmp(text.at + text.len - with.len, with.at, with.len) == 0;
}

/* What the module says of the code: [kernel.kallsyms], [nf_nat], /lib/modules/.../nf_nat.ko are the kernel's. */
static struct slice kind_of(struct slice in)
{
	static const char *const users[] = { "[unknown", "[vdso", "[vsyscall", "[anon", "[heap", "[stack", "[uprobes" };

	if (slice_equal(in, SLICE("inlined")))
		return SLICE("_[i]");
	if (begins(in, SLICE("/tmp/perf-")) && ends(in, SLICE(".map")))
		return SLICE("_[j]");
	if (ends(in, SLICE(".ko")))
		return SLICE("_[k]");
	for (size_t i = 0; i < sizeof users / sizeof *users; i++)
		if (begins(in, slice_of(users[i])))
			return SLICE("");
	return begins(in, SLICE("[")) ? SLICE("_[k]") : SLICE("");
}

static void put(struct perfscript *p, struct slice text)
{
	memcpy(p->text + p->text_len, text.at, text.len);
	p->text_len += text.len;
}

/* TEXT is `name+0xoffset (module)`, without the address. */
static void add_frame(struct perfscript *p, struct slice text)
{
	struct slice name = text, in = module(&name), of;
	struct frame *frame;

	name = without_offset(trimmed(name));
	p->frame = memory_grow(p->frame, &p->frame_room, p->frames + 1, sizeof *p->frame);
	p->text = memory_grow(p->text, &p->text_room, p->text_len + 4 * text.len + 16, 1);
	frame = &p->frame[p->frames++];
	frame->at = p->text_len;
	if (name.len && !slice_equal(name, SLICE("[unknown]"))) {
		p->text_len += stack_escape(p->text + p->text_len, name, false);
	} else if (in.len && !begins(in, SLICE("[unknown]"))) {
		const char *slash = memrchr(in.at, '/', in.len);
		bool brackets = in.at[0] == '[';

		of = slash ? (struct slice){ slash + 1, (size_t)(in.at + in.len - slash - 1) } : in;
		put(p, brackets ? SLICE("") : SLICE("["));
		p->text_len += stack_escape(p->text + p->text_len, of, false);
		put(p, brackets ? SLICE("") : SLICE("]"));
	} else {
		put(p, SLICE("[unknown]"));
	}
	if (p->kinds)
		put(p, kind_of(in));
	frame->len = p->text_len - frame->at;
}

static void complete(struct perfscript *p)
{
	size_t len = 0;

	if (!p->open)
		return;
	p->open = false;
	p->stack = memory_grow(p->stack, &p->stack_room, p->text_len + p->frames + 1, 1);
	for (size_t i = p->frames; i-- > 0;) {
		memcpy(p->stack + len, p->text + p->frame[i].at, p->frame[i].len);
		len += p->frame[i].len;
		p->stack[len++] = ';';
	}
	p->sample.stack = (struct slice){ p->stack, len ? len - 1 : 0 };
	p->frames = p->text_len = 0;
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
	struct slice text = trimmed(line), rest;
	struct perfscript_sample next;
	size_t n;

	if (text.len == 0) {
		complete(p);
		return NULL;
	}
	n = p->open && blank(line.at[0]) ? address(text) : 0;
	if (n) {
		add_frame(p, trimmed((struct slice){ text.at + n, text.len - n }));
		return NULL;
	}
	if (text.at[0] == '#')
		return NULL;
	if (!header(text, &next, &rest))
		return p->open && blank(line.at[0]) ? "it is no frame: it has no address" :
						      "it is not the beginning of a sample";
	complete(p);
	p->sample = next;
	keep(p);
	p->open = true;
	/* Without -g, the one address stands behind the event. */
	rest = trimmed(rest);
	n = address(rest);
	if (n)
		add_frame(p, trimmed((struct slice){ rest.at + n, rest.len - n }));
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
