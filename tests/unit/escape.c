// SPDX-License-Identifier: MIT
/* Every byte, alone and in every place of a vector's width, is written and read back; numbers too. */
#include <unistd.h>

#include "check.h"
#include "records/reader.h"
#include "records/writer.h"

static void check(struct writer *writer, struct slice text)
{
	char again[64];
	struct slice escaped;

	writer->at = writer->buffer;
	writer_text(writer, KEY("k"), text);
	escaped = (struct slice){ writer->buffer + 3, (size_t)(writer->at - writer->buffer) - 3 };
	CHECK(memcmp(writer->buffer, "\tk=", 3) == 0 && escaped.len < sizeof again);
	for (size_t i = 0; i < escaped.len; i++)
		CHECK((unsigned char)escaped.at[i] >= 0x20 && escaped.at[i] != 0x7f);
	CHECK(slice_equal(text, (struct slice){ again, reader_unescape(escaped, again) }));
	CHECK(reader_escaped(escaped) == !slice_equal(text, escaped));
}

int main(void)
{
	struct writer *writer = writer_open(-1, "memory");
	char text[40];

	for (int byte = 0; byte < 256; byte++)
		for (size_t len = 1; len <= sizeof text; len++)
			for (size_t at = 0; at < len; at++) {
				memset(text, 'x', sizeof text);
				text[at] = (char)byte;
				check(writer, (struct slice){ text, len });
			}
	for (int byte = 0; byte < 256; byte++) {
		struct key key = key_of((struct slice){ (char[]){ (char)byte, 'a', (char)byte }, 3 });

		for (size_t i = 1; i + 1 < key.len; i++)
			CHECK((key.at[i] >= 'a' && key.at[i] <= 'z') ||
			      (key.at[i] >= 'A' && key.at[i] <= 'Z') || key.at[i] == '_' ||
			      (i > 1 && ((key.at[i] >= '0' && key.at[i] <= '9') || key.at[i] == '.')));
		free((void *)(uintptr_t)key.at);
	}
	free(writer->buffer);
	free(writer);
	return 0;
}
