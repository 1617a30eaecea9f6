// SPDX-License-Identifier: MIT
// pkg-config: babeltrace2
#include "babeltrace/rescue.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/message.h"

enum { ROUNDS_MAX = 40, SIZES_MAX = 6 };

/* A trace that was refused as a whole. */
struct origin {
	char reason[BABELTRACE_TEXT];
	struct trace trace;
};

/* Where a part is from. */
struct rescued {
	struct origin *origin;
	char *directory, *file;		/* no file: only the metadata */
	const char *path;		/* of the whole file, for messages */
	const uint64_t *packets;	/* their offsets, and the end; NULL: the file is not taken apart */
	size_t first, last;		/* which of them, last excluded */
	unsigned choice; /* parts with the same number, not 0: the first one that opens counts */
};

struct list {
	struct trace *traces;
	size_t n, room;
};

static void add(struct list *list, struct trace trace)
{
	list->traces = memory_grow(list->traces, &list->room, list->n + 1, sizeof *list->traces);
	list->traces[list->n++] = trace;
}

/* Frees AT in the end. */
static void *kept(struct rescue *rescue, void *at)
{
	rescue->kept =
		memory_grow(rescue->kept, &rescue->kept_room, rescue->n_kept + 1, sizeof *rescue->kept);
	rescue->kept[rescue->n_kept++] = at;
	return at;
}

static bool need_root(struct rescue *rescue)
{
	if (*rescue->salvage.root || salvage_make(&rescue->salvage))
		return true;
	message("cannot make a temporary directory: %m");
	return false;
}

/* Adds a part: packets first..last of a file (or the file), of which the last ends after SIZE bytes. */
static void add_part(struct rescue *rescue, struct list *list, const struct rescued *of,
		     const uint64_t *packets, size_t first, size_t last, uint64_t size, unsigned choice)
{
	uint64_t from = 0, to = 0;
	struct rescued *rescued;
	char *piece, **paths;

	if (!need_root(rescue))
		return;
	if (packets) {
		from = packets[first];
		to = size && from + size < packets[last] ? from + size : packets[last];
	}
	piece = salvage_piece(&rescue->salvage, of->directory, of->file, from, to, size);
	if (!piece) {
		message("cannot copy %s to %s: %m", of->path, rescue->salvage.root);
		return;
	}
	rescued = kept(rescue, memory_get(sizeof *rescued));
	*rescued = *of;
	rescued->packets = packets;
	rescued->first = first;
	rescued->last = last;
	rescued->choice = choice;
	paths = kept(rescue, memory_get(sizeof *paths));
	*paths = kept(rescue, piece);
	add(list, (struct trace){ .paths = paths, .n = 1, .name = of->path, .is_padded = size > to - from,
				  .rescued = rescued });
}

static int is_stream(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && strcmp(entry->d_name, "metadata") != 0;
}

/* First, whether it is for the metadata: then nothing can be done. */
static void try_metadata(struct rescue *rescue, struct list *list, const struct trace *trace,
			 const char *reason)
{
	struct origin *origin = kept(rescue, memory_get(sizeof *origin));

	kept(rescue, trace->paths);
	origin->trace = *trace;
	snprintf(origin->reason, sizeof origin->reason, "%s", reason);
	add_part(rescue, list,
		 &(struct rescued) { .origin = origin, .directory = trace->paths[0], .path = trace->name },
		 NULL, 0, 0, 0, 0);
}

/* The stream files of a trace, each for itself. */
static void split_trace(struct rescue *rescue, struct list *list, struct origin *origin)
{
	const struct trace *trace = &origin->trace;

	for (size_t i = 0; i < trace->n; i++) {
		struct dirent **entries;
		int n = scandir(trace->paths[i], &entries, is_stream, alphasort);

		for (int e = 0; e < n; e++) {
			char path[PATH_MAX];
			struct stat status;

			snprintf(path, sizeof path, "%s/%s", trace->paths[i], entries[e]->d_name);
			if (stat(path, &status) == 0 && S_ISREG(status.st_mode) && status.st_size)
				add_part(rescue, list,
					 &(struct rescued) {
						 .origin = origin,
						 .directory = trace->paths[i],
						 .file = kept(rescue,
							      memory_copy(slice_of(entries[e]->d_name))),
						 .path = kept(rescue, memory_copy(slice_of(path))) },
					 NULL, 0, 0, 0, 0);
			free(entries[e]);
		}
		if (n >= 0)
			free(entries);
	}
}

/* The packets of a file that is refused. False: it cannot be taken apart. */
static bool split_file(struct rescue *rescue, struct list *list, const struct rescued *file)
{
	static unsigned choice;
	uint64_t sizes[SIZES_MAX];
	size_t n, found;
	uint64_t *packets = salvage_packets(file->path, &n);

	if (n == 0) {
		free(packets);
		return false;
	}
	kept(rescue, packets);
	choice++;
	if (n > 1)
		add_part(rescue, list, file, packets, 0, n - 1, 0, 0);
	found = salvage_sizes(file->path, packets[n - 1], packets[n], sizes, SIZES_MAX);
	if (n > 1)
		add_part(rescue, list, file, packets, n - 1, n, 0, choice);
	for (size_t i = 0; i < found; i++)
		add_part(rescue, list, file, packets, n - 1, n, sizes[i], choice);
	return n > 1 || found;
}

