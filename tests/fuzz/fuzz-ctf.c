// SPDX-License-Identifier: MIT
/*
 * A trace of one stream: whatever its metadata and packets are, lib/ctf comes to an end with lines that are
 * records, in bounded memory. The input is the metadata's length (4 bytes, little endian), the metadata, and
 * the stream's file; from the last magic number of a packet index on it is the index of that. The mutator
 * changes one of the two, and repairs the magic numbers of packets mostly, so that what is behind them is
 * reached.
 */
#include <sys/stat.h>

#include "ctf/merge.h"
#include "fuzz.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

enum { HEAD = 4, BATCHES_MAX = 2000, STREAM_FD = 500, INDEX_FD };

static uint32_t metadata_length(const uint8_t *data, size_t size)
{
	uint32_t length;

	memcpy(&length, data, HEAD);
	return length > size - HEAD ? (uint32_t)(size - HEAD) : length;
}

static void repair(uint8_t *stream, size_t size, unsigned seed)
{
	static const uint8_t magic[4] = { 0xc1, 0x1f, 0xfc, 0xc1 };

	if (size >= 4 && seed % 8)
		memcpy(stream, magic, 4);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
	uint32_t length, changed;
	size_t rest;
	uint8_t *copy;

	if (size < HEAD + 1 || max_size < size + 64)
		return LLVMFuzzerMutate(data, size, max_size);
	length = metadata_length(data, size);
	rest = size - HEAD - length;
	if (seed & 1) {
		rest = LLVMFuzzerMutate(data + HEAD + length, rest, max_size - HEAD - length);
		repair(data + HEAD + length, rest, seed / 2);
		changed = length;
	} else {
		copy = malloc(rest + 1);
		memcpy(copy, data + HEAD + length, rest);
		changed = (uint32_t)LLVMFuzzerMutate(data + HEAD, length, max_size - HEAD - rest);
		memmove(data + HEAD + changed, copy, rest);
		free(copy);
	}
	memcpy(data, &changed, HEAD);
	return HEAD + changed + rest;
}

static void check_lines(const struct batch *batch)
{
	size_t begin = 0;

	for (size_t i = 0; i < batch->n; begin = batch->lines[i++].end) {
		size_t end = batch->lines[i].end;

		CHECK(end > begin + 8 && end <= batch->len);
		CHECK(memcmp(batch->text + begin, "ts=", 3) == 0);
		CHECK(batch->text[end - 1] == '\n');
		for (size_t k = begin; k < end - 1; k++)
			CHECK((unsigned char)batch->text[k] >= 0x20 || batch->text[k] == '\t');
	}
	CHECK(begin == batch->len);
}

/* A directory: its `s` is what is open as STREAM_FD, its `index/s.idx` what is open as INDEX_FD. */
static char root[] = "/tmp/fuzz-ctf-XXXXXX";

static const char *in_root(const char *name)
{
	static char path[64];

	snprintf(path, sizeof path, "%s/%s", root, name);
	return path;
}

static void remove_root(void)
{
	remove(in_root("s"));
	remove(in_root("index/s.idx"));
	remove(in_root("index"));
	remove(root);
}

static void make_root(void)
{
	char stream[40], index[40];

	if (root[sizeof root - 2] != 'X')
		return;
	snprintf(stream, sizeof stream, "/proc/self/fd/%d", STREAM_FD);
	snprintf(index, sizeof index, "/proc/self/fd/%d", INDEX_FD);
	CHECK(mkdtemp(root) && mkdir(in_root("index"), 0700) == 0);
	CHECK(symlink(stream, in_root("s")) == 0 && symlink(index, in_root("index/s.idx")) == 0);
	atexit(remove_root);
}

static void open_as(int fd, struct slice bytes)
{
	int file = fuzz_file(bytes);

	CHECK(dup2(file, fd) == fd);
	close(file);
}

static void open_files(struct slice bytes)
{
	size_t stream = bytes.len;

	for (size_t at = 0; at + 4 <= bytes.len; at++)
		if (memcmp(bytes.at + at, "\xc1\xf1\xdc\xc1", 4) == 0)
			stream = at;
	make_root();
	open_as(STREAM_FD, (struct slice){ bytes.at, stream });
	open_as(INDEX_FD, (struct slice){ bytes.at + stream, bytes.len - stream });
}

/* The lines of the open stream that the selection wants; when the last one was. */
static int64_t decode(const struct ctf_layout *layout, const struct selection *selection)
{
	struct ctf_stream_reader *reader = calloc(1, sizeof *reader);
	struct batch batch = { 0 };
	struct ctf_file file;
	char path[64], error[300];
	int64_t last = 0;

	snprintf(path, sizeof path, "%s", in_root("s"));
	CHECK(ctf_file_open(&file, path, error, sizeof error));
	reader->layout = layout;
	reader->selection = selection;
	reader->files = &file;
	reader->files_n = 1;
	reader->source = SLICE("fuzz");
	reader->batch_max = 4096;
	for (int n = 0; n < BATCHES_MAX; n++) {
		bool more;

		batch.len = batch.n = 0;
		more = ctf_stream_decode(reader, &batch);
		check_lines(&batch);
		if (batch.n)
			last = batch.lines[batch.n - 1].ts;
		if (!more) {
			CHECK(reader->done == file.size);
			break;
		}
	}
	batch_free(&batch);
	ctf_file_close(&file);
	free(reader);
	return last;
}

/* Metadata in packets is a file's affair. */
static struct ctf_metadata *read_metadata(struct slice bytes, char *error, size_t error_size)
{
	struct ctf_metadata *metadata;
	char path[40];
	int fd;

	if (bytes.len && bytes.at[0] == '\x1e')
		return ctf_metadata_parse_json(bytes.at, bytes.len, error, error_size);
	if (bytes.len < 4 || memcmp(bytes.at, "\x57\x1d\xd1\x75", 4) != 0)
		return ctf_metadata_parse(bytes.at, bytes.len, error, error_size);
	fd = fuzz_file(bytes);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	metadata = ctf_metadata_read(path, error, error_size);
	close(fd);
	return metadata;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct selection selection = { 0 };
	struct ctf_metadata *metadata;
	struct ctf_layout *layout;
	char error[400];
	uint32_t length;
	int64_t last;

	if (size < HEAD)
		return 0;
	selection_start(&selection, 0);
	length = metadata_length(data, size);
	metadata = read_metadata((struct slice){ (const char *)data + HEAD, length }, error, sizeof error);
	layout = metadata ? ctf_layout_make(metadata, &selection, error, sizeof error) : NULL;
	if (!layout) {
		CHECK(strnlen(error, sizeof error) > 0 && strnlen(error, sizeof error) < sizeof error);
		return 0;
	}
	open_files((struct slice){ (const char *)data + HEAD + length, size - HEAD - length });
	last = decode(layout, &selection);
	/* Again, with packets before the wanted time, and behind it. */
	selection.begin_ns = selection.end_ns = last / 1000 * 1000;
	decode(layout, &selection);
	ctf_layout_free(layout);
	return 0;
}
