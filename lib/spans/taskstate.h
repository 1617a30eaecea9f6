/* SPDX-License-Identifier: MIT */
/* A thread's state at a switch (prev_state), as a letter. */
#ifndef WEIR_TASKSTATE_H
#define WEIR_TASKSTATE_H

#include "base/slice.h"

/*
 * R S D T t X Z P I, as in /proc/PID/stat: R is a thread that could go on (preempted, or it yielded).
 * TEXT is the number that the tracepoint gives, or names of its bits joined by `|`, with or without
 * TASK_ or EXIT_: `1`, `256`, `TASK_UNINTERRUPTIBLE|TASK_WAKEKILL`, `S`, `R+`. '\0' when it is neither.
 */
char taskstate_letter(struct slice text);

#endif
