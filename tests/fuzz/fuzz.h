/* SPDX-License-Identifier: MIT */
/* What the fuzz targets share: bytes as input that comes in pieces, and checks that end the run. */
#ifndef WEIR_FUZZ_H
#define WEIR_FUZZ_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/slice.h"
#include "records/writer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Not assert(): it also holds with NDEBUG, and says where through the sanitizer's report. */
#define CHECK(condition) \
	do { \
		if (!(condition)) { \
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition); \
			abort(); \
		} \
	} while (0)

/* A file in memory with these bytes, at its beginning. */
static inline int fuzz_file(struct slice bytes)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	CHECK(fd >= 0);
	CHECK(write(fd, bytes.at, bytes.len) == (ssize_t)bytes.len);
	CHECK(lseek(fd, 0, SEEK_SET) == 0);
	return fd;
}

/* A socket from which each read takes one piece of at most PIECE bytes; all of the rest is the tenth. */
static inline int fuzz_pieces(struct slice bytes, size_t piece)
{
	int ends[2];

	CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
	for (int i = 0; bytes.len; i++) {
		size_t n = i < 9 && piece && piece < bytes.len ? piece : bytes.len;

		CHECK(send(ends[1], bytes.at, n, 0) == (ssize_t)n);
		bytes.at += n;
		bytes.len -= n;
	}
	close(ends[1]);
	return ends[0];
}

/* A writer whose bytes stay in its buffer, as long as there are fewer than WRITER_BUFFER. */
static inline struct writer *fuzz_writer(void)
{
	return writer_open(-1, "memory");
}

static inline void fuzz_writer_free(struct writer *writer)
{
	free(writer->buffer);
	free(writer);
}

#endif
