// SPDX-License-Identifier: MIT
#include "records/otherfile.h"

const char *otherfile(struct slice bytes)
{
	static const struct {
		size_t at;
		struct slice mark;
		const char *is;
	} known[] = {
		{ 0, { "\x1f\x8b", 2 }, "compressed: unpack it by 'gzip -dc', an archive by 'tar -xf'" },
		{ 0, { "\x28\xb5\x2f\xfd", 4 }, "compressed: unpack it by 'zstd -dc', an archive by 'tar -xf'" },
		{ 0, { "\xfd" "7zXZ", 5 }, "compressed: unpack it by 'xz -dc', an archive by 'tar -xf'" },
		{ 0, { "BZh", 3 }, "compressed: unpack it by 'bzip2 -dc', an archive by 'tar -xf'" },
		{ 0, { "PK\3\4", 4 }, "an archive: unpack it by 'unzip'" },
		{ 257, { "ustar", 5 }, "an archive: unpack it by 'tar -xf'" },
		{ 0, { "\xc1\x1f\xfc\xc1", 4 }, "one stream of a trace: lttng-convert takes the directory" },
		{ 0, { "\x57\x1d\xd1\x75", 4 }, "the metadata of a trace: lttng-convert takes the directory" },
		{ 0, { "/* CTF ", 7 }, "the metadata of a trace: lttng-convert takes the directory" },
		{ 0, { "SQLite format 3", 15 }, "a database: from-sqlite reads it" },
		{ 0, { "PERFILE2", 8 }, "a recording of perf: 'perf script' prints it" },
	};

	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		struct slice mark = known[i].mark;

		if (bytes.len < known[i].at + mark.len || memcmp(bytes.at + known[i].at, mark.at, mark.len) != 0)
			continue;
		/* A text may have the word there; the fields before it in an archive end with NULs. */
		if (known[i].at == 0 || memchr(bytes.at, '\0', known[i].at))
			return known[i].is;
	}
	return NULL;
}
