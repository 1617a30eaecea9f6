/* SPDX-License-Identifier: MIT */
/*
 * Reading records (records(5)): lines of TAB-separated key=value fields.
 *
 * Streams are regular: most lines have the keys of an earlier line of the same `ev`. The reader keeps
 * each sequence of keys that it met as a shape, and guesses the shape of a line from its `ev`; then a
 * field costs one comparison of its key and one search for the TAB behind its value. Every line is
 * checked: each field has a key that is one, no key comes twice, the last line ends with LF.
 */
#ifndef WEIR_READER_H
#define WEIR_READER_H

#include "base/number.h"
#include "base/slice.h"

enum {
	RECORD_BYTES_MAX = 16 << 20,	/* a longer line is an error */
	RECORD_FIELDS_MAX = 8192,	/* as is a line with more fields */
	SHAPES_MAX = 1 << 15,		/* shapes that have an id; see struct shape */
	RECORD_PADDING = 64,		/* bytes behind a line that may be read (and mean nothing) */
};

struct writer;
struct reader;

/* The keys of a line, in order. Lives as long as the reader, unless id is SHAPE_PASSING. */
struct shape {
	uint32_t id;		/* counts from 0 in the order of appearance */
	uint32_t n;
	const struct slice *key;
};

/* The id of all shapes past SHAPES_MAX (hostile input): such a shape lives until the next read only. */
#define SHAPE_PASSING UINT32_MAX

/*
 * A record: views into the reader's buffer, valid until the next reader_next(). Whoever keeps a value
 * copies it. Values are as they stand in the line, with their escapes: reader_unescape() undoes them.
 */
struct record {
	const char *line;	/* the whole line, LF included */
	size_t len;
	const struct shape *shape;
	const struct slice *value;	/* shape->n of them */
};

/*
 * Opens the FILES, a NULL-terminated list read one after the other; none at all means stdin, as does
 * "-". FLUSH (may be NULL) is a writer that is flushed before a read that would block, so that what
 * was found so far is on its way while the input is idle. When an input is a pipe or a terminal, the
 * first SIGINT is ignored: Ctrl-C ends the program that feeds the pipe, and the rest arrives.
 * Never fails: what cannot be opened is reported by reader_next().
 */
struct reader *reader_open(char **files, struct writer *flush);

/*
 * The next record, or NULL at the end of all files. A file that cannot be opened or read, and a line
 * that is no record, are reported on stderr with file and line; that file ends there, the next ones are
 * read, and reader_close() returns false.
 */
const struct record *reader_next(struct reader *reader);

/*
 * Calls IDLE(DATA) before each read that would block: what waits can be done while nothing comes. From
 * the moment FD can be read (an eventfd that a signal handler writes), the input counts as ended, and a
 * read that blocks is left; what had been read before is still given. For both: call before reader_next().
 */
void reader_on_idle(struct reader *reader, void (*idle)(void *), void *data);
void reader_stop_on(struct reader *reader, int fd);

/*
 * For what may be other text than records: what the next file begins with, unread still, as far as it came
 * with the first read; nothing when all files have ended. And its next line as it is, without the LF, which
 * the last one may lack: false at the end of this file, after which reader_peek() goes to the next one.
 */
struct slice reader_peek(struct reader *reader);
bool reader_text(struct reader *reader, struct slice *line);

/* Ends reading. False when anything was reported: the program exits with EXIT_FAILED. */
bool reader_close(struct reader *reader);

/* Bytes consumed so far; bytes of all files that are regular (0 when one is not), for progress. */
uint64_t reader_bytes(const struct reader *reader);
uint64_t reader_size(const struct reader *reader);

/* Where the last record came from, for messages: the file's name and the line's number. */
const char *reader_file(const struct reader *reader);
uint64_t reader_line(const struct reader *reader);

/* Reports the last record as wrong: `prog: FILE:LINE: cannot use KEY: REASON`. */
void reader_complain(struct reader *reader, const char *key, const char *reason);

/*
 * A key to look up in every record. It remembers the place where each shape has it, so finding it
 * costs one load: O(1), O(n) when a shape is met first. Zero-initialize but for the key.
 */
struct lookup {
	struct slice key;
	int32_t *place;		/* by shape id: place + 1, 0 not yet known, -1 absent */
	size_t room;
};
#define LOOKUP(literal) { .key = { literal, sizeof(literal) - 1 } }

int lookup_slow(struct lookup *lookup, const struct shape *shape);
void lookup_free(struct lookup *lookup);

/*
 * The lookups of `KEY,...`, as `-f` takes it: *N of them in *FIELDS. What is no key, and a key that comes
 * twice, is wrong usage. Returns what the keys' texts are slices of; lookup_list_free() frees all.
 */
char **lookup_list(const char *keys, struct lookup **fields, size_t *n);
void lookup_list_free(char **texts, struct lookup *fields, size_t n);

/* The index of the field in the record's shape, or -1. */
static inline int lookup_index(struct lookup *lookup, const struct shape *shape)
{
	int32_t place = shape->id < lookup->room ? lookup->place[shape->id] : 0;

	return place > 0 ? place - 1 : place < 0 ? -1 : lookup_slow(lookup, shape);
}

/* The field's value, or NULL where the record has none. */
static inline const struct slice *lookup_value(struct lookup *lookup, const struct record *record)
{
	int place = lookup_index(lookup, record->shape);

	return place < 0 ? NULL : &record->value[place];
}

/* True when the field is there and is a decimal integer; stores it. */
static inline bool lookup_i64(struct lookup *lookup, const struct record *record, int64_t *value)
{
	const struct slice *text = lookup_value(lookup, record);

	return text && number_padded_i64(*text, value);
}

/*
 * Undoes the escapes of a value into TO, which has room for value.len bytes; returns the length.
 * Accepts \\ \t \n \r \0 \b \f \a \v \' \xHH; another escaped character stands for itself.
 */
size_t reader_unescape(struct slice value, char *to);

/*
 * The value without escapes, and what of it is not UTF-8 as \xHH: itself where it is so already, or in *BUFFER, which
 * grows (memory_grow()), valid until that is used again.
 */
struct slice reader_utf8(struct slice value, char **buffer, size_t *room);

/* Whether the value holds an escape at all. */
static inline bool reader_escaped(struct slice value)
{
	return value.len && memchr(value.at, '\\', value.len) != NULL;
}

#endif
