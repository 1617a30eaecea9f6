/* SPDX-License-Identifier: MIT */
/*
 * Mapping: where the fields of the records of one shape go in one table. Made once for each pair of them; it
 * stays right when the table gets further columns, for these are NULL in its records.
 */
#ifndef WEIR_STORE_MAPPING_H
#define WEIR_STORE_MAPPING_H

#include "database/catalog.h"
#include "records/reader.h"

#define MAPPING_NONE UINT32_MAX	/* the record has nothing for this column */

struct mapping {
	uint32_t *field;	/* of each of the first n columns: the index of a field, or MAPPING_NONE */
	uint32_t n;
	bool more;		/* some fields have no column */
	char *order;		/* the keys, where they are not in the table's order */
};

/* Makes the columns that are missing, too. O(keys), each new one a statement or two of SQL. */
struct mapping *mapping_new(struct catalog *catalog, struct sheet *sheet, const struct shape *shape);
void mapping_free(struct mapping *mapping);

#endif
