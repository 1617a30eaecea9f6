/* SPDX-License-Identifier: MIT */
/*
 * Writing records (records(5)), or any text, to a descriptor through one buffer.
 *
 * A failed write is reported and ends the program with EXIT_FAILED; a pipe behind stdout that is closed
 * ends it quietly with EXIT_COMPLETE, because the reader has what it wanted. So nothing here returns an
 * error.
 *
 *	writer_begin(out, ts, SLICE("syscall"));
 *	writer_u64(out, KEY("dur_ns"), dur);
 *	writer_text(out, KEY("comm"), comm);
 *	writer_end(out);
 */
#ifndef WEIR_WRITER_H
#define WEIR_WRITER_H

#include "base/number.h"
#include "base/slice.h"

enum { WRITER_BUFFER = 256 << 10 };

struct writer {
	char *at;		/* where the next byte goes */
	char *limit;		/* end of the buffer */
	char *buffer;
	int fd;
	const char *name;	/* for messages */
	uint64_t written;	/* bytes handed to the kernel */
	struct number_second second;	/* of the last ts */
	struct writer *also;	/* another one that input.h flushes with this one; NULL */
	/*
	 * NULL, or what makes room for SIZE bytes behind `at` in place of writing to a descriptor (SIZE 0:
	 * a flush): the buffer belongs to somebody else then (ring.h), who also takes what is in it.
	 */
	void (*full)(struct writer *writer, size_t size);
};

/* A field's key as the writer wants it: TAB, key, `=`. KEY() makes one of a literal. */
struct key {
	const char *at;
	size_t len;
};
#define KEY(literal) ((struct key){ "\t" literal "=", sizeof("\t" literal "=") - 1 })

/*
 * A key made of any bytes: those that no key may hold become `_`, and one goes before a leading
 * digit. Allocates; free() the key's `at`.
 */
struct key key_of(struct slice name);

/*
 * NAME is for messages and is kept. writer_stdout() is one for stdout, writer_file() one for the file
 * NAME, which is made or emptied. Pipes are given 1 MiB where the kernel allows it.
 */
struct writer *writer_open(int fd, const char *name);
struct writer *writer_stdout(void);
struct writer *writer_file(const char *name);

/* Hands all to the kernel. */
void writer_flush(struct writer *writer);

/* Flushes, closes the descriptor (checked: a full disk may show only here) and frees the writer. */
void writer_close(struct writer *writer);

/* Room for SIZE bytes behind writer->at, which the caller may then fill and pass. */
void writer_make_room(struct writer *writer, size_t size);
static inline char *writer_room(struct writer *writer, size_t size)
{
	if (__builtin_expect((size_t)(writer->limit - writer->at) < size, 0))
		writer_make_room(writer, size);
	return writer->at;
}

/* Bytes as they are. */
static inline void writer_bytes(struct writer *writer, const char *at, size_t len)
{
	memcpy(writer_room(writer, len), at, len);
	writer->at += len;
}

/* `ts=TS<TAB>ev=EV`: how each record begins. writer_end() ends it. EV is escaped as a value. */
void writer_begin(struct writer *writer, int64_t ts, struct slice ev);
static inline void writer_end(struct writer *writer)
{
	*writer_room(writer, 1) = '\n';
	writer->at++;
}

/* A field: its value is escaped text, a number, an address (0x…), or text that is escaped already. */
void writer_text(struct writer *writer, struct key key, struct slice text);
void writer_u64(struct writer *writer, struct key key, uint64_t value);
void writer_i64(struct writer *writer, struct key key, int64_t value);
void writer_hex(struct writer *writer, struct key key, uint64_t value);
void writer_real(struct writer *writer, struct key key, double value);
static inline void writer_raw(struct writer *writer, struct key key, struct slice escaped)
{
	char *to = writer_room(writer, key.len + escaped.len);

	memcpy(to, key.at, key.len);
	memcpy(to + key.len, escaped.at, escaped.len);
	writer->at += key.len + escaped.len;
}

/* Writes TEXT with the escapes of a value at TO, which has room for 4 bytes each; returns the length. */
size_t writer_escape(char *to, struct slice text);

/* How many bytes of TEXT take at most ROOM bytes when they are escaped. */
size_t writer_fitting(struct slice text, size_t room);

/* Text with the escapes of a value, without a key. */
void writer_escaped(struct writer *writer, struct slice text);

/*
 * `ev=lost`: N events of SOURCE are missing (LOST_UNKNOWN: some number of them), between FIRST_TS and
 * LAST_TS where those are known (0: not). Further fields may follow, then writer_end().
 */
#define LOST_UNKNOWN UINT64_MAX
void writer_lost(struct writer *writer, int64_t ts, uint64_t n, struct slice source, int64_t first_ts,
		 int64_t last_ts);

#endif
