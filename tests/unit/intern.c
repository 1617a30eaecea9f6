// SPDX-License-Identifier: MIT
/* Strings keep their ids and their bytes, the empty one, long ones and those with NUL included. */
#include "base/intern.h"
#include "check.h"

enum { COUNT = 50000 };

/* The I-th of the strings, all distinct; at most 200,000 bytes. */
static struct slice text_of(uint32_t i, char *to)
{
	size_t len = 4 + (i % 997 == 0 ? 100000 : i % 61);

	if (i == 0)
		return (struct slice){ to, 0 };
	memset(to, (int)(i % 7), len);
	memcpy(to + len - 4, &i, 4);
	return (struct slice){ to, len };
}

int main(void)
{
	static char buffer[200000];
	struct intern *intern = intern_new();
	const char *first = NULL;

	for (uint32_t i = 0; i < COUNT; i++) {
		struct slice text = text_of(i, buffer);

		CHECK(intern_find(intern, text) == UINT32_MAX);
		CHECK(intern_id(intern, text) == i);
		CHECK(intern_count(intern) == i + 1);
		if (i == 1)
			first = intern_text(intern, 1).at;
	}
	for (uint32_t i = 0; i < COUNT; i++) {
		struct slice text = text_of(i, buffer), kept = intern_text(intern, i);

		CHECK(slice_equal(text, kept) && kept.at[kept.len] == '\0');
		CHECK(intern_id(intern, text) == i && intern_find(intern, text) == i);
	}
	CHECK(intern_count(intern) == COUNT && intern_text(intern, 1).at == first);
	intern_free(intern);
	intern_free(NULL);
	return 0;
}
