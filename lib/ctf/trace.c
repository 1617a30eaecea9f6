// SPDX-License-Identifier: MIT
#include "ctf/trace.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "base/message.h"
#include "base/table.h"

enum { PATHS_MAX = 1 << 16 };

/* A stream file, and which stream its first packet is of. */
struct entry {
	struct ctf_file file;
	struct ctf_packet first;
	char error[300];	/* why it is no stream; empty: it is one */
};

struct entries {
	struct entry *at;
	size_t n, room;
};

static char *join(const char *directory, const char *name)
{
	size_t size = strlen(directory) + strlen(name) + 2;
	char *path = memory_get(size);

	snprintf(path, size, "%s/%s", directory, name);
	return path;
}

/* The largest metadata of the chunks has the events of all: tracers only add. */
static struct ctf_layout *make_layout(char *const *paths, size_t n, const struct selection *selection, char *why,
				      size_t why_size)
{
	struct ctf_metadata *metadata;
	off_t most = -1;
	char *best = NULL;

	for (size_t i = 0; i < n; i++) {
		char *path = join(paths[i], "metadata");
		struct stat st;

		if (stat(path, &st) == 0 && st.st_size > most) {
			most = st.st_size;
			free(best);
			best = path;
		} else {
			free(path);
		}
	}
	if (most <= 0) {
		snprintf(why, why_size, best ? "its metadata is empty: the tracer has not written it yet" :
					       "it has no metadata");
		free(best);
		return NULL;
	}
	metadata = ctf_metadata_read(best, why, why_size);
	free(best);
	return metadata ? ctf_layout_make(metadata, selection, why, why_size) : NULL;
}

static void add_file(struct entries *entries, const struct ctf_layout *layout, char *path)
{
	struct entry *entry;

	entries->at = memory_grow(entries->at, &entries->room, entries->n + 1, sizeof *entries->at);
	entry = &entries->at[entries->n++];
	*entry = (struct entry){ .error = "" };
	if (ctf_file_open(&entry->file, path, entry->error, sizeof entry->error) && entry->file.size)
		ctf_packet_read(layout, &entry->file, 0, NULL, &entry->first, entry->error, sizeof entry->error);
}

/* Adds the regular files of a directory that may be streams. */
static bool add_files(struct entries *entries, const struct ctf_layout *layout, const char *directory, char *why,
		      size_t why_size)
{
	DIR *dir = opendir(directory);
	struct dirent *name;

	if (!dir) {
		snprintf(why, why_size, "%s", strerror(errno));
		return false;
	}
	while ((name = readdir(dir)) && entries->n < PATHS_MAX) {
		struct stat st;
		char *path;

		if (name->d_name[0] == '.' || strcmp(name->d_name, "metadata") == 0)
			continue;
		path = join(directory, name->d_name);
		if (stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0)
			add_file(entries, layout, path);
		else
			free(path);
	}
	closedir(dir);
	return true;
}

