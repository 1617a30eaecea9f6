/* SPDX-License-Identifier: MIT */
/*
 * Hearing of programs from the kernel's side (bpf/news.h) and capturing what they have mapped while they live, in
 * a thread of its own, that goes first: names take their time, and programs may end meanwhile.
 * (pkg-config: libbpf libdw libelf zlib; library: iberty)
 */
#ifndef WEIR_NEWS_H
#define WEIR_NEWS_H

#include "live/privilege.h"
#include "stacks/symbols.h"

struct news;

/* What it needs the right to: looking at programs of others, their mappings and files. */
#define NEWS_RIGHTS (PRIVILEGE(CAP_SYS_PTRACE) | PRIVILEGE(CAP_DAC_READ_SEARCH) | \
		     PRIVILEGE(CAP_CHECKPOINT_RESTORE) | PRIVILEGE(CAP_SYS_NICE))

/* RING: the descriptor of the map `news` of a loaded object. Ends the program with a message on failure. */
struct news *news_new(struct symbols *symbols, int ring);
void news_free(struct news *news);

#endif
