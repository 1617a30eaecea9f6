/* SPDX-License-Identifier: MIT */
/*
 * The feed: rows wait here, up to 512 of them, and go into their tables together, by INSERT ... SELECT from
 * a virtual table (temp.feed) over the rows that wait. That was measured a quarter faster than an INSERT for
 * each row, and it needs one statement for a table, whatever the shapes of its records.
 *
 * The feed is gone (feed_free()) only after its database has been closed. What fails is said, and ends the
 * program with EXIT_FAILED.
 */
#ifndef WEIR_STORE_FEED_H
#define WEIR_STORE_FEED_H

#include "database/mapping.h"

struct feed;

/* Rows are those of run number RUN. Memory: 256 KiB, or what the largest record takes. */
struct feed *feed_new(struct catalog *catalog, int64_t run);
void feed_free(struct feed *feed);

/* Makes room for the record: rows that wait may be inserted. */
void feed_reserve(struct feed *feed, const struct record *record);

/* Adds a copy of the record to the rows of the sheet. MAPPING stays until the rows have been flushed. */
void feed_put(struct feed *feed, size_t sheet, const struct mapping *mapping, int64_t seq,
	      const struct record *record);

/* Inserts all rows that wait. */
void feed_flush(struct feed *feed);

#endif
