// SPDX-License-Identifier: MIT
/*
 * decode DIRECTORY: the records of the trace in it, for tests of lib/ctf alone. Each file is a stream.
 *
 * Exit status 1, with messages on stderr, when anything was damaged. In the environment: JOBS=N threads;
 * BEGIN=NS and END=NS, the time wanted.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/message.h"
#include "ctf/merge.h"

static int is_stream(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && strcmp(entry->d_name, "metadata") != 0 &&
	       strcmp(entry->d_name, "index") != 0;
}

static char *path_of(const char *directory, const char *name)
{
	size_t size = strlen(directory) + strlen(name) + 2;
	char *path = memory_get(size);

	snprintf(path, size, "%s/%s", directory, name);
	return path;
}

int main(int argc, char **argv)
{
	struct selection selection = { 0 };
	struct ctf_metadata *metadata;
	struct ctf_layout *layout;
	struct ctf_stream_reader *readers;
	struct ctf_file *files;
	struct dirent **names;
	struct progress progress;
	struct writer *out;
	const char *jobs = getenv("JOBS");
	char error[400], *path;
	uint64_t total = 0;
	bool good = true;
	int n;

	message_program("decode");
	if (argc != 2)
		message_usage("cannot decode: one directory is wanted");
	n = scandir(argv[1], &names, is_stream, alphasort);
	if (n < 0)
		message_die("cannot read %s: %s", argv[1], strerror(errno));
	selection_start(&selection, 0);
	if (getenv("BEGIN"))
		selection.begin_ns = atoll(getenv("BEGIN"));
	if (getenv("END"))
		selection.end_ns = atoll(getenv("END"));
	path = path_of(argv[1], "metadata");
	metadata = ctf_metadata_read(path, error, sizeof error);
	layout = metadata ? ctf_layout_make(metadata, &selection, error, sizeof error) : NULL;
	if (!layout)
		message_die("cannot read %s: %s", path, error);
	free(path);
	readers = memory_zeroed((size_t)(n + 1) * sizeof *readers);
	files = memory_zeroed((size_t)(n + 1) * sizeof *files);
	for (int i = 0; i < n; i++) {
		path = path_of(argv[1], names[i]->d_name);
		if (!ctf_file_open(&files[i], path, error, sizeof error)) {
			message("cannot read %s: %s", path, error);
			good = false;
		}
		readers[i].layout = layout;
		readers[i].selection = &selection;
		readers[i].files = &files[i];
		readers[i].files_n = 1;
		readers[i].last_ts = INT64_MIN;
		readers[i].source = slice_of(names[i]->d_name);
		total += files[i].size;
	}
	out = writer_stdout();
	progress_start(&progress, "events", false, true);
	ctf_merge(readers, (uint32_t)n, jobs ? (unsigned)atoi(jobs) : 1, out, &progress, total);
	writer_close(out);
	for (int i = 0; i < n; i++) {
		const struct ctf_account *account = &readers[i].account;

		if (account->damaged) {
			message("%s", account->reason);
			good = false;
		}
		ctf_file_close(&files[i]);
		free((char *)(uintptr_t)files[i].path);
		free(names[i]);
	}
	free(names);
	free(files);
	free(readers);
	ctf_layout_free(layout);
	return good ? EXIT_COMPLETE : EXIT_FAILED;
}
