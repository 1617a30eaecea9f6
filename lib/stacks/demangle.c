// SPDX-License-Identifier: MIT
// library: iberty
#include "stacks/demangle.h"

#include <setjmp.h>
#if __has_include(<libiberty/demangle.h>)
#include <libiberty/demangle.h>
#else
#include <demangle.h>
#endif

struct text {
	char *at;
	size_t len, size;
	jmp_buf full;
};

/* The library's writers keep all on the stack, so that leaving from within one loses nothing. */
static void add(const char *part, size_t len, void *to)
{
	struct text *text = to;
	size_t room = text->size - text->len;

	memcpy(text->at + text->len, part, len < room ? len : room);
	text->len += len < room ? len : room;
	if (len > room)
		longjmp(text->full, 1);
}

size_t demangle(const char *mangled, char *to, size_t size)
{
	const int options = DMGL_PARAMS | DMGL_ANSI;
	struct text text;

	text.at = to;
	text.len = 0;
	text.size = size;
	if (mangled[0] != '_' || (mangled[1] != 'Z' && mangled[1] != 'R'))
		return 0;
	if (setjmp(text.full))
		return text.len;
	if (rust_demangle_callback(mangled, options, add, &text))
		return text.len;
	text.len = 0;
	return cplus_demangle_v3_callback(mangled, options, add, &text) ? text.len : 0;
}
