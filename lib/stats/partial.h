/* SPDX-License-Identifier: MIT */
/*
 * The state of figures as fields of a record (ev=partial), and back: so that parts of a stream are
 * counted apart, and joined to what counting the whole would have given.
 *
 * The fields are `state.FIELD.PART`: `count sum squares min max` of the integers, `reals real_*` of the other
 * numbers, `others` (values that are no number), `values real_values` (those kept for exact quantiles)
 * or `below zeros above` (the sketch, as NUMBER:COUNT of each bucket), `first last` with their times,
 * `hashes` (distinct values).
 */
#ifndef WEIR_PARTIAL_H
#define WEIR_PARTIAL_H

#include "records/reader.h"
#include "records/writer.h"
#include "stats/figures.h"

struct partial;

/* For the FIELD ("": records are counted, no field). */
struct partial *partial_new(struct slice field);
void partial_free(struct partial *partial);

/* Appends the state to the record that is being written. */
void partial_write(struct partial *partial, struct figures_plan *plan, struct figures *figures,
		   struct writer *writer);

/*
 * Joins the state in a record to FIGURES. False when the record has none that fits the plan: the
 * reader has complained then.
 */
bool partial_read(struct partial *partial, struct figures_plan *plan, struct figures *figures,
		  const struct record *record, struct reader *reader);

#endif
