// SPDX-License-Identifier: MIT
/*
 * Whatever text comes, what babeltext makes of it is records, and the same when it comes in pieces.
 * And what babeltrace would have printed of given strings comes back as these strings. The first byte
 * says how the text comes.
 */
#include "babeltrace/babeltext.h"
#include "base/number.h"
#include "fuzz.h"
#include "records/reader.h"

struct result {
	char *bytes;
	struct slice text;
	bool good;
};

static struct result convert(int from)
{
	struct selection selection = { 0 };
	int to = memfd_create("out", MFD_CLOEXEC);
	struct writer *out = writer_open(to, "out");
	struct result result;
	off_t size;

	result.good = babeltext_convert(from, "fuzz", &selection, out);
	close(from);
	writer_flush(out);
	size = lseek(to, 0, SEEK_END);
	result.bytes = malloc((size_t)size + 1);
	CHECK(pread(to, result.bytes, (size_t)size, 0) == size);
	result.text = (struct slice){ result.bytes, (size_t)size };
	writer_close(out);
	return result;
}

/* The records are records; returns how many. */
static uint64_t check_records(struct slice text)
{
	static char *files[] = { "-", NULL };
	struct lookup ts = LOOKUP("ts");
	const struct record *record;
	struct reader *reader;
	uint64_t n = 0;
	int fd = fuzz_file(text);

	CHECK(dup2(fd, STDIN_FILENO) == STDIN_FILENO);
	close(fd);
	reader = reader_open(files, NULL);
	for (; (record = reader_next(reader)); n++) {
		int64_t value;

		CHECK(lookup_i64(&ts, record, &value));
		CHECK(record->shape->n >= 2);
		CHECK(slice_equal(record->shape->key[0], SLICE("ts")));
		CHECK(slice_equal(record->shape->key[1], SLICE("ev")));
		for (uint32_t i = 0; i < record->shape->n; i++)
			for (size_t k = 0; k < record->value[i].len; k++)
				CHECK((unsigned char)record->value[i].at[k] >= 0x20);
	}
	CHECK(reader_close(reader));
	lookup_free(&ts);
	return n;
}

/* A string as babeltrace 2 prints it. */
static void print_string(FILE *file, struct slice s)
{
	fputc('"', file);
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.at[i];

		if (c == '\\' || c == '\'' || c == '"' || c == '?')
			fprintf(file, "\\%c", c);
		else if (c == '\n')
			fputs("\\n", file);
		else if (c == 033)
			fputs("\\e", file);
		else if (c < 0x20 || c == 0x7f)
			fprintf(file, "\\x%02x", c);
		else
			fputc(c, file);
	}
	fputc('"', file);
}

/* The two halves of the bytes, printed as two strings, come back; NUL ends a string of C. */
static void check_strings(struct slice bytes)
{
	size_t n = bytes.len / 2;
	struct slice half[2] = { { bytes.at, n }, { bytes.at + n, bytes.len - n } };
	struct writer *want = fuzz_writer();
	struct result result;
	char *text;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	for (int i = 0; i < 2; i++)
		half[i].len = half[i].len ? strnlen(half[i].at, half[i].len) : 0;
	fputs("[00:00:01.000000002] (+0.000000001) host e: { cpu_id = 1 }, { procname = ", file);
	print_string(file, half[0]);
	fputs(", pid = 3 }, { s = ", file);
	print_string(file, half[1]);
	fputs(", n = -1, x = 0xFF, a = [ [0] = ", file);
	print_string(file, half[0]);
	fputs(", [1] = \"\" ] }\n", file);
	fclose(file);

	writer_begin(want, 1000000002, SLICE("e"));
	writer_u64(want, KEY("cpu"), 1);
	writer_u64(want, KEY("pid"), 3);
	writer_text(want, KEY("comm"), half[0]);
	writer_text(want, KEY("s"), half[1]);
	writer_i64(want, KEY("n"), -1);
	writer_hex(want, KEY("x"), 255);
	writer_text(want, KEY("a.0"), half[0]);
	writer_text(want, KEY("a.1"), SLICE(""));
	writer_end(want);
	result = convert(fuzz_file((struct slice){ text, size }));
	CHECK(result.good);
	CHECK(slice_equal(result.text, (struct slice){ want->buffer, (size_t)(want->at - want->buffer) }));
	free(result.bytes);
	fuzz_writer_free(want);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice input = { (const char *)data + 1, size - 1 };
	struct result whole, pieces;
	uint64_t lines = 0;

	if (size == 0)
		return 0;
	if (data[0] == 's') {
		check_strings(input);
		return 0;
	}
	whole = convert(fuzz_file(input));
	for (size_t i = 0; i < input.len; i++)
		lines += input.at[i] == '\n';
	CHECK(check_records(whole.text) <= lines);
	if (data[0] % 2) {
		pieces = convert(fuzz_pieces(input, data[0] / 2));
		CHECK(pieces.good == whole.good);
		CHECK(slice_equal(pieces.text, whole.text));
		free(pieces.bytes);
	}
	free(whole.bytes);
	return 0;
}
