// SPDX-License-Identifier: MIT
#include "records/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "base/memory.h"
#include "base/message.h"
#include "base/number.h"
#include "base/options.h"
#include "base/utf8.h"
#include "records/input.h"
#include "records/otherfile.h"
#include "records/writer.h"

enum {
	BUFFER = 256 << 10,	/* fits the second-level cache: larger ones measured slower */
	PADDING = RECORD_PADDING,	/* bytes behind the data that wide loads may touch */
	NODES_MAX = 1 << 18,	/* keys in all shapes together */
	GUESSES = 1 << 12,
	SEEN = 4 * RECORD_FIELDS_MAX,
};

/*
 * Shapes are the paths of a tree: a node is a key that follows a given sequence of keys, the node with
 * that sequence as its path is its parent, and a line's shape is the node where the line ends.
 */
struct node {
	struct slice key;
	uint64_t hash;		/* of the key and the parent */
	uint32_t parent;
	uint32_t depth;		/* keys up to here, this one included */
	uint32_t likely;	/* the node where the last line that came by name to here ended */
	struct shape *shape;	/* NULL while no line ended here */
	struct pattern *pattern;	/* `depth` of them, where there is a shape */
};

/* What the next field of a line of known shape begins with, in a form that one comparison checks. */
struct pattern {
	uint64_t head, mask;	/* the first 8 bytes of `key=` */
	uint64_t tail;		/* the last 8, if it has more */
	uint32_t len;		/* of `key=` */
	uint32_t node;
	const char *text;	/* `key=` */
};

/* Where the fields end: the marks that were not yet passed of the 64 bytes at BLOCK. */
struct cursor {
	const char *block;
	uint64_t marks;
};

struct reader {
	char **files;		/* still to come */
	const char *file;
	int fd;			/* -1: none is open */
	bool may_block;
	bool failed;
	uint64_t line;

	char *buffer;
	size_t room;
	char *at, *end;		/* unread bytes; *end is a sentinel LF */
	bool at_eof;
	struct cursor cursor;	/* for the line at `cursor_line`, if this is where the next one begins */
	const char *cursor_line;

	struct node *nodes;	/* [0] is the root */
	size_t nodes_n, nodes_room;
	uint32_t *table;	/* open addressing: hash to node */
	size_t table_room;
	struct shape **shapes;
	uint32_t shapes_n;
	size_t shapes_room;
	uint32_t ts_ev;		/* the node of `ts`, `ev`; 0: not met yet */
	uint32_t guess[GUESSES];	/* by the hash of ev: where the last such line ended */

	struct slice *value;
	size_t value_room;

	struct shape passing;	/* the one shape past all bounds, its keys, and the set of them */
	struct slice *passing_key;
	size_t passing_room;
	uint32_t *seen;		/* open addressing: index of the key + 1 */

	struct record record;
	struct writer *flush;
	void (*idle)(void *);
	void *idle_data;
	int stop;		/* -1: none */
	uint64_t consumed, size;
};

static const char *const no_files[] = { "-", NULL };

static uint64_t size_of_files(char **files)
{
	uint64_t size = 0;
	struct stat st;

	for (; *files; files++) {
		bool is_stdin = strcmp(*files, "-") == 0;

		if ((is_stdin ? fstat(STDIN_FILENO, &st) : stat(*files, &st)) || !S_ISREG(st.st_mode))
			return 0;
		size += (uint64_t)st.st_size;
	}
	return size;
}

static void grow_table(struct reader *r)
{
	size_t room = r->table_room ? r->table_room * 2 : 1024;

	free(r->table);
	r->table = memory_zeroed(room * sizeof *r->table);
	r->table_room = room;
	for (uint32_t n = 1; n < r->nodes_n; n++) {
		size_t slot = r->nodes[n].hash & (room - 1);

		while (r->table[slot])
			slot = (slot + 1) & (room - 1);
		r->table[slot] = n;
	}
}

struct reader *reader_open(char **files, struct writer *flush)
{
	struct reader *r = memory_zeroed(sizeof *r);

