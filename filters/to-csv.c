// SPDX-License-Identifier: MIT
/*
 * to-csv: records as CSV (RFC 4180), with a header.
 *
 *	$ to-csv -f ts,comm,dur_ns spans.tskv
 *
 * Without -f the columns are not known before the end: the input is read twice, by way of a temporary file
 * where it cannot be.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/intern.h"
#include "base/memory.h"
#include "base/message.h"
#include "base/options.h"
#include "records/csv.h"
#include "records/loss.h"
#include "records/reader.h"
#include "records/writer.h"

enum { COLUMNS_MAX = 1 << 16 };

struct table {
	struct lookup *columns;
	size_t n;
	bool exact;
	struct slice line_end;
};

/* One of the files of the first reading, and how many records it had: the second reads no more. */
struct part {
	char *file[2];
	uint64_t records;
};

static void put_header(struct writer *out, const struct table *table)
{
	for (size_t i = 0; i < table->n; i++) {
		if (i)
			writer_bytes(out, ",", 1);
		writer_bytes(out, table->columns[i].key.at, table->columns[i].key.len);
	}
	writer_bytes(out, table->line_end.at, table->line_end.len);
}

static void put_row(struct writer *out, const struct table *table, const struct record *record)
{
	for (size_t i = 0; i < table->n; i++) {
		const struct slice *value = lookup_value(&table->columns[i], record);

		if (i)
			writer_bytes(out, ",", 1);
		else if (!value && table->n == 1)
			writer_bytes(out, "\"\"", 2);	/* many readers skip an empty line */
		if (value && table->exact)
			csv_value_exact(out, *value);
		else if (value)
			csv_value(out, *value);
	}
	writer_bytes(out, table->line_end.at, table->line_end.len);
}

/* Writes up to MOST records of the files. False when not all could be read. */
static bool put_rows(struct writer *out, const struct table *table, char **files, uint64_t most,
		     struct loss *loss)
{
	struct reader *in = reader_open(files, out);
	const struct record *record;

	while (most-- && (record = reader_next(in))) {
		loss_is(loss, record);
		put_row(out, table, record);
	}
	/* Places in shapes are those of one reader. */
	lookup_free(&loss->ev);
	lookup_free(&loss->n);
	for (size_t i = 0; i < table->n; i++)
		lookup_free(&table->columns[i]);
	return reader_close(in);
}

static bool is_regular(const char *file)
{
	struct stat st;

	int failed = strcmp(file, "-") == 0 ? fstat(STDIN_FILENO, &st) : stat(file, &st);

	return !failed && S_ISREG(st.st_mode);
}

/* A temporary file that has no name, or the end of the program. */
static int spool_open(void)
{
	const char *directory = getenv("TMPDIR");
	char path[4096];
	int fd;

	if (!directory || !*directory || strlen(directory) > sizeof path - 32)
		directory = "/tmp";
	strcpy(path, directory);
	strcat(path, "/to-csv.XXXXXX");
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		message_die("cannot create a temporary file in %s: %m (TMPDIR chooses another place; with -f none "
			    "is needed)", directory);
	unlink(path);
	return fd;
}

/* Reads FILES to their end, learning their keys in order; copies the records to SPOOL, if any. */
static bool learn(struct intern *keys, char **files, struct writer *spool, uint64_t *records)
{
	struct reader *in = reader_open(files, NULL);
	const struct record *record;
	uint32_t known = 0;

	for (*records = 0; (record = reader_next(in)); ++*records) {
		const struct shape *shape = record->shape;

		if (spool)
			writer_bytes(spool, record->line, record->len);
		if (shape->id != SHAPE_PASSING && shape->id < known)
			continue;
		if (shape->id != SHAPE_PASSING)
			known = shape->id + 1;	/* ids count in the order of appearance */
		for (uint32_t i = 0; i < shape->n; i++)
			intern_id(keys, shape->key[i]);
		if (intern_count(keys) > COLUMNS_MAX)
			message_die("cannot make a header: there are more than %d keys (choose with -f)",
				    COLUMNS_MAX);
	}
	return reader_close(in);
}

