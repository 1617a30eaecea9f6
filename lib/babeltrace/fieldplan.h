/* SPDX-License-Identifier: MIT */
/*
 * What a field of an event class of libbabeltrace2 becomes: which fields of a record, under which keys. A
 * tree, as the class is one, made once, so that an event costs no lookup by name. (pkg-config: babeltrace2)
 */
#ifndef WEIR_FIELDPLAN_H
#define WEIR_FIELDPLAN_H

#include <babeltrace2/babeltrace.h>

#include "base/intern.h"
#include "records/writer.h"
#include "traces/selection.h"

enum field_kind {
	FIELD_BOOLEAN, FIELD_BITS, FIELD_UNSIGNED, FIELD_UNSIGNED_HEX, FIELD_SIGNED, FIELD_SIGNED_HEX,
	FIELD_UNSIGNED_LABEL, FIELD_SIGNED_LABEL, FIELD_SINGLE, FIELD_DOUBLE, FIELD_TEXT, FIELD_STRUCTURE,
	FIELD_ARRAY, FIELD_OPTION, FIELD_VARIANT, FIELD_NOTHING,
};

/* Whether it was selected (selection.h): not at all, maybe parts of it, all of it. */
enum field_wanted { FIELD_NONE, FIELD_SOME, FIELD_ALL };

/* So much is readable behind the beginning of each key, however short: it can be copied at once. */
enum { FIELD_KEY_STRIDE = 32 };

struct fieldplan {
	enum field_kind kind;
	enum field_wanted wanted;
	uint32_t index;		/* among the members of the structure that it is one of */
	int bits;		/* width, where it matters */
	struct key key;		/* ready for the writer */
	struct key length_key;	/* NAME.length */
	struct slice part;	/* the last part of the name: what is added to a path made per event */
	struct fieldplan *child;	/* members; options; the element */
	uint32_t n;
};

/* While the plans of an event's fields are made. */
struct fieldplan_maker {
	const struct selection *selection;
	struct intern *names;	/* taken so far */
	uint32_t fixed;		/* fields of the record so far, at most, besides elements of arrays */
};

/*
 * The plan of a field, called PARENT.NAME or, where that is taken, something like it. It lives as long as the
 * program. Names that are no fields of their own, as those of members, are taken too. O(names below it).
 */
struct fieldplan fieldplan_make(struct fieldplan_maker *maker, const bt_field_class *class,
				struct slice parent, struct slice name);

/* Whether the member NAME is `_NAME_length`, which LTTng puts before the sequence or the text NAME. */
bool fieldplan_is_length(const bt_field_class *structure, const char *name);

#endif
