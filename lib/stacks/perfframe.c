// SPDX-License-Identifier: MIT
#include "stacks/perfframe.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "stacks/stack.h"

static bool blank(char c)
{
	return c == ' ' || c == '\t';
}

static const bool hex[256] = {
	['0'] = 1, ['1'] = 1, ['2'] = 1, ['3'] = 1, ['4'] = 1, ['5'] = 1, ['6'] = 1, ['7'] = 1, ['8'] = 1, ['9'] = 1,
	['a'] = 1, ['b'] = 1, ['c'] = 1, ['d'] = 1, ['e'] = 1, ['f'] = 1,
};

static bool is_hex(char c)
{
	return hex[(unsigned char)c];
}

/* Both: behind the blanks, or the digits, at P. */
static inline const char *skip_blanks(const char *p, const char *end)
{
#ifdef __SSE2__
	if (end - p >= 16 && blank(*p)) {
		__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)p);
		__m128i blanks = _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(' ')),
					      _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\t')));

		p += __builtin_ctz(~(unsigned)_mm_movemask_epi8(blanks));
	}
#endif
	while (p < end && blank(*p))
		p++;
	return p;
}

static inline const char *skip_hex(const char *p, const char *end)
{
#ifdef __SSE2__
	if (end - p >= 16) {
		__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)p);
		__m128i digit = _mm_sub_epi8(bytes, _mm_set1_epi8('0')), letter = _mm_sub_epi8(bytes, _mm_set1_epi8('a'));
		__m128i good = _mm_or_si128(_mm_cmpeq_epi8(_mm_min_epu8(digit, _mm_set1_epi8(9)), digit),
					    _mm_cmpeq_epi8(_mm_min_epu8(letter, _mm_set1_epi8(5)), letter));

		p += __builtin_ctz(~(unsigned)_mm_movemask_epi8(good));
	}
#endif
	while (p < end && is_hex(*p))
		p++;
	return p;
}

/* TEXT without blanks at its ends: one is common there, more are rare. */
static inline struct slice trimmed(struct slice text)
{
	const char *p = text.at, *end = p + text.len;

	while (p < end && blank(*p))
		p++;
	while (p < end && (blank(end[-1]) || end[-1] == '\r'))
		end--;
	return (struct slice){ p, (size_t)(end - p) };
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

	while (n && is_hex(name.at[n - 1]))
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

/* What the module says of the code: [kernel.kallsyms], [nf_nat], /lib/modules/.../nf_nat.ko are kernel code. */
static struct slice kind_of(struct slice in)
{
	static const char *const users[] = {
		"[unknown", "[vdso", "[vsyscall", "[anon", "[heap", "[stack", "[uprobes",
	};

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

bool perfframe_parse(struct slice line, struct perfframe *frame)
{
	const char *end = line.at + line.len, *address = skip_blanks(line.at, end), *p = skip_hex(address, end);
	struct slice rest = trimmed((struct slice){ p, (size_t)(end - p) });

	if (p == address || p - address > 16 || (rest.len && rest.at == p))
		return false;
	frame->in = module(&rest);
	frame->name = without_offset(trimmed(rest));
	if (slice_equal(frame->name, SLICE("[unknown]")))
		frame->name.len = 0;
	return true;
}

static char *put(char *to, struct slice text)
{
	memcpy(to, text.at, text.len);
	return to + text.len;
}

size_t perfframe_put(char *to, const struct perfframe *frame, bool kind)
{
	struct slice in = frame->in;
	char *start = to;

	if (frame->name.len) {
		to += stack_escape(to, frame->name, false);
	} else if (in.len && !begins(in, SLICE("[unknown]"))) {
		const char *slash = memrchr(in.at, '/', in.len);
		bool brackets = in.at[0] == '[';

		to = put(to, brackets ? SLICE("") : SLICE("["));
		if (slash)
			in = (struct slice){ slash + 1, (size_t)(in.at + in.len - slash - 1) };
		to += stack_escape(to, in, false);
		to = put(to, brackets ? SLICE("") : SLICE("]"));
	} else {
		to = put(to, SLICE("[unknown]"));
	}
	if (kind)
		to = put(to, kind_of(frame->in));
	return (size_t)(to - start);
}
