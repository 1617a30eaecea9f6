/* SPDX-License-Identifier: MIT */
/*
 * The BPF programs of a collector, from an opened skeleton to their end: which of them this kernel takes, what
 * takes the place of one that it does not, loading, attaching, running iterators, and what the runs cost.
 */
#ifndef WEIR_BPFOBJECT_H
#define WEIR_BPFOBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../bpf/shared.h"

struct bpf_object_skeleton;
struct bpfobject;

/*
 * What is told of a collector's programs, for --check and for kernels that lack one. All programs of the
 * object have an entry. The array ends with an entry of zeroes.
 */
struct bpfobject_program {
	const char *name;	/* of the function */
	const char *gives;	/* what it is for */
	bool off;		/* not wanted this time: not loaded */
	const char *instead;	/* the program that is used when this one does not load; not loaded else */
	const char *with;	/* loaded only together with that one */
	bool optional;		/* the collector does without; bpfobject_has() tells. OFF from the start: --check asks */
	bool sums;		/* it adds up: a run that there was not is no event that was lost */
	const char *map;	/* an iterator over what this map of the object holds */
};

/*
 * Takes an opened skeleton (NULL: it could not be opened; ends the program with a message). PROGRAMS is kept; who
 * made it may change `off` until bpfobject_load().
 */
struct bpfobject *bpfobject_new(struct bpf_object_skeleton *skeleton, struct bpfobject_program *programs);
void bpfobject_free(struct bpfobject *object);

/* Where the variables of a section (".rodata.settings") are, which have SIZE bytes. */
void *bpfobject_variables(const struct bpfobject *object, const char *section, size_t size);

/* The map's descriptor; before bpfobject_load() there is none, but room can be set. */
int bpfobject_map(const struct bpfobject *object, const char *name);
void bpfobject_room(const struct bpfobject *object, const char *map, uint32_t entries);

/* Prints what the kernel has and lacks, a line each, on stdout. Whether the collector can run. */
bool bpfobject_check(struct bpfobject *object);

/*
 * Chooses the programs, loads them and opens the iterators. These, and all that follows, end the program with a
 * message that says what to do when they fail. Takes some 10 ms for each program that can be replaced.
 */
void bpfobject_load(struct bpfobject *object);
bool bpfobject_has(const struct bpfobject *object, const char *program);

/* What each of the N CPUs sent and lost (bpf/shared.h); the kernel writes there. After bpfobject_load(). */
struct counter *bpfobject_counters(const struct bpfobject *object, size_t *n);

/* Attaches the program NAME; or all that are not yet. Not iterators, and not programs for perf events. */
void bpfobject_attach(const struct bpfobject *object, const char *name);
void bpfobject_attach_all(const struct bpfobject *object);
void bpfobject_detach_all(const struct bpfobject *object);

/* Runs the iterator PROGRAM (bpf/: SEC("iter/task")) and hands over what it writes, in records of SIZE bytes. */
typedef void bpfobject_each(void *state, const void *record);
void bpfobject_iterate(struct bpfobject *object, const char *program, size_t size, bpfobject_each *each, void *state);

/*
 * What the programs cost. To measure a run costs two more looks at the clock, so only the first ones are measured
 * where bpfobject_measure() is called now and then.
 */
void bpfobject_measure(struct bpfobject *object);
void bpfobject_cost(const struct bpfobject *object, char *text, size_t size);

/* How many runs there were not, because the program ran on that CPU already: of all but those that sum; of these. */
uint64_t bpfobject_missed(const struct bpfobject *object);
uint64_t bpfobject_missed_sums(const struct bpfobject *object);

#endif
