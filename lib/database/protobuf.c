// SPDX-License-Identifier: MIT
#include "database/protobuf.h"

#include "base/memory.h"

enum {
	VARINT_MAX = 10,	/* bytes */
	WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_LENGTH = 2,
};

static void make_room(struct protobuf *m, size_t size)
{
	m->at = memory_grow(m->at, &m->room, m->len + size, 1);
}

static size_t put_varint(unsigned char *to, uint64_t value)
{
	size_t n = 0;

	for (; value >= 0x80; value >>= 7)
		to[n++] = (unsigned char)(value | 0x80);
	to[n++] = (unsigned char)value;
	return n;
}

static void put_tag(struct protobuf *m, uint32_t field, uint32_t wire)
{
	m->len += put_varint(m->at + m->len, (uint64_t)field << 3 | wire);
}

void protobuf_varint(struct protobuf *m, uint32_t field, uint64_t value)
{
	make_room(m, 2 * VARINT_MAX);
	put_tag(m, field, WIRE_VARINT);
	m->len += put_varint(m->at + m->len, value);
}

void protobuf_fixed64(struct protobuf *m, uint32_t field, uint64_t value)
{
	make_room(m, VARINT_MAX + 8);
	put_tag(m, field, WIRE_FIXED64);
	for (int i = 0; i < 8; i++)
		m->at[m->len++] = (unsigned char)(value >> 8 * i);
}

void protobuf_double(struct protobuf *m, uint32_t field, double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof bits);
	protobuf_fixed64(m, field, bits);
}

void protobuf_text(struct protobuf *m, uint32_t field, struct slice text)
{
	make_room(m, 2 * VARINT_MAX + text.len);
	put_tag(m, field, WIRE_LENGTH);
	m->len += put_varint(m->at + m->len, text.len);
	if (text.len)
		memcpy(m->at + m->len, text.at, text.len);
	m->len += text.len;
}

size_t protobuf_head(unsigned char *to, uint32_t field, size_t len)
{
	size_t n = put_varint(to, (uint64_t)field << 3 | WIRE_LENGTH);

	return n + put_varint(to + n, len);
}

size_t protobuf_begin(struct protobuf *m, uint32_t field)
{
	make_room(m, VARINT_MAX + 1);
	put_tag(m, field, WIRE_LENGTH);
	return ++m->len;	/* one byte for the length: most bodies are short */
}

void protobuf_end(struct protobuf *m, size_t begun)
{
	unsigned char length[VARINT_MAX];
	size_t body = m->len - begun, n = put_varint(length, body);

	make_room(m, VARINT_MAX);
	if (n > 1)
		memmove(m->at + begun - 1 + n, m->at + begun, body);
	memcpy(m->at + begun - 1, length, n);
	m->len += n - 1;
}
