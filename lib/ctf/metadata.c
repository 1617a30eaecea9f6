// SPDX-License-Identifier: MIT
#include "ctf/metadata.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/memory.h"

#define PACKET_MAGIC 0x75d11d57u
#define RECORD_SEPARATOR '\x1e'	/* begins each JSON text of CTF 2 */
enum { PACKET_HEADER = 37 };	/* bytes: magic, uuid, checksum, two sizes, three schemes, two versions */

static uint32_t word(const unsigned char *at, bool swapped)
{
	uint32_t v;

	memcpy(&v, at, 4);
	return swapped ? __builtin_bswap32(v) : v;
}

/*
 * Takes the text out of its packets, in place. Each header tells the packet's content and whole size in
 * bits, header included.
 */
static bool unpack(char *text, size_t *len, char *error, size_t error_size)
{
	size_t at = 0, out = 0;

	while (*len - at >= PACKET_HEADER) {
		const unsigned char *packet = (const unsigned char *)text + at;
		bool swapped = word(packet, false) != PACKET_MAGIC;
		uint32_t content = word(packet + 24, swapped) / 8, size = word(packet + 28, swapped) / 8;

		if (word(packet, swapped) != PACKET_MAGIC || content < PACKET_HEADER || size < content) {
			snprintf(error, error_size, "byte %zu: not a packet of metadata", at);
			return false;
		}
		if (packet[32] || packet[33] || packet[34]) {
			snprintf(error, error_size, "byte %zu: compressed or encrypted metadata", at);
			return false;
		}
		if (content > *len - at) {
			snprintf(error, error_size, "byte %zu: the packet of metadata is cut", at);
			return false;
		}
		memmove(text + out, packet + PACKET_HEADER, content - PACKET_HEADER);
		out += content - PACKET_HEADER;
		at += size < *len - at ? size : *len - at;
	}
	*len = out;
	return true;
}

/* The whole file; NULL with the reason in ERROR. free() it. */
static char *read_file(const char *path, size_t *len, char *error, size_t error_size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *text = NULL;
	struct stat st;
	ssize_t n = 1;

	*len = 0;
	if (fd < 0 || fstat(fd, &st))
		goto failed;
	if (!S_ISREG(st.st_mode) || st.st_size > CTF_METADATA_MAX) {
		snprintf(error, error_size, "%s", S_ISREG(st.st_mode) ? "more than 64 MiB" : "not a file");
		close(fd);
		return NULL;
	}
	text = memory_get((size_t)st.st_size + 1);
	while (*len < (size_t)st.st_size && (n = read(fd, text + *len, (size_t)st.st_size - *len)) > 0)
		*len += (size_t)n;
	if (n < 0)
		goto failed;
	close(fd);
	return text;
failed:
	snprintf(error, error_size, "%s", strerror(errno));
	if (fd >= 0)
		close(fd);
	free(text);
	return NULL;
}

static struct ctf_metadata *parse_json(const char *text, size_t len, char *error, size_t error_size)
{
#if __has_include(<json-c/json.h>)
	return ctf_metadata_parse_json(text, len, error, error_size);
#else
	(void)text;
	snprintf(error, error_size, "these %zu bytes are CTF 2, which wants a build with json-c", len);
	return NULL;
#endif
}

struct slice ctf_environment_value(const struct ctf_metadata *metadata, struct slice name)
{
	for (const struct ctf_environment *e = metadata->environment; e; e = e->next)
		if (slice_equal(e->name, name))
			return e->value;
	return SLICE("");
}

struct slice ctf_field_role(const struct ctf_metadata *metadata, const struct ctf_field *field)
{
	struct slice name = field->name;

	if (metadata->version == 2 && field->type->role)
		return slice_of(field->type->role);
	if (metadata->version == 2 && !slice_equal(name, SLICE("cpu_id")))	/* for which there is no role */
		return SLICE("");
	return name.len > 1 && name.at[0] == '_' ? (struct slice){ name.at + 1, name.len - 1 } : name;
}

struct ctf_metadata *ctf_metadata_read(const char *path, char *error, size_t error_size)
{
	struct ctf_metadata *metadata = NULL;
	char *text;
	size_t len;

	text = read_file(path, &len, error, error_size);
	if (!text)
		return NULL;
	if (len >= 4 && (word((unsigned char *)text, false) == PACKET_MAGIC ||
			 word((unsigned char *)text, true) == PACKET_MAGIC) &&
	    !unpack(text, &len, error, error_size)) {
		free(text);
		return NULL;
	}
	/* Names are slices of the text, so it stays as long as the rest. */
	metadata = len && text[0] == RECORD_SEPARATOR ? parse_json(text, len, error, error_size) :
		   ctf_metadata_parse(text, len, error, error_size);
	if (metadata)
		metadata->text = text;
	else
		free(text);
	return metadata;
}

void ctf_metadata_free(struct ctf_metadata *metadata)
{
	char *text;

	if (!metadata)
		return;
	text = metadata->text;
	arena_free(metadata->arena);
	free(text);
}
