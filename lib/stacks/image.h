/* SPDX-License-Identifier: MIT */
/*
 * An ELF file, for the names of its functions: from its symbols, those in its .gnu_debugdata, and from its
 * debug information: in the file, beside it, under /usr/lib/debug (by build id or debug link), or from
 * debuginfod, where DEBUGINFOD_URLS is set. (pkg-config: libdw libelf)
 *
 * The file may be hostile: a file that somebody else than root or this user can change is copied first, as
 * one that shrinks while it is mapped would end the program; debug files beside it are not used.
 */
#ifndef WEIR_IMAGE_H
#define WEIR_IMAGE_H

#include <elfutils/libdw.h>

#include "base/slice.h"

enum {
	IMAGE_COPY_MAX = 1 << 30,	/* bytes of a file that is copied; a larger one has no names */
	IMAGE_SYMBOLS_MAX = 16 << 20,
	IMAGE_INLINED = 64,		/* functions inlined into each other that are told apart */
	IMAGE_SEGMENTS = 16,		/* executable segments that are known */
};

struct image;

/* A part of the file that runs. */
struct segment {
	uint64_t offset, size;	/* in the file */
	uint64_t address;
};

/*
 * The file of FD, which is kept, and closed on failure too. PATH: its name, by which debug files are found.
 * NULL: errno; ENOEXEC: it is no program or library. Costs some system calls; symbols and debug information
 * are read when they are asked for.
 */
struct image *image_open(int fd, const char *path);
void image_close(struct image *image);

/* Its executable segments; how many. */
size_t image_segments(const struct image *image, const struct segment **segments);

/* True when it runs at the addresses that are in it, and nowhere else. */
bool image_is_fixed(const struct image *image);

/* The address within the file's own addresses of the byte at OFFSET; false: it is in no such segment. */
bool image_address(const struct image *image, uint64_t offset, uint64_t *address);

/*
 * The functions that ADDRESS (the file's own) lies in: the outermost first, then those inlined there. Names
 * as they are in the file (mangled), valid as long as IMAGE. Returns how many, 0: not known. The first
 * call reads the symbols, and the first for a compilation unit that unit's functions; later ones cost
 * some binary searches and a walk down one function's scopes.
 */
size_t image_functions(struct image *image, uint64_t address, const char *names[IMAGE_INLINED]);

/* How to find the caller's registers at ADDRESS (call frame information), or NULL; free() it. */
Dwarf_Frame *image_frame(struct image *image, uint64_t address);

#endif
