/* SPDX-License-Identifier: MIT */
/*
 * The files that processes have mapped. Each is known once, by device, inode, size and time of change, and
 * has a number; it is read for names only when they are asked for. (pkg-config: libdw libelf)
 */
#ifndef WEIR_IMAGES_H
#define WEIR_IMAGES_H

#include "stacks/image.h"

enum {
	IMAGES_MAX = 65535,	/* files that are known; further ones have no names */
	IMAGES_HELD = 256,	/* descriptors that are kept, so that files can be read when they were deleted */
	IMAGES_OPEN = 64,	/* files that are open for names at a time */
};
#define IMAGES_NONE UINT32_MAX

struct images;

struct images *images_new(void);
void images_free(struct images *images);

/* Which file it is. */
struct identity {
	uint64_t device, inode, size, changed_s, changed_ns;
};

/* False: FD has no regular file. */
bool images_identify(int fd, struct identity *identity);

/*
 * The number of the file IDENTITY. FD (-1: none) has it, and is kept or closed; PATH: by which it is opened again
 * where no descriptor was kept, and by which debug files are found. IMAGES_NONE: it is one too many.
 */
uint32_t images_add(struct images *images, const struct identity *identity, int fd, const char *path);

/*
 * The file for its names, or NULL: it cannot be read, is no ELF file, or (*REPLACED) another one bears its
 * name by now. Valid until the next call. Opens it where needed, and closes the one not used for longest.
 */
struct image *images_at(struct images *images, uint32_t id, bool *replaced);

#endif