static int compare(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

/* By stream class, stream and time; files whose stream has no number are each their own. */
static int by_stream(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int order = compare(x->first.stream_id, y->first.stream_id);

	if (!order)
		order = compare(x->first.instance_id, y->first.instance_id);
	if (!order && x->first.instance_id != UINT64_MAX)
		order = compare(x->first.begin, y->first.begin);
	return order ? order : strcmp(x->file.path, y->file.path);
}

static bool is_same_stream(const struct entry *a, const struct entry *b)
{
	return !*a->error && !*b->error && a->first.instance_id != UINT64_MAX &&
	       a->first.stream_id == b->first.stream_id && a->first.instance_id == b->first.instance_id;
}

static void add_reader(struct ctf_traces *traces, const struct ctf_layout *layout, const struct entry *entries,
		       size_t n)
{
	struct ctf_stream_reader *reader;
	const char *base = strrchr(entries->file.path, '/');

	traces->readers = memory_grow(traces->readers, &traces->readers_room, traces->n + 1,
				      sizeof *traces->readers);
	reader = &traces->readers[traces->n++];
	*reader = (struct ctf_stream_reader){
		.layout = layout,
		.selection = traces->selection,
		.files = memory_get(n * sizeof *reader->files),
		.files_n = (uint32_t)n,
		.source = slice_of(base ? base + 1 : entries->file.path),
		.last_ts = INT64_MIN,
		.last_included = INT64_MIN,
	};
	for (size_t i = 0; i < n; i++) {
		reader->files[i] = entries[i].file;
		reader->files[i].repeats_from = i + 1 < n ? entries[i + 1].first.begin : UINT64_MAX;
		traces->bytes += entries[i].file.size;
	}
	/* Where only the first packet makes no sense, the reader looks for the next one. */
	if (*entries->error && !entries->file.at) {
		reader->over = true;
		reader->account.damaged = 1;
		snprintf(reader->account.reason, sizeof reader->account.reason, "%.90s: %.300s", entries->file.path,
			 entries->error);
	}
}

bool ctf_traces_open(struct ctf_traces *traces, char *const *paths, size_t n, const struct selection *selection,
		     char *why, size_t why_size)
{
	struct ctf_layout *layout = make_layout(paths, n, selection, why, why_size);
	struct entries entries = { 0 };
	bool good = layout != NULL;

	traces->selection = selection;
	for (size_t i = 0; i < n && good; i++)
		good = add_files(&entries, layout, paths[i], why, why_size);
	if (!good) {
		for (size_t i = 0; i < entries.n; i++) {
			ctf_file_close(&entries.at[i].file);
			free((void *)(uintptr_t)entries.at[i].file.path);
		}
		free(entries.at);
		ctf_layout_free(layout);
		return false;
	}
	traces->layouts = memory_grow(traces->layouts, &traces->layouts_room, traces->layouts_n + 1,
				      sizeof(struct ctf_layout *));
	traces->layouts[traces->layouts_n++] = layout;
	if (entries.n)
		qsort(entries.at, entries.n, sizeof *entries.at, by_stream);
	for (size_t i = 0, first = 0; i < entries.n; i++) {
		if (i + 1 < entries.n && is_same_stream(&entries.at[i], &entries.at[i + 1]))
			continue;
		add_reader(traces, layout, &entries.at[first], i + 1 - first);
		first = i + 1;
	}
	free(entries.at);
	return true;
}

void ctf_traces_close(struct ctf_traces *traces)
{
	for (uint32_t i = 0; i < traces->n; i++) {
		for (uint32_t k = 0; k < traces->readers[i].files_n; k++) {
			ctf_file_close(&traces->readers[i].files[k]);
			free((void *)(uintptr_t)traces->readers[i].files[k].path);
		}
		free(traces->readers[i].files);
		packetindex_free(&traces->readers[i].index);
		table_free(traces->readers[i].seen);
	}
	for (size_t i = 0; i < traces->layouts_n; i++)
		ctf_layout_free(traces->layouts[i]);
	free(traces->readers);
	free(traces->layouts);
	*traces = (struct ctf_traces){ 0 };
}

bool ctf_traces_first(const struct ctf_traces *traces, int64_t *ts)
{
	bool found = false;

	for (uint32_t i = 0; i < traces->n; i++) {
		int64_t first;

		if (ctf_stream_first(&traces->readers[i], &first) && (!found || first < *ts)) {
			*ts = first;
			found = true;
		}
	}
	return found;
}

void ctf_traces_describe(const struct ctf_traces *traces, size_t which, const char *path, struct writer *out)
{
	const struct ctf_layout *layout = traces->layouts[which];
	struct intern *taken = intern_new();
	uint64_t streams = 0, bytes = 0;
	int64_t first = INT64_MAX, ts;

	for (uint32_t i = 0; i < traces->n; i++) {
		const struct ctf_stream_reader *reader = &traces->readers[i];

		if (reader->layout != layout)
			continue;
		streams++;
		for (uint32_t k = 0; k < reader->files_n; k++)
			bytes += reader->files[k].size;
		if (ctf_stream_first(reader, &ts) && ts < first)
			first = ts;
	}
	writer_begin(out, first == INT64_MAX ? 0 : first, SLICE("trace"));
	writer_text(out, KEY("path"), slice_of(path));
	writer_u64(out, KEY("streams"), streams);
	writer_u64(out, KEY("size_bytes"), bytes);
	for (const char *const *key = (const char *const[]){ "ts", "ev", "path", "streams", "size_bytes", NULL }; *key;
	     key++)
		intern_id(taken, slice_of(*key));
	for (const struct ctf_environment *e = layout->metadata->environment; e; e = e->next) {
		char text[sizeof(struct keys_name) + 2];
		struct keys_name key;

		keys_make(&key, taken, SLICE(""), e->name);
		text[0] = '\t';
		memcpy(text + 1, key.text, key.len);
		text[key.len + 1] = '=';
		writer_text(out, (struct key){ text, key.len + 2 }, e->value);
	}
	writer_end(out);
	intern_free(taken);
}

bool ctf_traces_report(const struct ctf_traces *traces, struct ctf_sum *sum)
{
	bool good = true;

	for (uint32_t i = 0; i < traces->n; i++) {
		const struct ctf_stream_reader *reader = &traces->readers[i];
		const struct ctf_account *account = &reader->account;

		if (account->damaged) {
			char more[64] = "";

			if (account->damaged > 1)
				snprintf(more, sizeof more, " (and %llu more places)",
					 (unsigned long long)account->damaged - 1);
			message("%s%s", account->reason, more);
			good = false;
		}
		if (account->backwards)
			message("warning: %s: time goes back in %llu places; the records there are not sorted",
				reader->files->path, (unsigned long long)account->backwards);
		sum->cut += account->cut;
		sum->timeless += account->timeless;
		sum->lost += account->lost;
		sum->lost_places += account->lost_places;
		sum->lost_unknown |= account->lost_unknown != 0;
	}
	return good;
}