	r->files = *files ? files : (char **)(uintptr_t)no_files;
	r->size = size_of_files(r->files);
	r->fd = -1;
	r->stop = -1;
	r->flush = flush;
	r->room = BUFFER;
	r->buffer = memory_zeroed(r->room + PADDING);
	r->at = r->end = r->buffer;
	*r->end = '\n';
	r->nodes = memory_grow(NULL, &r->nodes_room, 1, sizeof *r->nodes);
	r->nodes[0] = (struct node){ 0 };
	r->nodes_n = 1;
	grow_table(r);
	return r;
}

/* Opens the next file; false when there is none. */
static bool open_next(struct reader *r)
{
	for (; *r->files; r->files++) {
		bool is_stdin = strcmp(*r->files, "-") == 0;

		r->file = is_stdin ? "stdin" : *r->files;
		r->fd = is_stdin ? STDIN_FILENO : open(*r->files, O_RDONLY | O_CLOEXEC);
		if (r->fd < 0) {
			message("cannot open %s: %m", r->file);
			r->failed = true;
			continue;
		}
		r->may_block = input_may_block(r->fd);
		r->files++;
		r->line = 0;
		r->at = r->end = r->buffer;
		*r->end = '\n';
		r->at_eof = false;
		return true;
	}
	return false;
}

static void end_file(struct reader *r)
{
	if (r->fd > STDIN_FILENO)
		close(r->fd);
	r->fd = -1;
}

void reader_on_idle(struct reader *r, void (*idle)(void *), void *data)
{
	r->idle = idle;
	r->idle_data = data;
}

void reader_stop_on(struct reader *r, int fd)
{
	r->stop = fd;
}

/*
 * Whatever waits, in the output or with the caller, is done before a read that would block. False when
 * reading shall stop.
 */
static bool before_read(struct reader *r)
{
	struct pollfd inputs[2] = { { .fd = r->fd, .events = POLLIN }, { .fd = r->stop, .events = POLLIN } };

	if (r->may_block)
		input_flush_before_blocking(r->fd, r->flush);
	if (r->stop < 0 && (!r->may_block || !r->idle))
		return true;
	if (poll(inputs, 2, 0) == 0 && r->may_block) {
		if (r->idle)
			r->idle(r->idle_data);
		while (r->stop >= 0 && poll(inputs, 2, -1) < 0)
			if (errno != EINTR)
				break;
	}
	return r->stop < 0 || !inputs[1].revents;
}

static void complain(struct reader *r, const char *reason)
{
	const char *is = r->line ? NULL : otherfile((struct slice){ r->buffer, (size_t)(r->end - r->buffer) });

	if (is)
		message("cannot read %s: it is %s", r->file, is);
	else
		message("%s:%llu: %s", r->file, (unsigned long long)r->line + 1, reason);
	r->failed = true;
}

/*
 * Reads more behind the bytes of the unfinished line at r->at until there is an LF among the new ones.
 * False at the end of the file and when an error was reported.
 */
static bool fill(struct reader *r)
{
	size_t kept = (size_t)(r->end - r->at);

	r->cursor_line = NULL;
	memmove(r->buffer, r->at, kept);
	r->at = r->buffer;
	r->end = r->buffer + kept;
	for (;;) {
		ssize_t n;

		if ((size_t)(r->end - r->buffer) == r->room) {
			if (r->room >= RECORD_BYTES_MAX) {
				complain(r, "the line is longer than 16 MiB");
				return false;
			}
			r->room *= 2;
			r->buffer = memory_resize(r->buffer, r->room + PADDING);
			r->at = r->buffer;
			r->end = r->buffer + kept;
		}
		if (!before_read(r)) {
			while (*r->files)
				r->files++;
			r->at_eof = true;
			r->at = r->end;
			return false;
		}
		n = read(r->fd, r->end, r->room - (size_t)(r->end - r->buffer));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			if (n < 0) {
				message(errno == EISDIR ? "cannot read %s: it is a directory; if it holds a trace, "
					"lttng-convert makes records of it" : "cannot read %s: %m", r->file);
				r->failed = true;
			}
			r->at_eof = true;
			*r->end = '\n';
			return false;
		}
		r->consumed += (uint64_t)n;
		r->end += n;
		*r->end = '\n';
		memset(r->end + 1, 0, PADDING - 1);
		if (memchr(r->end - n, '\n', (size_t)n))
			return true;
		kept += (size_t)n;
	}
}

