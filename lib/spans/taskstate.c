// SPDX-License-Identifier: MIT
#include "spans/taskstate.h"

#include "base/number.h"

/*
 * The kernel's TASK_* and EXIT_* bits (include/linux/sched.h). 0x80 is what the tracepoint makes of
 * TASK_IDLE, an uninterruptible sleep (2) that does not count as load (0x400). Bits above tell how the
 * sleep may end (0x100 WAKEKILL), or, alone, that the thread was preempted (TASK_REPORT_MAX; before
 * 4.14 TASK_STATE_MAX).
 */
static const struct {
	unsigned bit;
	char letter;
	const char *names[3];
} states[] = {
	{ 0x20, 'Z', { "ZOMBIE", "Z", NULL } },
	{ 0x10, 'X', { "DEAD", "X", NULL } },
	{ 0x01, 'S', { "INTERRUPTIBLE", "S", NULL } },
	{ 0x02, 'D', { "UNINTERRUPTIBLE", "D", "KILLABLE" } },
	{ 0x04, 'T', { "STOPPED", "T", NULL } },
	{ 0x08, 't', { "TRACED", "t", NULL } },
	{ 0x40, 'P', { "PARKED", "P", NULL } },
	{ 0x80, 'I', { "IDLE", "I", NULL } },
	{ 0x100, 'R', { "WAKEKILL", "K", "REPORT_MAX" } },
	{ 0x200, 'R', { "WAKING", "W", "STATE_MAX" } },
	{ 0x400, 'R', { "NOLOAD", "N", NULL } },
	{ 0x800, 'R', { "NEW", "n", NULL } },
	{ 0, 'R', { "RUNNING", "R", "R+" } },
};
enum { STATES = sizeof states / sizeof *states };

static bool strip(struct slice *text, const char *prefix)
{
	size_t n = strlen(prefix);

	if (text->len <= n || memcmp(text->at, prefix, n) != 0)
		return false;
	text->at += n;
	text->len -= n;
	return true;
}

static bool bit_of(struct slice name, unsigned *bits)
{
	strip(&name, "__");
	if (!strip(&name, "TASK_"))
		strip(&name, "EXIT_");
	for (size_t i = 0; i < STATES; i++) {
		for (size_t k = 0; k < 3 && states[i].names[k]; k++) {
			if (slice_equal(name, slice_of(states[i].names[k]))) {
				*bits |= states[i].bit;
				return true;
			}
		}
	}
	return false;
}

static bool bits_of(struct slice text, unsigned *bits)
{
	int64_t number;

	*bits = 0;
	if (number_i64(text, &number)) {
		*bits = (unsigned)number;
		return true;
	}
	for (;;) {
		const char *bar = text.len ? memchr(text.at, '|', text.len) : NULL;
		size_t len = bar ? (size_t)(bar - text.at) : text.len;

		if (!bit_of((struct slice){ text.at, len }, bits))
			return false;
		if (!bar)
			return true;
		text.at += len + 1;
		text.len -= len + 1;
	}
}

char taskstate_letter(struct slice text)
{
	unsigned bits;

	if (!bits_of(text, &bits))
		return '\0';
	if ((bits & 0x402) == 0x402)
		return 'I';
	for (size_t i = 0; i < STATES; i++)
		if (bits & states[i].bit)
			return states[i].letter;
	return 'R';
}
