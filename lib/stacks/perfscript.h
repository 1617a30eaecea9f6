/* SPDX-License-Identifier: MIT */
/*
 * The text of perf-script(1): a line for each sample, the frames of its stack, leaf first, an empty line:
 *
 *	nginx: worker  2171/2171  [001]  1045.169330:   10101010 cpu-clock:
 *		    55d0c8a41170 ngx_epoll_process_events+0x2f0 (/usr/sbin/nginx)
 *		    7f3e1a02724a [unknown] (/usr/lib/x86_64-linux-gnu/libc.so.6)
 *
 * with those of its fields that it was asked to print, in its order. Names may hold blanks and parentheses.
 * A frame without a name is `[module]`, or `[module+0xoffset]` where the offset was printed (-F +dsoff).
 */
#ifndef WEIR_PERFSCRIPT_H
#define WEIR_PERFSCRIPT_H

#include "base/slice.h"

struct perfscript_sample {
	struct slice comm, event;	/* event: without its modifiers; may be empty */
	int64_t ts, cpu, pid, tid;	/* ts: ns of perf's clock; -1: not printed */
	uint64_t period;		/* 1 where it was not printed */
	struct slice stack;		/* in its folded form; empty: the sample has none */
};

struct perfscript;

/*
 * TAKE gets DATA and each sample as it is complete; what the sample points to is valid until it returns.
 * KINDS: frames of the kernel end in `_[k]`, inlined ones in `_[i]`, those of code that was compiled at run
 * time in `_[j]`, as flame graphs know them.
 */
struct perfscript *perfscript_new(bool kinds, void take(void *data, const struct perfscript_sample *), void *data);
void perfscript_free(struct perfscript *perf);

/*
 * The next line, without LF. Returns NULL, or why it was refused: a text of unlimited life. After the last
 * line of a file comes perfscript_end(). O(length); memory: the longest sample.
 */
const char *perfscript_line(struct perfscript *perf, struct slice line);
void perfscript_end(struct perfscript *perf);

/* Whether TEXT, the beginning of a file, looks like this. */
bool perfscript_detect(struct slice text);

#endif