#ifdef __SSE2__
static inline uint64_t marks_of_16(const char *p)
{
	__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)p);
	__m128i found = _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\t')),
				     _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\n')));

	return (unsigned)_mm_movemask_epi8(found);
}
#endif

/* One bit for each of the 64 bytes at P, the first one lowest: whether it is a TAB or an LF. */
static inline uint64_t marks_of(const char *p)
{
#ifdef __SSE2__
	return marks_of_16(p) | marks_of_16(p + 16) << 16 | marks_of_16(p + 32) << 32 | marks_of_16(p + 48) << 48;
#else
	uint64_t marks = 0;

	for (int i = 0; i < 64; i++)
		marks |= (uint64_t)(p[i] == '\t' || p[i] == '\n') << i;
	return marks;
#endif
}

static inline struct cursor cursor_at(const char *p)
{
	return (struct cursor){ p, marks_of(p) };
}

/* The next TAB or LF; there is one, at the latest that at the end of the buffer. */
static inline const char *next_end(struct cursor *cursor)
{
	const char *end;

	while (__builtin_expect(cursor->marks == 0, 0)) {
		cursor->block += 64;
		cursor->marks = marks_of(cursor->block);
	}
	end = cursor->block + __builtin_ctzll(cursor->marks);
	cursor->marks &= cursor->marks - 1;
	return end;
}

