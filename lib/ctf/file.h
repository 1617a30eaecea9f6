/* SPDX-License-Identifier: MIT */
/*
 * A file of packets, mapped.
 *
 * A file that is cut while it is mapped makes reading it raise SIGBUS. The first file opened installs a handler that
 * goes where the reading thread has its guard, and leaves other faults to what was before.
 */
#ifndef WEIR_CTF_FILE_H
#define WEIR_CTF_FILE_H

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ctf_file {
	const char *path;
	const uint8_t *at;
	uint64_t size;
	uint64_t repeats_from;		/* packets that begin then or later may come again in the files after it */
};

/*
 * Maps the regular file at PATH, which is kept. False with the reason in ERROR. An empty one is fine: `at`
 * is NULL.
 */
bool ctf_file_open(struct ctf_file *file, const char *path, char *error, size_t error_size);
void ctf_file_close(struct ctf_file *file);

/* Where the thread goes (siglongjmp, with 1) when what it reads of a file is not there any more; NULL: nowhere. */
extern _Thread_local sigjmp_buf *volatile ctf_file_guard;

#endif
