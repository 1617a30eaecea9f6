/* SPDX-License-Identifier: MIT */
/*
 * The text that babeltrace 1 and 2 print of a trace, as records:
 *
 *	[01:37:03.309383307] (+0.000949211) host irq_softirq_raise: { cpu_id = 0 }, { pid = 3 }, { vec = 1 }
 *
 * with all of their options that change its form: --clock-date, --clock-seconds, --clock-cycles,
 * --no-delta, --names, --fields, --color. Times are taken for UTC. Without a date, ts counts from
 * 1970-01-01, a day more at each fall of more than 12 hours; with --clock-cycles it is the cycles.
 *
 * What the text does not tell: the CPU of lost events; whether an octal or binary integer is signed;
 * more than six digits of a real number; which option a variant took (babeltrace 2); whether the last
 * braces are payload, where an event has contexts but not even an empty payload (--names=scope tells).
 * Where a string is empty, babeltrace 2.0 may print an earlier one: that cannot be seen.
 * babeltrace 1 escapes nothing in strings: they are taken to end where what follows looks like an end,
 * and backslashes in them are taken for escapes until the text has shown that they are none.
 */
#ifndef WEIR_BABELTEXT_H
#define WEIR_BABELTEXT_H

#include "records/writer.h"
#include "traces/selection.h"

/*
 * Converts the text that FD gives; NAME is for messages. Lines about discarded events, which both
 * print on stderr, become ev=lost, also where they stand in the middle of another line. A line that
 * cannot be read is reported (the first five by line number, then how many) and the rest goes on.
 * True: all was converted. O(bytes); memory: twice the longest line (16 MiB), and the names.
 */
bool babeltext_convert(int fd, const char *name, struct selection *selection, struct writer *out);

#endif
