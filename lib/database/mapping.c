// SPDX-License-Identifier: MIT
// pkg-config: sqlite3
#include "database/mapping.h"

#include <stdlib.h>

#include "base/memory.h"

/* The keys in their order, with a blank between them. */
static char *join_keys(const struct shape *shape)
{
	size_t room = 1;
	char *text, *to;

	for (uint32_t i = 0; i < shape->n; i++)
		room += shape->key[i].len + 1;
	text = to = memory_get(room);
	for (uint32_t i = 0; i < shape->n; i++) {
		if (i)
			*to++ = ' ';
		memcpy(to, shape->key[i].at, shape->key[i].len);
		to += shape->key[i].len;
	}
	*to = '\0';
	return text;
}

struct mapping *mapping_new(struct catalog *catalog, struct sheet *sheet, const struct shape *shape)
{
	struct mapping *m = memory_zeroed(sizeof *m);
	uint32_t position = 0;	/* behind the last key */
	bool ordered = true;

	for (uint32_t i = 0; i < shape->n; i++) {
		uint32_t column = intern_find(sheet->keys, shape->key[i]);

		if (column == UINT32_MAX && intern_count(sheet->keys) < CATALOG_COLUMNS &&
		    shape->key[i].len <= CATALOG_NAME)
			column = catalog_add_column(catalog, sheet, shape->key[i], position);
		if (column == UINT32_MAX) {
			m->more = true;
			continue;
		}
		ordered &= !m->more && sheet->columns[column].position >= position;
		position = sheet->columns[column].position + 1;
	}
	m->n = intern_count(sheet->keys);
	m->field = memory_get(m->n * sizeof *m->field);
	memset(m->field, 0xff, m->n * sizeof *m->field);
	for (uint32_t i = 0; i < shape->n; i++) {
		uint32_t column = intern_find(sheet->keys, shape->key[i]);

		if (column != UINT32_MAX)
			m->field[column] = i;
	}
	if (m->more)
		catalog_add_more(catalog, sheet);
	if (!ordered) {
		m->order = join_keys(shape);
		catalog_add_order(catalog, sheet);
	}
	return m;
}

void mapping_free(struct mapping *m)
{
	free(m->field);
	free(m->order);
	free(m);
}
