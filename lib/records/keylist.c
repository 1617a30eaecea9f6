// SPDX-License-Identifier: MIT
#include "records/keylist.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/message.h"
#include "base/options.h"

bool keylist_valid(struct slice name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = name.at[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
		      (i > 0 && ((c >= '0' && c <= '9') || c == '.'))))
			return false;
	}
	return name.len > 0;
}

struct keylist keylist_parse(const char *text, const char *what)
{
	struct keylist keys = { 0 };

	if (!text)
		return keys;
	keys.names = options_split(text);
	while (keys.names[keys.n])
		keys.n++;
	keys.lookup = memory_zeroed(keys.n * sizeof *keys.lookup);
	for (size_t i = 0; i < keys.n; i++) {
		keys.lookup[i].key = slice_of(keys.names[i]);
		if (!keylist_valid(keys.lookup[i].key))
			message_usage("cannot use the %s '%.100s': a key is letters, digits, _ and .", what,
				      keys.names[i]);
		for (size_t k = 0; k < i; k++)
			if (slice_equal(keys.lookup[k].key, keys.lookup[i].key))
				message_usage("cannot use the %s '%.100s' twice", what, keys.names[i]);
	}
	return keys;
}

void keylist_free(struct keylist *keys)
{
	for (size_t i = 0; i < keys->n; i++)
		lookup_free(&keys->lookup[i]);
	free(keys->lookup);
	free(keys->names);
}

size_t keylist_values(struct keylist *keys, const struct record *record, struct slice *values)
{
	size_t have = 0;

	for (size_t i = 0; i < keys->n; i++) {
		const struct slice *value = lookup_value(&keys->lookup[i], record);

		values[i] = value ? *value : (struct slice){ 0 };
		have += value != NULL;
	}
	return have;
}
