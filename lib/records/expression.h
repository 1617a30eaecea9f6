/* SPDX-License-Identifier: MIT */
/*
 * Expressions over records, as where(1) has them: KEY, !KEY, KEY=VALUE,..., KEY>=NUMBER, KEY~GLOB,
 * KEY=~REGEX and their like.
 */
#ifndef WEIR_EXPRESSION_H
#define WEIR_EXPRESSION_H

#include "records/reader.h"

struct expression;

/*
 * The TEXTS, a NULL-terminated list of expressions that are to hold together; they must outlive what is
 * returned. No text at all holds for every record. What is no expression is wrong usage.
 */
struct expression *expression_parse(char **texts);
void expression_free(struct expression *expression);

/* Whether all of them hold for the record. A comparison costs a lookup; numbers are parsed. */
bool expression_holds(struct expression *expression, const struct record *record);

#endif
