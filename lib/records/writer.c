// SPDX-License-Identifier: MIT
#include "records/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "base/memory.h"
#include "base/message.h"
#include "base/number.h"

enum { PIPE_BYTES = 1 << 20 };	/* what unprivileged programs may have: /proc/sys/fs/pipe-max-size */

struct key key_of(struct slice name)
{
	char *text = memory_get(name.len + 3);
	size_t n = 0;

	text[n++] = '\t';
	if (name.len == 0 || (name.at[0] >= '0' && name.at[0] <= '9') || name.at[0] == '.')
		text[n++] = '_';
	for (size_t i = 0; i < name.len; i++) {
		char c = name.at[i];
		bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			    c == '_' || c == '.';

		text[n++] = good ? c : '_';
	}
	text[n++] = '=';
	return (struct key){ text, n };
}

struct writer *writer_open(int fd, const char *name)
{
	struct writer *writer = memory_get(sizeof *writer);
	char *buffer = memory_get(WRITER_BUFFER);

	*writer = (struct writer){
		.at = buffer,
		.limit = buffer + WRITER_BUFFER,
		.buffer = buffer,
		.fd = fd,
		.name = name,
	};
	return writer;
}

struct writer *writer_file(const char *name)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

	if (fd < 0)
		message_die("cannot write %s: %m", name);
	fcntl(fd, F_SETPIPE_SZ, PIPE_BYTES);
	return writer_open(fd, name);
}

struct writer *writer_stdout(void)
{
	int flags = fcntl(STDOUT_FILENO, F_GETFL);

	/* Said at once rather than after an hour's work. */
	if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY)
		message_die("cannot write stdout: it is closed");
	/* Fewer changes between writer and reader; fails on what is no pipe. */
	fcntl(STDOUT_FILENO, F_SETPIPE_SZ, PIPE_BYTES);
	return writer_open(STDOUT_FILENO, "stdout");
}

static void failed(const struct writer *writer)
{
	if (errno == EPIPE && writer->fd == STDOUT_FILENO)
		exit(EXIT_COMPLETE);
	message_die("cannot write %s: %m", writer->name);
}

void writer_flush(struct writer *writer)
{
	const char *from = writer->buffer;

	if (writer->full) {
		writer->full(writer, 0);
		return;
	}
	while (from < writer->at) {
		ssize_t n = write(writer->fd, from, (size_t)(writer->at - from));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			failed(writer);
		from += n;
		writer->written += (uint64_t)n;
	}
	writer->at = writer->buffer;
}

void writer_close(struct writer *writer)
{
	if (!writer)
		return;
	writer_flush(writer);
	if (close(writer->fd) && errno != EINTR)
		message_die("cannot close %s: %m", writer->name);
	free(writer->buffer);
	free(writer);
}

void writer_make_room(struct writer *writer, size_t size)
{
	if (writer->full) {
		writer->full(writer, size);
		return;
	}
	writer_flush(writer);
	if ((size_t)(writer->limit - writer->buffer) < size) {
		writer->buffer = memory_resize(writer->buffer, size);
		writer->at = writer->buffer;
		writer->limit = writer->buffer + size;
	}
}

#define ONES 0x0101010101010101u

/* Whether one of the 8 bytes needs an escape: in x - 1, a zero byte of x borrows its high bit. */
static bool is_special(uint64_t word)
{
	const uint64_t ones = ONES, high = ones << 7;
	uint64_t backslash, delete;

	backslash = word ^ ones * '\\';
	delete = word ^ ones * 0x7f;
	return (((word - ones * 0x20) & ~word) | ((backslash - ones) & ~backslash) |
		((delete - ones) & ~delete)) & high;
}

static bool any_special(const char *p)
{
	uint64_t word;

	memcpy(&word, p, 8);
	return is_special(word);
}

/* How many of the bytes at P need no escape. */
static size_t plain(const char *p, size_t len)
{
	size_t i = 0;

#ifdef __SSE2__
	/* Signed compares: bytes from 0x80 up are negative, hence the second bound. */
	for (; i + 16 <= len; i += 16) {
		__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
		__m128i low = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
		__m128i bad = _mm_or_si128(_mm_or_si128(low, _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'))),
					   _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f)));
		int mask = _mm_movemask_epi8(bad);

		if (mask)
			return i + (size_t)__builtin_ctz((unsigned)mask);
	}