static void split_packets(struct rescue *rescue, struct list *list, const struct rescued *part)
{
	size_t middle = part->first + (part->last - part->first) / 2;

	add_part(rescue, list, part, part->packets, part->first, middle, 0, 0);
	add_part(rescue, list, part, part->packets, middle, part->last, 0, 0);
}

/* A refused part that is not taken apart further. */
static void give_up(const struct rescued *part, const char *reason)
{
	if (!part->file)
		message("cannot read %s: %s", part->origin->trace.name, part->origin->reason);
	else if (part->packets)
		message("%s: bytes %llu to %llu cannot be read: %s", part->path,
			(unsigned long long)part->packets[part->first],
			(unsigned long long)part->packets[part->last], reason);
	else
		message("cannot read %s: %s", part->path, reason);
}

static bool choice_is_open(const struct crew *crew, const struct trace *traces, size_t n, unsigned choice)
{
	for (size_t i = 0; choice && i < n; i++)
		if (traces[i].rescued && traces[i].rescued->choice == choice && !crew_refusal(crew, i))
			return true;
	return false;
}

/* The reason without the places of temporary files, which nobody can look at. */
static const char *tidy(const struct rescue *rescue, char *reason)
{
	size_t n = strlen(rescue->salvage.root);
	char *at = n ? strstr(reason, rescue->salvage.root) : NULL, *end;

	if (at && at > reason + 1 && (at[-1] == '\'' || at[-1] == '`')) {
		end = at + strcspn(at, "'`");
		at -= at > reason + 2 && at[-2] == ' ' ? 2 : 1;
		memmove(at, end + (*end != '\0'), strlen(end + (*end != '\0')) + 1);
	}
	return reason;
}

/* What is open stays, once of each choice. */
static void keep(struct rescue *rescue, struct list *next, const struct trace *trace, unsigned *last_choice)
{
	const struct rescued *part = trace->rescued;

	if (part && !part->file)
		split_trace(rescue, next, part->origin);
	else if (!part || !part->choice || part->choice != *last_choice)
		add(next, *trace);
	*last_choice = part && part->choice ? part->choice : *last_choice;
}

/* What was refused is replaced by parts of it. */
static void take_apart(struct rescue *rescue, struct list *next, const struct trace *trace,
		       const char *reason, bool may_split)
{
	const struct rescued *part = trace->rescued;

	if (!part && (trace->live || !may_split))
		message("cannot read %s: %s", trace->name, reason);
	else if (!part)
		try_metadata(rescue, next, trace, reason);
	else if (may_split && part->file && !part->packets && split_file(rescue, next, part))
		message("%s: %s; reading what can be read", part->path, reason);
	else if (may_split && part->packets && part->last - part->first > 1)
		split_packets(rescue, next, part);
	else
		give_up(part, reason);
}

/* One round. True when there is something new to open. */
static bool replace(struct rescue *rescue, struct crew *crew, struct trace **traces, size_t *n,
		    bool may_split)
{
	struct list next = { 0 };
	unsigned last_choice = 0, refused_choice = 0;
	bool changed = false;

	for (size_t i = 0; i < *n; i++) {
		struct trace *trace = &(*traces)[i];
		unsigned choice = trace->rescued ? trace->rescued->choice : 0;
		char reason[BABELTRACE_TEXT];
		size_t before = next.n;

		if (!crew_refusal(crew, i)) {
			keep(rescue, &next, trace, &last_choice);
			changed |= next.n != before + 1 || next.traces[before].paths != trace->paths;
			continue;
		}
		changed = true;
		rescue->incomplete = true;
		/* Of a choice, only the first is said to be refused, and only when all are. */
		if (choice && (choice == refused_choice || choice_is_open(crew, *traces, *n, choice)))
			continue;
		refused_choice = choice ? choice : refused_choice;
		snprintf(reason, sizeof reason, "%s", crew_refusal(crew, i));
		take_apart(rescue, &next, trace, tidy(rescue, reason), may_split);
	}
	free(*traces);
	*traces = next.traces;
	*n = next.n;
	return changed;
}

bool rescue_open(struct rescue *rescue, struct crew *crew, struct trace **traces, size_t *n)
{
	for (int round = 0;; round++) {
		if (!crew_open(crew, *traces, *n))
			return false;
		if (!replace(rescue, crew, traces, n, round < ROUNDS_MAX))
			return true;
	}
}

void rescue_end(struct rescue *rescue)
{
	salvage_remove(&rescue->salvage);
	for (size_t i = 0; i < rescue->n_kept; i++)
		free(rescue->kept[i]);
	free(rescue->kept);
}
