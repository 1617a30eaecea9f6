/* SPDX-License-Identifier: MIT */
/* What a process has mapped that can run: the executable lines of /proc/PID/maps, or of a copy of it. */
#ifndef WEIR_MAPS_H
#define WEIR_MAPS_H

#include "base/slice.h"

enum {
	MAPS_MAX = 64 << 10,		/* executable mappings of a process that are known; further ones are not */
	MAPS_TEXT_MAX = 64 << 20,	/* bytes of maps that are read */
};

struct mapping {
	uint64_t start, end;	/* end: the first address behind */
	uint64_t offset;	/* in the file, of start */
	uint64_t inode;		/* 0: no file */
	struct slice path;	/* `[vdso]`, "" for none; NUL-terminated; without ` (deleted)` */
	uint32_t image;		/* for the owner's purposes: which file that is */
};

/* In ascending order of addresses, none overlaps another. */
struct maps {
	struct mapping *at;
	size_t n;
	char *text;		/* where the paths are */
};

/*
 * Reads all of FD. 0, or an errno: EINVAL when a line is no mapping (*LINE: which one, from 1), EFBIG. MAPS
 * is empty then. maps_free() it.
 */
int maps_read(struct maps *maps, int fd, size_t *line);
void maps_free(struct maps *maps);

/* The mapping that ADDRESS lies in, or NULL. O(log n). */
const struct mapping *maps_find(const struct maps *maps, uint64_t address);

/* PATH without its directories. */
struct slice maps_base_name(struct slice path);

#endif
