// SPDX-License-Identifier: MIT
#include "traces/selection.h"

#include <fnmatch.h>

static bool matches_any(const struct option_list *globs, const char *name)
{
	for (size_t i = 0; i < globs->count; i++)
		if (fnmatch(globs->items[i], name, 0) == 0)
			return true;
	return false;
}

bool selection_event(const struct selection *selection, const char *name)
{
	return (selection->include.count == 0 || matches_any(&selection->include, name)) &&
	       !matches_any(&selection->exclude, name);
}

bool selection_field(const struct selection *selection, struct slice key)
{
	if (!selection->fields || slice_equal(key, SLICE("ts")) || slice_equal(key, SLICE("ev")))
		return true;
	for (char **field = selection->fields; *field; field++) {
		size_t n = strlen(*field);

		if (key.len >= n && memcmp(key.at, *field, n) == 0 && (key.len == n || key.at[n] == '.'))
			return true;
	}
	return false;
}

const struct selection *selection_within(const struct selection *selection, struct slice ev)
{
	static char *no_fields[] = { NULL };
	static const struct selection whole, bare = { .fields = no_fields };

	switch (selection->reads ? selection->reads(ev) : SELECTION_FIELDS) {
	case SELECTION_WHOLE: return &whole;
	case SELECTION_FIELDS: return selection;
	default: return selection->bare ? &bare : NULL;
	}
}

void selection_start(struct selection *selection, int64_t first_ts)
{
	selection->begin_ns = selection->has_begin ? number_moment_ns(selection->begin, first_ts) : INT64_MIN;
	selection->end_ns = selection->has_end ? number_moment_ns(selection->end, first_ts) : INT64_MAX;
}
