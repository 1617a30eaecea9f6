/* SPDX-License-Identifier: MIT */
/*
 * What one process has mapped, captured while it lives, so that its addresses have names after it ended.
 * (pkg-config: libdw libelf)
 *
 * Nothing that a process chooses makes the reader wait or read another's files: files are opened as the
 * kernel knows them (map_files) where that is allowed, else by their path in the process's own root, and then
 * only when they are regular files with the inode that is mapped. A map of functions made at run time
 * (perfmap.h) must belong to the process's user or to root, and be no older than the process.
 */
#ifndef WEIR_SPACE_H
#define WEIR_SPACE_H

#include "stacks/images.h"
#include "stacks/maps.h"
#include "stacks/perfmap.h"

struct intern;

struct space {
	int64_t pid;
	uint64_t started;	/* clock ticks since boot */
	bool live;		/* it is looked at anew where needed */
	uint32_t uid;
	uint64_t used;		/* for the owner's own purposes */
	struct maps maps;	/* their images are numbers of images.h; IMAGES_NONE: none */
	int64_t inner_pid;	/* as the process itself knows it */
	int root;		/* its root directory, where that is not ours; -1 */
	int64_t looked_ns;	/* when its start time was looked at last */
	int64_t again_ns;	/* when its mappings, its functions may be looked at again */
	int64_t perfmap_again_ns;
	int64_t patience_ns;	/* between two looks at its mappings */
	uint64_t perfmap_bytes;
	struct perfmap *perfmap;
	struct mapped_file *files;	/* of each mapping, until they are adopted */
};

/*
 * The live process PID; what cannot be seen of it is empty. space_free() it. Its files are open, but those in SENT
 * (NULL: none), the set of the files that are told once to who adopts them. Any thread may call this.
 */
struct space *space_new(int64_t pid, struct intern *sent);

/* Its files become numbers of IMAGES. */
void space_adopt(struct space *space, struct images *images);

/* A process without mappings, or (MAPS_FD) with those of a saved file; 0 or an errno, as maps_read(). */
struct space *space_saved(void);
int space_saved_maps(struct space *space, struct images *images, int maps_fd, size_t *line);

/* ELF is what runs at the mappings that bear its name, or at BASE; 0, or an errno. */
int space_saved_elf(struct space *space, struct images *images, const char *elf, uint64_t base);

void space_free(struct space *space);

/* It stays as it is: its process executes another program by now, or is a saved one. */
void space_settle(struct space *space);

/* False: the pid belongs to another process by now. Looks at most ten times a second. */
bool space_is_current(struct space *space);

/*
 * An address is in no mapping: captures them anew, a hundred times a second while there are new ones each time,
 * else less and less often, down to once a second. True: they may be others now.
 */
bool space_again(struct space *space, struct images *images);

/*
 * The function made at run time that ADDRESS lies in (perfmap_find()). Reads the map anew when it grew, but
 * for no more than a twentieth of the time.
 */
bool space_made(struct space *space, uint64_t address, struct slice *name);

#endif
