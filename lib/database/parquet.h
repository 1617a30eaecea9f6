/* SPDX-License-Identifier: MIT */
/*
 * Records as Parquet files, one for each ev, by DuckDB (man/to-parquet.1 tells of types and names).
 * pkg-config: duckdb
 *
 * A column's type is known when the last record is, so the records of each ev wait as they are in a file,
 * in a directory beside the one that is to come. From there DuckDB reads them, one ev after the other. The
 * finished files are renamed into place all at once. Whatever fails is said, and ends the program with
 * EXIT_FAILED and nothing in place.
 */
#ifndef WEIR_PARQUET_H
#define WEIR_PARQUET_H

#include "base/progress.h"
#include "records/loss.h"
#include "records/reader.h"

struct parquet;

/* DIRECTORY, which is kept, must not exist. */
struct parquet *parquet_open(const char *directory);

/* Adds a record. Less than 1 us. */
void parquet_put(struct parquet *parquet, const struct record *record);

/*
 * Writes the files, with COMPLETE and what LOSS counted in the metadata of each, and tells PROGRESS. Returns
 * how many there are. About 1 us for a record.
 */
size_t parquet_write(struct parquet *parquet, bool complete, const struct loss *loss,
		     struct progress *progress);

/* Makes parquet_write() fail; may be called by a signal handler. */
void parquet_interrupt(void *parquet);

void parquet_close(struct parquet *parquet);

#endif
