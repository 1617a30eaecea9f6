/* SPDX-License-Identifier: MIT */
/*
 * Protocol Buffers, written field by field into memory (the wire format is public:
 * https://protobuf.dev/programming-guides/encoding). Field numbers are the caller's; a field is written
 * even where its value is the default.
 */
#ifndef WEIR_PROTOBUF_H
#define WEIR_PROTOBUF_H

#include "base/slice.h"

/* A message under way: zero-initialize; free(at). Grows to the longest message. */
struct protobuf {
	unsigned char *at;
	size_t len, room;
};

static inline void protobuf_clear(struct protobuf *message)
{
	message->len = 0;
}

static inline struct slice protobuf_bytes(const struct protobuf *message)
{
	return (struct slice){ (const char *)message->at, message->len };
}

/* int32, int64, uint32, uint64, bool, enum. A negative number is given as its 64 bits. */
void protobuf_varint(struct protobuf *message, uint32_t field, uint64_t value);

/* fixed64, double. */
void protobuf_fixed64(struct protobuf *message, uint32_t field, uint64_t value);
void protobuf_double(struct protobuf *message, uint32_t field, double value);

/* bytes, an embedded message; string, which has to be UTF-8. O(length). */
void protobuf_text(struct protobuf *message, uint32_t field, struct slice text);

/*
 * protobuf_head() writes what goes before an embedded message of LEN bytes at TO, which has room for
 * PROTOBUF_HEAD bytes, and returns the length: a stream of messages is these and the messages.
 *
 * A message within: what is written between begin and end is its body. Bodies nest. Costs a move of the
 * body where that has 128 bytes or more.
 */
enum { PROTOBUF_HEAD = 20 };
size_t protobuf_head(unsigned char *to, uint32_t field, size_t len);
size_t protobuf_begin(struct protobuf *message, uint32_t field);
void protobuf_end(struct protobuf *message, size_t begun);

#endif