/* Learns the columns from a first reading; *PARTS are what a second one has to read. */
static bool learn_all(struct intern *keys, char **files, struct part **parts, size_t *n)
{
	static char dash[] = "-", *standard[] = { dash, NULL };
	struct writer *spool;
	bool regular = true, good = true;
	uint64_t records;
	int fd;

	if (!*files)
		files = standard;
	for (*n = 0; files[*n]; ++*n)
		regular &= is_regular(files[*n]);
	*parts = memory_zeroed(*n * sizeof **parts);
	if (regular) {
		for (size_t i = 0; i < *n; i++) {
			off_t begin = lseek(STDIN_FILENO, 0, SEEK_CUR);

			(*parts)[i].file[0] = files[i];
			good &= learn(keys, (*parts)[i].file, NULL, &(*parts)[i].records);
			if (strcmp(files[i], "-") == 0 && lseek(STDIN_FILENO, begin, SEEK_SET) < 0)
				message_die("cannot read stdin again: %m");
		}
		return good;
	}
	fd = spool_open();
	spool = writer_open(dup(fd), "the temporary file");
	good = learn(keys, files, spool, &records);
	writer_close(spool);
	if (lseek(fd, 0, SEEK_SET) < 0 || dup2(fd, STDIN_FILENO) < 0)
		message_die("cannot read the temporary file: %m");
	close(fd);
	(*parts)[0] = (struct part){ { dash, NULL }, records };
	*n = 1;
	return good;
}

int main(int argc, char **argv)
{
	const char *list = NULL;
	bool no_header = false, crlf = false, strict = false, good = true;
	struct table table = { .line_end = SLICE("\n") };
	const struct option options[] = {
		{ 'f', "fields", "KEY,...", "these fields are the columns, in this order", OPTION_TEXT,
		  .to = &list },
		{ 0, "no-header", NULL, "leave out the line with the names", OPTION_FLAG, .to = &no_header },
		{ 0, "exact", NULL, "write control characters as they are, not as \\xHH", OPTION_FLAG,
		  .to = &table.exact },
		{ 0, "crlf", NULL, "end lines with CR LF", OPTION_FLAG, .to = &crlf },
		{ 0, "strict", NULL, "exit with status 3 when events were lost", OPTION_FLAG, .to = &strict },
		{ 0 },
	};
	const struct program program = {
		.name = "to-csv",
		.does = "write records as CSV",
		.operands = "[FILE...]",
		.options = options,
		.examples = "  to-csv -f ts,comm,name,dur_ns spans.tskv >spans.csv\n"
			    "  where ev=syscall <spans.tskv | to-csv >syscalls.csv\n",
	};
	char **files = options_parse(&program, argv), **texts = NULL;
	struct intern *keys = intern_new();
	struct loss loss = LOSS;
	struct part *parts = NULL;
	struct writer *out;
	size_t n = 0;
	int status;

	(void)argc;
	if (crlf)
		table.line_end = SLICE("\r\n");
	out = writer_stdout();
	if (list) {
		texts = lookup_list(list, &table.columns, &table.n);
	} else {
		good = learn_all(keys, files, &parts, &n);
		table.n = intern_count(keys);
		table.columns = memory_zeroed(table.n * sizeof *table.columns);
		for (size_t i = 0; i < table.n; i++)
			table.columns[i].key = intern_text(keys, (uint32_t)i);
	}
	if (!no_header && table.n)
		put_header(out, &table);
	if (list)
		good = put_rows(out, &table, files, UINT64_MAX, &loss);
	for (size_t i = 0; i < n; i++)
		good &= put_rows(out, &table, parts[i].file, parts[i].records, &loss);
	status = good ? EXIT_COMPLETE : EXIT_FAILED;
	writer_close(out);
	if (loss_report(&loss, "the output is", strict) && status == EXIT_COMPLETE)
		status = EXIT_LOSS;
	lookup_list_free(texts, table.columns, table.n);
	intern_free(keys);
	free(parts);
	return status;
}
