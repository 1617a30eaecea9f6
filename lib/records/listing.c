// SPDX-License-Identifier: MIT
#include "records/listing.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/intern.h"
#include "base/memory.h"
#include "base/message.h"
#include "base/table.h"
#include "records/reader.h"

struct listing {
	pid_t pid;
};

/* The records of one name. */
struct type {
	uint64_t count;
	struct intern *fields;
	struct table *shapes;	/* whose fields are known */
};

/* The key with each part that is a number as N. */
static struct slice general(struct slice key, char *to, size_t room)
{
	size_t n = 0;

	for (size_t i = 0; i < key.len && n < room; i++) {
		size_t digits = 0;

		if (i && key.at[i - 1] == '.')
			while (i + digits < key.len && key.at[i + digits] >= '0' && key.at[i + digits] <= '9')
				digits++;
		if (digits && (i + digits == key.len || key.at[i + digits] == '.')) {
			to[n++] = 'N';
			i += digits - 1;
		} else {
			to[n++] = key.at[i];
		}
	}
	return (struct slice){ to, n };
}

static void add(struct type *type, const struct shape *shape)
{
	char room[1024];
	char *known = shape->id == SHAPE_PASSING ? NULL : table_at(type->shapes, shape->id);

	type->count++;
	if (known && *known)
		return;
	if (known)
		*known = 1;
	for (uint32_t i = 0; i < shape->n; i++)
		if (!slice_equal(shape->key[i], SLICE("ts")) && !slice_equal(shape->key[i], SLICE("ev")))
			intern_id(type->fields, general(shape->key[i], room, sizeof room));
}

static const struct intern *sorting;

static int compare_names(const void *a, const void *b)
{
	return slice_compare(intern_text(sorting, *(const uint32_t *)a),
			     intern_text(sorting, *(const uint32_t *)b));
}

static void print(const struct intern *names, const struct type *types)
{
	uint32_t n = intern_count(names), *order = memory_get(n * sizeof *order);
	struct writer *out = writer_stdout();

	for (uint32_t i = 0; i < n; i++)
		order[i] = i;
	sorting = names;
	qsort(order, n, sizeof *order, compare_names);
	for (uint32_t i = 0; i < n; i++) {
		const struct type *type = &types[order[i]];

		/* The name is escaped already, as it came. */
		writer_raw(out, (struct key){ "ev=", 3 }, intern_text(names, order[i]));
		writer_u64(out, KEY("count"), type->count);
		writer_raw(out, KEY("fields"), (struct slice){ "", 0 });
		for (uint32_t f = 0; f < intern_count(type->fields); f++) {
			struct slice field = intern_text(type->fields, f);

			if (f)
				writer_bytes(out, ",", 1);
			writer_bytes(out, field.at, field.len);
		}
		writer_end(out);
	}
	writer_close(out);
	free(order);
}

static int list(void)
{
	char *none = NULL;
	struct reader *in = reader_open(&none, NULL);
	struct intern *names = intern_new();
	struct type *types = NULL;
	struct lookup ev = LOOKUP("ev");
	const struct record *record;
	size_t room = 0;

	while ((record = reader_next(in))) {
		const struct slice *name = lookup_value(&ev, record);
		uint32_t known = intern_count(names), id;

		if (!name)
			continue;
		id = intern_id(names, *name);
		if (id == known) {
			types = memory_grow(types, &room, (size_t)id + 1, sizeof *types);
			types[id] = (struct type){ .fields = intern_new(), .shapes = table_new(1) };
		}
		add(&types[id], record->shape);
	}
	if (!reader_close(in))
		return EXIT_FAILED;
	print(names, types);
	for (uint32_t i = 0; i < intern_count(names); i++) {
		intern_free(types[i].fields);
		table_free(types[i].shapes);
	}
	free(types);
	intern_free(names);
	lookup_free(&ev);
	return EXIT_COMPLETE;
}

struct writer *listing_open(struct listing **listing)
{
	pid_t parent = getpid();
	int pipes[2];

	*listing = memory_get(sizeof **listing);
	if (pipe2(pipes, O_CLOEXEC))
		message_die("cannot make a pipe: %m");
	(*listing)->pid = fork();
	if ((*listing)->pid < 0)
		message_die("cannot fork: %m");
	if ((*listing)->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(EXIT_FAILED);
		free(*listing);
		dup2(pipes[0], STDIN_FILENO);
		close(pipes[0]);
		close(pipes[1]);
		exit(list());
	}
	close(pipes[0]);
	return writer_open(pipes[1], "the listing");
}

bool listing_close(struct listing *listing)
{
	int status = 0;
	pid_t pid;

	while ((pid = waitpid(listing->pid, &status, 0)) < 0 && errno == EINTR)
		continue;
	free(listing);
	return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == EXIT_COMPLETE;
}
