/* SPDX-License-Identifier: MIT */
/*
 * One cell of CSV (RFC 4180). The caller writes the commas and the line ends:
 *
 *	csv_text(out, name);
 *	writer_bytes(out, ",", 1);
 *	csv_text(out, value);
 *	writer_bytes(out, "\n", 1);
 *
 * A cell is quoted where it holds a comma, a quote, TAB, LF or CR, where it begins or ends with a blank,
 * and where it is empty: so an empty text (`""`) differs from nothing at all, as PostgreSQL's COPY has it,
 * and no line is empty. TAB, LF, CR and bytes from 0x80 up stand for themselves. The other bytes below
 * 0x20 and 0x7f, for which CSV has no escape, which many readers refuse and which drive terminals, are
 * written \xHH; the _exact forms write them as they are.
 */
#ifndef WEIR_CSV_H
#define WEIR_CSV_H

#include "records/writer.h"

/* Any text, without escapes. O(length). */
void csv_text(struct writer *writer, struct slice text);

/* A value as it stands in a record: its escapes are undone first. */
void csv_value(struct writer *writer, struct slice value);
void csv_value_exact(struct writer *writer, struct slice value);

#endif
