// SPDX-License-Identifier: MIT
#include "records/match.h"

#include <stdlib.h>

#include "base/memory.h"
#include "records/keylist.h"

bool match_text(struct slice value, struct slice text)
{
	char brief[256], *plain;
	bool equal;

	if (!reader_escaped(value))
		return slice_equal(value, text);
	plain = value.len <= sizeof brief ? brief : memory_get(value.len);
	equal = slice_equal((struct slice){ plain, reader_unescape(value, plain) }, text);
	if (plain != brief)
		free(plain);
	return equal;
}

bool match_parse(struct match *match, const char *text)
{
	const char *sign = strchr(text, '=');

	if (!sign)
		return false;
	*match = (struct match){ .key.key = { text, (size_t)(sign - text) }, .value = slice_of(sign + 1) };
	return keylist_valid(match->key.key);
}

bool match_holds(struct match *match, const struct record *record)
{
	const struct slice *value = lookup_value(&match->key, record);

	return value && match_text(*value, match->value);
}
