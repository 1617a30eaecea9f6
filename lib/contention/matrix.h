/* SPDX-License-Identifier: MIT */
/*
 * The matrix of victims and culprits, for people: who ran while a victim waited. A row for each victim, a
 * column for each of the five that took most, then (others), (idle) and (unknown). With what the victim got
 * itself, a row sums to its runnable time, to the nanosecond.
 */
#ifndef WEIR_CONTENTION_MATRIX_H
#define WEIR_CONTENTION_MATRIX_H

#include "contention/document.h"

void matrix_put(struct document *document, const struct pressure *pressure);

#endif
