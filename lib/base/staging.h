/* SPDX-License-Identifier: MIT */
/*
 * A directory that appears as a whole: its files are made in another one beside it, DIRECTORY.XXXXXX, which
 * gets the name at the end. When the program ends before that, it is removed. One at a time.
 */
#ifndef WEIR_STAGING_H
#define WEIR_STAGING_H

#include "base/slice.h"

struct staging;

/* DIRECTORY, which is kept, must not exist. Whatever fails is said, and ends the program with EXIT_FAILED. */
struct staging *staging_new(const char *directory);

/* The path of its file NAME.SUFFIX; free() it. */
char *staging_path(const struct staging *staging, const char *name, const char *suffix);

/* Waits until the disk has all of its files, gives it its name, and frees STAGING. */
void staging_show(struct staging *staging);

#endif
