/* SPDX-License-Identifier: MIT */
/*
 * The lines of frames in perf-script(1)'s text:
 *
 *		    55d0c8a41170 ngx_epoll_process_events+0x2f0 (/usr/sbin/nginx)
 */
#ifndef WEIR_PERFFRAME_H
#define WEIR_PERFFRAME_H

#include "base/slice.h"

struct perfframe {
	struct slice name;	/* without the offset in it; empty: it is not known */
	struct slice in;	/* the module; empty: it was not printed */
};

/* Reads LINE; false: it is no frame, it has no address. FRAME's texts are parts of it. O(length). */
bool perfframe_parse(struct slice line, struct perfframe *frame);

/*
 * Writes the frame at TO, in its folded form: its name, or else its module. KIND: with the mark of
 * perfscript.h behind it. Returns the length, at most 4 for each byte of both texts and PERFFRAME_MORE.
 */
enum { PERFFRAME_MORE = 16 };
size_t perfframe_put(char *to, const struct perfframe *frame, bool kind);

#endif