#endif
	if (len >= 8) {
		while (i + 8 <= len && !any_special(p + i))
			i += 8;
		if (i + 8 > len && !any_special(p + len - 8))
			return len;
	}
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	else if (len && !is_special(slice_word(p, len) | ONES * 'a' << 8 * len)) {
		return len;
	}
#endif
	for (; i < len; i++) {
		unsigned char c = (unsigned char)p[i];

		if (c < 0x20 || c == '\\' || c == 0x7f)
			break;
	}
	return i;
}

/* Writes TEXT escaped at TO, which has room for 4 bytes each; returns the end. */
static char *escape(char *to, struct slice text)
{
	static const char hex[] = "0123456789abcdef";
	size_t n = plain(text.at, text.len);

	memcpy(to, text.at, n);
	to += n;
	for (size_t i = n; i < text.len; i++) {
		unsigned char c = (unsigned char)text.at[i];

		if (c >= 0x20 && c != '\\' && c != 0x7f) {
			*to++ = (char)c;
			continue;
		}
		*to++ = '\\';
		switch (c) {
		case '\\': *to++ = '\\'; break;
		case '\t': *to++ = 't'; break;
		case '\n': *to++ = 'n'; break;
		case '\r': *to++ = 'r'; break;
		case '\0': *to++ = '0'; break;
		default:
			*to++ = 'x';
			*to++ = hex[c >> 4];
			*to++ = hex[c & 15];
		}
	}
	return to;
}

size_t writer_escape(char *to, struct slice text)
{
	return (size_t)(escape(to, text) - to);
}

size_t writer_fitting(struct slice text, size_t room)
{
	size_t used = 0;

	if (text.len <= room / 4)
		return text.len;
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.at[i];

		used += c >= 0x20 && c != 0x7f && c != '\\' ? 1 : 4;
		if (used > room)
			return i;
	}
	return text.len;
}

void writer_escaped(struct writer *writer, struct slice text)
{
	writer->at = escape(writer_room(writer, text.len * 4), text);
}

void writer_text(struct writer *writer, struct key key, struct slice text)
{
	char *to = writer_room(writer, key.len + text.len * 4);

	memcpy(to, key.at, key.len);
	writer->at = escape(to + key.len, text);
}

void writer_u64(struct writer *writer, struct key key, uint64_t value)
{
	char *to = writer_room(writer, key.len + NUMBER_TEXT);

	memcpy(to, key.at, key.len);
	writer->at = to + key.len + number_put_u64(to + key.len, value);
}

void writer_i64(struct writer *writer, struct key key, int64_t value)
{
	char *to = writer_room(writer, key.len + NUMBER_TEXT);

	memcpy(to, key.at, key.len);
	writer->at = to + key.len + number_put_i64(to + key.len, value);
}

void writer_hex(struct writer *writer, struct key key, uint64_t value)
{
	static const char hex[] = "0123456789abcdef";
	char *to = writer_room(writer, key.len + NUMBER_TEXT);
	int shift = value ? (63 - __builtin_clzll(value)) / 4 * 4 : 0;

	memcpy(to, key.at, key.len);
	to += key.len;
	*to++ = '0';
	*to++ = 'x';
	for (; shift >= 0; shift -= 4)
		*to++ = hex[value >> shift & 15];
	writer->at = to;
}

void writer_real(struct writer *writer, struct key key, double value)
{
	char *to = writer_room(writer, key.len + NUMBER_TEXT);

	memcpy(to, key.at, key.len);
	writer->at = to + key.len + number_put_real(to + key.len, value);
}

void writer_begin(struct writer *writer, int64_t ts, struct slice ev)
{
	char *to = writer_room(writer, 64 + ev.len * 4);

	memcpy(to, "ts=", 3);
	to += 3;
	to += number_put_ns(&writer->second, to, ts);
	memcpy(to, "\tev=", 4);
	writer->at = escape(to + 4, ev);
}

void writer_lost(struct writer *writer, int64_t ts, uint64_t n, struct slice source, int64_t first_ts,
		 int64_t last_ts)
{
	writer_begin(writer, ts, SLICE("lost"));
	if (n == LOST_UNKNOWN)
		writer_raw(writer, KEY("n"), SLICE("?"));
	else
		writer_u64(writer, KEY("n"), n);
	writer_text(writer, KEY("source"), source);
	if (first_ts)
		writer_i64(writer, KEY("first_ts"), first_ts);
	if (last_ts)
		writer_i64(writer, KEY("last_ts"), last_ts);
}