static bool is_key(struct slice key)
{
	for (size_t i = 0; i < key.len; i++) {
		char c = key.at[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';

		if (!letter && (i == 0 || !((c >= '0' && c <= '9') || c == '.')))
			return false;
	}
	return key.len > 0;
}

static uint32_t *find_slot(struct reader *r, uint32_t parent, struct slice key, uint64_t hash)
{
	size_t slot = hash & (r->table_room - 1);

	for (;; slot = (slot + 1) & (r->table_room - 1)) {
		const struct node *node = &r->nodes[r->table[slot]];

		if (!r->table[slot] || (node->hash == hash && node->parent == parent &&
					slice_equal(node->key, key)))
			return &r->table[slot];
	}
}

static bool is_in_path(const struct reader *r, uint32_t node, struct slice key)
{
	for (; node; node = r->nodes[node].parent)
		if (slice_equal(r->nodes[node].key, key))
			return true;
	return false;
}

/*
 * The node of KEY behind PARENT, made when it is new; 0 when there may be no more nodes, or when the
 * path has the key already (*DUPLICATE).
 */
static uint32_t child(struct reader *r, uint32_t parent, struct slice key, bool *duplicate)
{
	uint64_t hash = slice_hash(key) + parent * 0x9e3779b97f4a7c15u;
	uint32_t *slot = find_slot(r, parent, key, hash), node;

	*duplicate = false;
	if (*slot)
		return *slot;
	*duplicate = is_in_path(r, parent, key);
	if (*duplicate || r->nodes_n >= NODES_MAX)
		return 0;
	node = (uint32_t)r->nodes_n;
	*slot = node;
	r->nodes = memory_grow(r->nodes, &r->nodes_room, ++r->nodes_n, sizeof *r->nodes);
	r->nodes[node] = (struct node){
		.key = { memory_copy(key), key.len },
		.hash = hash,
		.parent = parent,
		.depth = r->nodes[parent].depth + 1,
	};
	if (r->nodes_n * 2 > r->table_room)
		grow_table(r);
	if (r->nodes[parent].parent == 0 && slice_equal(key, SLICE("ev")) &&
	    slice_equal(r->nodes[parent].key, SLICE("ts")))
		r->ts_ev = node;
	return node;
}

/* Makes the shape of the path that ends in NODE, and the patterns its lines are checked by. */
static struct shape *make_shape(struct reader *r, uint32_t node)
{
	uint32_t n = r->nodes[node].depth, at = node;
	struct shape *shape;
	struct slice *key;
	struct pattern *pattern;

	if (r->shapes_n >= SHAPES_MAX)
		return NULL;
	shape = memory_get(sizeof *shape + n * sizeof *key);
	key = (struct slice *)(shape + 1);
	pattern = memory_zeroed(n * sizeof *pattern + 1);
	for (uint32_t i = n; i-- > 0; at = r->nodes[at].parent) {
		struct slice name = r->nodes[at].key;
		char *text = memory_get(name.len + 9);
		struct pattern *p = &pattern[i];

		memcpy(text, name.at, name.len);
		memcpy(text + name.len, "=\0\0\0\0\0\0\0", 8);
		key[i] = name;
		p->text = text;
		p->len = (uint32_t)name.len + 1;
		p->node = at;
		memcpy(&p->head, text, 8);
		if (p->len > 8)
			memcpy(&p->tail, text + p->len - 8, 8);
		for (uint32_t byte = 0; byte < 8; byte++)
			((unsigned char *)&p->mask)[byte] = byte < p->len ? 0xff : 0;
	}
	*shape = (struct shape){ .id = r->shapes_n, .n = n, .key = key };
	r->value = memory_grow(r->value, &r->value_room, n, sizeof *r->value);
	r->shapes = memory_grow(r->shapes, &r->shapes_room, r->shapes_n + 1, sizeof *r->shapes);
	r->shapes[r->shapes_n++] = shape;
	r->nodes[node].shape = shape;
	r->nodes[node].pattern = pattern;
	return shape;
}

/* Of the first and the last 8 bytes of an event's name; bytes behind it may be read. */
static inline uint32_t guess_hash(struct slice ev)
{
	uint64_t first, last = 0, h;

	memcpy(&first, ev.at, 8);
	if (ev.len > 8)
		memcpy(&last, ev.at + ev.len - 8, 8);
	else	/* without what is behind it; of an empty name, any guess is as good */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
		first <<= (64 - 8 * ev.len) & 63;
#else
		first >>= (64 - 8 * ev.len) & 63;
#endif
	h = (first ^ last << 1 ^ ev.len) * 0x9e3779b97f4a7c15u;
	return (uint32_t)(h >> 40) & (GUESSES - 1);
}

/* How a line went: BROKEN was reported, PARTIAL has no LF yet. */
enum outcome { GOOD, BROKEN, PARTIAL };

static inline enum outcome good(struct reader *r, const char *lf, const struct shape *shape)
{
	r->record.line = r->at;
	r->record.len = (size_t)(lf + 1 - r->at);
	r->record.shape = shape;
	r->record.value = r->value;
	return GOOD;
}

static enum outcome broken(struct reader *r, const char *what, const char *field, const char *end)
{
	size_t len = (size_t)(end - field);
	char text[200];

	snprintf(text, sizeof text, "not a record: %s%s%.*s%s", what, len ? " '" : "",
		 len > 60 ? 60 : (int)len, field, len ? "'" : "");
	complain(r, text);
	return BROKEN;
}

/* Stores the field that begins at P as the N-th; its key goes to KEY, its end to END. */
static enum outcome read_field(struct reader *r, const char *p, uint32_t n, struct slice *key,
			       const char **end)
{
	struct cursor cursor = cursor_at(p);
	const char *equals, *stop = next_end(&cursor);

	*end = stop;
	if (stop == r->end)
		return PARTIAL;
	if (p == stop)
		return broken(r, *p == '\n' && n == 0 ? "empty line" : "empty field", p, stop);
	equals = memchr(p, '=', (size_t)(stop - p));
	if (!equals)
		return broken(r, "no '=' in the field", p, stop);
	*key = (struct slice){ p, (size_t)(equals - p) };
	if (!is_key(*key))
		return broken(r, "the key is not [A-Za-z_][A-Za-z0-9_.]*:", p, equals);
	if (n >= RECORD_FIELDS_MAX)
		return broken(r, "more than 8192 fields", p, p);
	r->value = memory_grow(r->value, &r->value_room, n + 1, sizeof *r->value);
	r->value[n] = (struct slice){ equals + 1, (size_t)(stop - equals - 1) };
	return GOOD;
}

/* Adds KEYS[N] to the set of the line's keys; false when it is in there. */
static bool remember_key(struct reader *r, const struct slice *keys, uint32_t n)
{
	size_t slot = slice_hash(keys[n]) & (SEEN - 1);

	for (; r->seen[slot]; slot = (slot + 1) & (SEEN - 1))
		if (slice_equal(keys[r->seen[slot] - 1], keys[n]))
			return false;
	r->seen[slot] = n + 1;
	return true;
}

/* A line for whose shape there is no more room: read on its own, nothing is learned. */
static enum outcome read_passing(struct reader *r)
{
	const char *p = r->at;

	if (!r->seen)
		r->seen = memory_get(SEEN * sizeof *r->seen);
	memset(r->seen, 0, SEEN * sizeof *r->seen);
	for (uint32_t n = 0;; n++, p++) {
		enum outcome outcome;
		struct slice key;
		const char *end;

		outcome = read_field(r, p, n, &key, &end);
		if (outcome != GOOD)
			return outcome;
		r->passing_key = memory_grow(r->passing_key, &r->passing_room, n + 1, sizeof key);
		r->passing_key[n] = key;
		if (!remember_key(r, r->passing_key, n))
			return broken(r, "this key comes twice:", key.at, key.at + key.len);
		p = end;
		if (*p == '\n') {
			r->passing = (struct shape){ SHAPE_PASSING, n + 1, r->passing_key };
			return good(r, p, &r->passing);
		}
	}
}

static inline uint64_t eight_bytes(const char *p)
{
	uint64_t bytes;

	memcpy(&bytes, p, 8);
	return bytes;
}

static inline bool begins_with(const struct reader *r, const char *p, const struct pattern *pattern)
{
	if ((eight_bytes(p) & pattern->mask) != pattern->head)
		return false;
	if (pattern->len <= 8)
		return true;
	if ((size_t)(r->end - p) < pattern->len || eight_bytes(p + pattern->len - 8) != pattern->tail)
		return false;
	for (uint32_t at = 8; at + 8 < pattern->len; at += 8)
		if (eight_bytes(p + at) != eight_bytes(pattern->text + at))
			return false;
	return true;
}

/*
 * Reads the line at r->at: fields by guess as long as the guess holds, then one by name, then by the
 * guess that this one suggests, and so on to the end.
 */
static enum outcome read_line(struct reader *r)
{
	const char *next = r->at, *end;	/* where the next field begins, and the last one ended */
	uint32_t n = 0, node = 0, named = 0, by_name = 0, guess = 0, *first_guess = NULL;
	struct cursor cursor = r->cursor_line == r->at ? r->cursor : cursor_at(r->at);

	/* `ts=...<TAB>ev=...` is how all but foreign records begin. */
	if (r->ts_ev && memcmp(next, "ts=", 3) == 0) {
		end = next_end(&cursor);
		if (memcmp(end, "\tev=", 4) != 0) {
			cursor = cursor_at(next);
		} else {
			r->value[0] = (struct slice){ next + 3, (size_t)(end - next - 3) };
			next = end + 4;
			end = next_end(&cursor);
			r->value[1] = (struct slice){ next, (size_t)(end - next) };
			n = 2;
			node = r->ts_ev;
			first_guess = &r->guess[guess_hash(r->value[1])];
			guess = *first_guess;
			if (*end == '\n')
				goto ended;
			next = end + 1;
		}
	}
	for (;;) {
		const struct pattern *pattern = r->nodes[guess].pattern;
		uint32_t depth = r->nodes[guess].depth;
		enum outcome outcome;
		struct slice key;
		bool duplicate;

		if (pattern && depth > n && (n == 0 || pattern[n - 1].node == node)) {
			struct slice *value = r->value + n;	/* has room for every known shape */
			const struct pattern *p = pattern + n, *last = pattern + depth;

			for (; p < last && begins_with(r, next, p); p++) {
				next += p->len;
				end = next_end(&cursor);
				*value++ = (struct slice){ next, (size_t)(end - next) };
				if (*end == '\n') {
					node = p->node;
					goto ended;
				}
				next = end + 1;
			}
			if (p > pattern + n) {
				node = p[-1].node;
				n = (uint32_t)(p - pattern);
			}
		}
		outcome = read_field(r, next, n, &key, &end);
		if (outcome != GOOD)
			return outcome;
		named = child(r, node, key, &duplicate);
		if (duplicate)
			return broken(r, "this key comes twice:", key.at, key.at + key.len);
		if (!named)
			return read_passing(r);
		if (!by_name)
			by_name = n + 1;
		node = named;
		guess = r->nodes[node].likely;
		n++;
		(void)next_end(&cursor);	/* which is `end` */
		if (*end == '\n')
			goto ended;
		next = end + 1;
	}
ended:
	if (end == r->end)
		return PARTIAL;
	if (!r->nodes[node].shape && !make_shape(r, node))
		return read_passing(r);
	/* Whichever of its keys the next such line is first met by, that one suggests the rest. */
	for (; by_name && r->nodes[named].depth >= by_name; named = r->nodes[named].parent)
		r->nodes[named].likely = node;
	if (first_guess)
		*first_guess = node;
	r->cursor = cursor;
	r->cursor_line = end + 1;
	return good(r, end, r->nodes[node].shape);
}

const struct record *reader_next(struct reader *r)
{
	if (r->record.line) {
		r->at += r->record.len;
		r->line++;
		r->record.line = NULL;
	}
	for (;;) {
		if (r->fd >= 0 && r->at < r->end) {
			enum outcome outcome = read_line(r);

			if (outcome == GOOD)
				return &r->record;
			if (outcome == BROKEN) {
				end_file(r);
				continue;
			}
			if (r->at_eof) {
				complain(r, "the last line has no line feed: the input was cut");
				end_file(r);
				continue;
			}
		}
		if (r->fd < 0) {
			if (!open_next(r))
				return NULL;
		} else if (r->at_eof) {
			end_file(r);
			continue;
		}
		if (!fill(r) && (!r->at_eof || r->at == r->end))
			end_file(r);
	}
}

struct slice reader_peek(struct reader *r)
{
	while (r->fd >= 0 || open_next(r)) {
		if (r->at == r->end && !r->at_eof)
			fill(r);
		if (r->at < r->end)
			break;
		end_file(r);
	}
	return (struct slice){ r->at, r->fd < 0 ? 0 : (size_t)(r->end - r->at) };
}

bool reader_text(struct reader *r, struct slice *line)
{
	if (r->record.line) {
		r->at += r->record.len;
		r->line++;
		r->record.line = NULL;
	}
	while (r->fd >= 0) {
		/* *end is an LF: there is always one to be found. */
		const char *lf = r->at < r->end ? memchr(r->at, '\n', (size_t)(r->end + 1 - r->at)) : r->end;
		bool whole = lf < r->end;

		if (whole || (r->at_eof && r->at < r->end)) {
			*line = (struct slice){ r->at, (size_t)(lf - r->at) };
			r->record.line = r->at;
			r->record.len = line->len + whole;
			return true;
		}
		if (r->at_eof || (!fill(r) && !r->at_eof))
			end_file(r);
	}
	return false;
}

bool reader_close(struct reader *r)
{
	bool good;

	if (!r)
		return true;
	good = !r->failed;
	end_file(r);
	for (size_t i = 1; i < r->nodes_n; i++) {
		struct node *node = &r->nodes[i];

		for (uint32_t k = 0; node->pattern && k < node->depth; k++)
			free((void *)(uintptr_t)node->pattern[k].text);
		free(node->pattern);
		free((void *)(uintptr_t)node->key.at);
	}
	for (uint32_t i = 0; i < r->shapes_n; i++)
		free(r->shapes[i]);
	free(r->shapes);
	free(r->nodes);
	free(r->table);
	free(r->value);
	free(r->seen);
	free(r->passing_key);
	free(r->buffer);
	free(r);
	return good;
}

uint64_t reader_bytes(const struct reader *r)
{
	return r->consumed - (uint64_t)(r->end - r->at);
}

uint64_t reader_size(const struct reader *r)
{
	return r->size;
}

const char *reader_file(const struct reader *r)
{
	return r->file ? r->file : "stdin";
}

uint64_t reader_line(const struct reader *r)
{
	return r->line + 1;
}

void reader_complain(struct reader *r, const char *key, const char *reason)
{
	message("%s:%llu: cannot use %s: %s", reader_file(r), (unsigned long long)reader_line(r), key,
		reason);
	r->failed = true;
}

int lookup_slow(struct lookup *lookup, const struct shape *shape)
{
	int32_t place = -1;

	for (uint32_t i = 0; i < shape->n && place < 0; i++)
		if (slice_equal(shape->key[i], lookup->key))
			place = (int32_t)i;
	if (shape->id != SHAPE_PASSING && (shape->id >= lookup->room || lookup->place[shape->id] == 0)) {
		size_t old = lookup->room;

		lookup->place = memory_grow(lookup->place, &lookup->room, shape->id + 1,
					    sizeof *lookup->place);
		if (lookup->room > old)
			memset(lookup->place + old, 0, (lookup->room - old) * sizeof *lookup->place);
		lookup->place[shape->id] = place < 0 ? -1 : place + 1;
	}
	return place;
}

void lookup_free(struct lookup *lookup)
{
	free(lookup->place);
	lookup->place = NULL;
	lookup->room = 0;
}

char **lookup_list(const char *keys, struct lookup **fields, size_t *n)
{
	char **texts = options_split(keys);

	for (*n = 0; texts[*n]; ++*n)
		;
	*fields = memory_zeroed(*n * sizeof **fields);
	for (size_t i = 0; i < *n; i++) {
		struct slice key = slice_of(texts[i]);

		if (!is_key(key))
			message_usage("cannot use '%.200s': '%.100s' is not a key", keys, texts[i]);
		for (size_t other = 0; other < i; other++)
			if (slice_equal((*fields)[other].key, key))
				message_usage("cannot use '%.200s': '%.100s' comes twice", keys, texts[i]);
		(*fields)[i].key = key;
	}
	return texts;
}

void lookup_list_free(char **texts, struct lookup *fields, size_t n)
{
	for (size_t i = 0; i < n; i++)
		lookup_free(&fields[i]);
	free(fields);
	free(texts);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

size_t reader_unescape(struct slice value, char *to)
{
	static const char named[] = "tnr0bfav", meant[] = "\t\n\r\0\b\f\a\v";
	const char *p = value.at, *end = value.at + value.len, *name;
	char *start = to;

	while (p < end) {
		if (*p != '\\' || p + 1 == end) {
			*to++ = *p++;
			continue;
		}
		p++;
		if (*p == 'x' && end - p >= 3) {
			int high = hex_digit(p[1]), low = hex_digit(p[2]);

			if (high >= 0 && low >= 0) {
				*to++ = (char)(high << 4 | low);
				p += 3;
				continue;
			}
		}
		name = *p ? strchr(named, *p) : NULL;
		*to++ = name ? meant[name - named] : *p;
		p++;
	}
	return (size_t)(to - start);
}

struct slice reader_utf8(struct slice value, char **buffer, size_t *room)
{
	struct slice plain;

	if (!reader_escaped(value) && utf8_valid(value))
		return value;
	*buffer = memory_grow(*buffer, room, 5 * value.len + 1, 1);
	plain.at = *buffer + 4 * value.len;
	plain.len = reader_unescape(value, *buffer + 4 * value.len);
	return (struct slice){ *buffer, utf8_mend(*buffer, plain) };
}
