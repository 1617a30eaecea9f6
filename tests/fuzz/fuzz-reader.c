// SPDX-License-Identifier: MIT
/*
 * The reader against a parser that is written to be obvious: the same lines are records, with the same
 * keys and values, however the bytes come in. The first byte says how.
 */
#include "fuzz.h"
#include "records/reader.h"

enum { FIELDS = 2048 };

struct line {
	struct slice bytes;
	struct slice key[FIELDS], value[FIELDS];
	uint32_t n;
};

static bool good_key(struct slice key)
{
	static const char first[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
	static const char other[] = "0123456789.";

	for (size_t i = 0; i < key.len; i++)
		if (!memchr(first, key.at[i], sizeof first - 1) &&
		    (i == 0 || !memchr(other, key.at[i], sizeof other - 1)))
			return false;
	return key.len > 0;
}

/* Takes the line that REST begins with; false when it is no record. */
static bool take(struct slice *rest, struct line *line)
{
	const char *lf = memchr(rest->at, '\n', rest->len), *p = rest->at;

	line->n = 0;
	if (!lf)
		return false;
	line->bytes = (struct slice){ p, (size_t)(lf + 1 - p) };
	for (;;) {
		const char *tab = memchr(p, '\t', (size_t)(lf - p)), *end = tab ? tab : lf;
		const char *equals = memchr(p, '=', (size_t)(end - p));

		if (!equals || line->n == FIELDS)
			return false;
		line->key[line->n] = (struct slice){ p, (size_t)(equals - p) };
		line->value[line->n] = (struct slice){ equals + 1, (size_t)(end - equals - 1) };
		if (!good_key(line->key[line->n]))
			return false;
		for (uint32_t i = 0; i < line->n; i++)
			if (slice_equal(line->key[i], line->key[line->n]))
				return false;
		line->n++;
		if (!tab)
			break;
		p = tab + 1;
	}
	rest->at = lf + 1;
	rest->len -= line->bytes.len;
	return true;
}

/* What the escapes of a value mean is written and read back the same, and drives no terminal. */
static void check_escapes(struct slice value)
{
	char *plain = malloc(value.len + 1), *again = malloc(value.len * 4 + 1);
	struct slice text = { plain, reader_unescape(value, plain) }, escaped;
	struct writer *writer = fuzz_writer();

	CHECK(text.len <= value.len);
	CHECK(reader_escaped(value) || slice_equal(text, value));
	writer_escaped(writer, text);
	escaped = (struct slice){ writer->buffer, (size_t)(writer->at - writer->buffer) };
	CHECK(escaped.len <= text.len * 4);
	for (size_t i = 0; i < escaped.len; i++)
		CHECK((unsigned char)escaped.at[i] >= 0x20 && escaped.at[i] != 0x7f);
	CHECK(slice_equal(text, (struct slice){ again, reader_unescape(escaped, again) }));
	fuzz_writer_free(writer);
	free(plain);
	free(again);
}

static void check_record(const struct record *record, const struct line *line)
{
	CHECK(slice_equal((struct slice){ record->line, record->len }, line->bytes));
	CHECK(record->shape->n == line->n);
	for (uint32_t i = 0; i < line->n; i++) {
		CHECK(slice_equal(record->shape->key[i], line->key[i]));
		CHECK(slice_equal(record->value[i], line->value[i]));
		CHECK(record->value[i].at >= record->line &&
		      record->value[i].at + record->value[i].len < record->line + record->len);
	}
}

static void check_lookup(struct lookup *lookup, const struct record *record, const struct line *line)
{
	const struct slice *value = lookup_value(lookup, record);

	for (uint32_t i = 0; i < line->n; i++)
		if (slice_equal(line->key[i], lookup->key)) {
			CHECK(value && value->at == record->value[i].at);
			return;
		}
	CHECK(!value);
}

/* Lines before the input, so that it lies across the end of the reader's first buffer. */
static struct slice behind_a_buffer(struct slice input, size_t before_end)
{
	enum { BUFFER = 256 << 10 };
	size_t filler = BUFFER - before_end % 512;
	char *all = malloc(filler + input.len);

	memset(all, 'x', filler);
	memcpy(all, "ts=1\tev=", 8);
	all[filler - 1] = '\n';
	memcpy(all + filler, input.at, input.len);
	return (struct slice){ all, filler + input.len };
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char *files[] = { "-", NULL };
	struct lookup lookups[] = { LOOKUP("ts"), LOOKUP("ev"), LOOKUP("a"), LOOKUP("pid") };
	static struct line line;
	struct slice input, rest;
	const struct record *record;
	struct reader *reader;
	char *copy = NULL;
	uint64_t lines = 0;
	bool good = true;
	int fd;

	if (size == 0)
		return 0;
	input = (struct slice){ (const char *)data + 1, size - 1 };
	if (data[0] >= 0xf0) {
		input = behind_a_buffer(input, data[0] * 37u);
		copy = (char *)(uintptr_t)input.at;
	}
	rest = input;
	fd = data[0] % 2 && !copy ? fuzz_pieces(input, data[0] / 2) : fuzz_file(input);
	CHECK(dup2(fd, STDIN_FILENO) == STDIN_FILENO);
	close(fd);

	reader = reader_open(files, NULL);
	while ((record = reader_next(reader))) {
		good = take(&rest, &line);
		CHECK(good);
		CHECK(reader_line(reader) == ++lines);
		check_record(record, &line);
		for (size_t i = 0; i < sizeof lookups / sizeof *lookups; i++)
			check_lookup(&lookups[i], record, &line);
		for (uint32_t i = 0; i < line.n; i++)
			if (line.value[i].len < 4096)
				check_escapes(line.value[i]);
	}
	good = rest.len == 0;
	CHECK(good || !take(&rest, &line));
	CHECK(reader_close(reader) == good);
	for (size_t i = 0; i < sizeof lookups / sizeof *lookups; i++)
		lookup_free(&lookups[i]);
	free(copy);
	return 0;
}
