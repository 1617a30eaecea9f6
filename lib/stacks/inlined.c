// SPDX-License-Identifier: MIT
// pkg-config: libdw libelf
#include "stacks/inlined.h"

#include <dwarf.h>
#include <stdlib.h>

#include "base/memory.h"

/* Code of a unit, or of a function. */
struct range {
	uint64_t start, end;
	size_t of;		/* unit: its index; function: the offset of its entry */
};

struct ranges {
	struct range *at;
	size_t n, room;
};

struct unit {
	Dwarf_Die die;
	uint64_t bias;
	bool walked;
	struct ranges functions;
};

struct inlined {
	struct unit *units;
	size_t n, room;
	struct ranges ranges;
};

static int compare(const void *left, const void *right)
{
	const struct range *a = left, *b = right;

	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	return (a->of > b->of) - (a->of < b->of);
}

static void sort(struct ranges *ranges)
{
	if (ranges->n)
		qsort(ranges->at, ranges->n, sizeof *ranges->at, compare);
}

static void add(struct ranges *ranges, Dwarf_Die *die, size_t of)
{
	Dwarf_Addr base, start, end;
	ptrdiff_t at = 0;

	/* Code that the linker threw away begins at 0. */
	while ((at = dwarf_ranges(die, at, &base, &start, &end)) > 0) {
		if (start == 0 || start >= end)
			continue;
		ranges->at = memory_grow(ranges->at, &ranges->room, ranges->n + 1, sizeof *ranges->at);
		ranges->at[ranges->n++] = (struct range){ start, end, of };
	}
}

static const struct range *find(const struct ranges *ranges, uint64_t address)
{
	size_t low = 0, high = ranges->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (ranges->at[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low && address < ranges->at[low - 1].end ? &ranges->at[low - 1] : NULL;
}

struct inlined *inlined_new(Dwfl_Module *module)
{
	struct inlined *inlined;
	Dwarf_Addr bias;
	Dwarf_Die *die = NULL;

	if (!dwfl_module_getdwarf(module, &bias))
		return NULL;
	inlined = memory_zeroed(sizeof *inlined);
	while ((die = dwfl_module_nextcu(module, die, &bias))) {
		inlined->units = memory_grow(inlined->units, &inlined->room, inlined->n + 1,
					     sizeof *inlined->units);
		inlined->units[inlined->n] = (struct unit){ .die = *die, .bias = bias };
		add(&inlined->ranges, die, inlined->n++);
	}
	sort(&inlined->ranges);
	return inlined;
}

void inlined_free(struct inlined *inlined)
{
	if (!inlined)
		return;
	for (size_t i = 0; i < inlined->n; i++)
		free(inlined->units[i].functions.at);
	free(inlined->units);
	free(inlined->ranges.at);
	free(inlined);
}

/* Entries in which functions are defined. */
static bool is_scope(int tag)
{
	return tag == DW_TAG_namespace || tag == DW_TAG_module || tag == DW_TAG_structure_type ||
	       tag == DW_TAG_class_type || tag == DW_TAG_union_type || tag == DW_TAG_enumeration_type;
}

static void walk(struct unit *unit)
{
	enum { DEPTH = 64 };
	Dwarf_Die at[DEPTH];
	size_t depth = 0, left = INLINED_WALK;
	bool more = dwarf_child(&unit->die, &at[0]) == 0;

	unit->walked = true;
	while (more && left--) {
		int tag = dwarf_tag(&at[depth]);

		if (tag == DW_TAG_subprogram)
			add(&unit->functions, &at[depth], dwarf_dieoffset(&at[depth]));
		if (depth + 1 < DEPTH && is_scope(tag) && dwarf_child(&at[depth], &at[depth + 1]) == 0) {
			depth++;
			continue;
		}
		while (dwarf_siblingof(&at[depth], &at[depth]) != 0 && (more = depth > 0))
			depth--;
	}
	sort(&unit->functions);
}

static const char *name(Dwarf_Die *die)
{
	Dwarf_Attribute attribute;
	const char *text = dwarf_formstring(dwarf_attr_integrate(die, DW_AT_linkage_name, &attribute));

	if (!text)
		text = dwarf_formstring(dwarf_attr_integrate(die, DW_AT_MIPS_linkage_name, &attribute));
	if (!text)
		text = dwarf_diename(die);
	return text ? text : "?";
}

/* The next scope in DIE that ADDRESS lies in; false: there is none. */
static bool descend(Dwarf_Die *die, uint64_t address, size_t *left)
{
	Dwarf_Die child;

	for (int end = dwarf_child(die, &child); end == 0 && *left; end = dwarf_siblingof(&child, &child)) {
		int tag = dwarf_tag(&child);

		--*left;
		if ((tag == DW_TAG_inlined_subroutine || tag == DW_TAG_lexical_block ||
		     tag == DW_TAG_subprogram || tag == DW_TAG_try_block || tag == DW_TAG_catch_block) &&
		    dwarf_haspc(&child, address) > 0) {
			*die = child;
			return true;
		}
	}
	return false;
}

size_t inlined_find(struct inlined *inlined, uint64_t address, const char *names[], size_t max)
{
	const struct range *range;
	size_t n = 0, left = INLINED_WALK;
	struct unit *unit;
	Dwarf_Die die;

	if (!inlined || !inlined->n)
		return 0;
	/* All units of a file have the same bias. */
	address -= inlined->units[0].bias;
	range = find(&inlined->ranges, address);
	if (!range)
		return 0;
	unit = &inlined->units[range->of];
	if (!unit->walked)
		walk(unit);
	range = find(&unit->functions, address);
	if (!range || !dwarf_offdie(dwarf_cu_getdwarf(unit->die.cu), range->of, &die))
		return 0;
	names[n++] = name(&die);
	while (n < max && descend(&die, address, &left))
		if (dwarf_tag(&die) == DW_TAG_inlined_subroutine || dwarf_tag(&die) == DW_TAG_subprogram)
			names[n++] = name(&die);
	return n;
}
