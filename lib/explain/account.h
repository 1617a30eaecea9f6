/* SPDX-License-Identifier: MIT */
/* A split of a span's time (history.h), written for programs and for people. */
#ifndef WEIR_ACCOUNT_H
#define WEIR_ACCOUNT_H

#include "explain/history.h"
#include "records/writer.h"

/* Whether a field of a record would have the name of one that account_write() may write. */
bool account_has_key(struct slice key);

/*
 * The fields of a split, each named as it is or, for the server's side, with `server.` before it:
 * main run_ns [run_user_ns run_call_ns] irq_ns runq_ns ... as explain(1) has them.
 */
void account_write(struct writer *out, const struct history *history, const struct split *split, bool server);

/* What took the most time; CAUSES when no time has passed. */
enum cause account_main(const struct split *split);

/*
 * `91 % blocked on disk, 6 % runnable (postgres/326 ran), 3 % running`: what took 1 % or more, the most
 * first. CALLS: names the calls too that it slept in. Writes up to ACCOUNT_SENTENCE bytes; the length.
 */
enum { ACCOUNT_SENTENCE = 2048 };
size_t account_sentence(char *to, const struct history *history, const struct split *split, bool calls);

#endif
