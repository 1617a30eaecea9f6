// SPDX-License-Identifier: MIT
/*
 * to-json: records as JSON lines.
 *
 *	$ to-json -f ts,comm,dur_ns spans.tskv | jq -c 'select(.dur_ns > 1e6)'
 */
#include <stdlib.h>

#include "base/memory.h"
#include "base/message.h"
#include "base/options.h"
#include "records/json.h"
#include "records/kind.h"
#include "records/loss.h"
#include "records/reader.h"
#include "records/writer.h"

/* `"KEY":` and the value, in that order; keys need no escape (records(5)). Times and texts are strings. */
static void put_field(struct writer *out, struct slice key, enum kind kind, struct slice value)
{
	char *to = writer_room(out, key.len + 3);

	*to++ = '"';
	memcpy(to, key.at, key.len);
	to += key.len;
	*to++ = '"';
	*to++ = ':';
	out->at = to;
	if (kind == KIND_OPEN)
		json_value(out, value);
	else
		json_string(out, value);
}

/* The kinds of the keys of each shape that was met, by its id. */
struct kinds {
	unsigned char **of;
	size_t room;
};

static const unsigned char *kinds_of(struct kinds *kinds, const struct shape *shape)
{
	size_t old = kinds->room;
	unsigned char *of;

	if (shape->id == SHAPE_PASSING)
		return NULL;
	if (shape->id < old && kinds->of[shape->id])
		return kinds->of[shape->id];
	kinds->of = memory_grow(kinds->of, &kinds->room, shape->id + 1, sizeof *kinds->of);
	memset(kinds->of + old, 0, (kinds->room - old) * sizeof *kinds->of);
	kinds->of[shape->id] = of = memory_get(shape->n);
	for (uint32_t i = 0; i < shape->n; i++)
		of[i] = (unsigned char)kind_of(shape->key[i]);
	return of;
}

static void put_all(struct writer *out, const struct record *record, struct kinds *kinds)
{
	const struct shape *shape = record->shape;
	const unsigned char *of = kinds_of(kinds, shape);

	for (uint32_t i = 0; i < shape->n; i++) {
		enum kind kind = of ? (enum kind)of[i] : kind_of(shape->key[i]);

		if (i)
			writer_bytes(out, ",", 1);
		put_field(out, shape->key[i], kind, record->value[i]);
	}
}

static void put_chosen(struct writer *out, const struct record *record, struct lookup *fields,
		       const enum kind *kinds, size_t n)
{
	bool first = true;

	for (size_t i = 0; i < n; i++) {
		const struct slice *value = lookup_value(&fields[i], record);

		if (!value)
			continue;
		if (!first)
			writer_bytes(out, ",", 1);
		put_field(out, fields[i].key, kinds[i], *value);
		first = false;
	}
}

int main(int argc, char **argv)
{
	const char *list = NULL;
	bool strict = false;
	const struct option options[] = {
		{ 'f', "fields", "KEY,...", "only these fields, in this order", OPTION_TEXT, .to = &list },
		{ 0, "strict", NULL, "exit with status 3 when events were lost", OPTION_FLAG, .to = &strict },
		{ 0 },
	};
	const struct program program = {
		.name = "to-json",
		.does = "write records as JSON, one object on a line",
		.operands = "[FILE...]",
		.options = options,
		.examples = "  to-json spans.tskv | jq -c 'select(.dur_ns > 1e6)'\n"
			    "  spans trace.tskv | to-json -f ts,ev,comm,dur_ns >spans.jsonl\n",
	};
	char **files = options_parse(&program, argv), **keys = NULL;
	const struct record *record;
	struct lookup *fields = NULL;
	enum kind *chosen = NULL;
	struct kinds kinds = { 0 };
	struct loss loss = LOSS;
	struct reader *in;
	struct writer *out;
	size_t n = 0;
	int status;

	(void)argc;
	if (list)
		keys = lookup_list(list, &fields, &n);
	chosen = memory_get(n * sizeof *chosen);
	for (size_t i = 0; i < n; i++)
		chosen[i] = kind_of(fields[i].key);
	out = writer_stdout();
	in = reader_open(files, out);
	while ((record = reader_next(in))) {
		bool lost = loss_is(&loss, record);

		writer_bytes(out, "{", 1);
		/* A chosen few fields would tell nothing of a loss. */
		if (keys && !lost)
			put_chosen(out, record, fields, chosen, n);
		else
			put_all(out, record, &kinds);
		writer_bytes(out, "}\n", 2);
	}
	status = reader_close(in) ? EXIT_COMPLETE : EXIT_FAILED;
	writer_close(out);
	if (loss_report(&loss, "the output is", strict) && status == EXIT_COMPLETE)
		status = EXIT_LOSS;
	for (size_t i = 0; i < kinds.room; i++)
		free(kinds.of[i]);
	free(kinds.of);
	free(chosen);
	lookup_list_free(keys, fields, n);
	return status;
}
