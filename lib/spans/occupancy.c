// SPDX-License-Identifier: MIT
#include "spans/occupancy.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/table.h"

struct held {
	int64_t begin, end;
	uint32_t who;
	bool then_idle;
};

/* A ring: the slice number i, counted from the oldest, is at (first + i) & (room - 1). */
struct cpu {
	struct held *at;
	size_t room, first, n;
};

struct occupancy {
	struct table *cpus;	/* struct cpu by number */
};

struct occupancy *occupancy_new(void)
{
	struct occupancy *o = memory_zeroed(sizeof *o);

	o->cpus = table_new(sizeof(struct cpu));
	return o;
}

void occupancy_free(struct occupancy *o)
{
	uint64_t *keys = table_keys(o->cpus);

	for (size_t i = 0; i < table_count(o->cpus); i++)
		free(((struct cpu *)table_find(o->cpus, keys[i]))->at);
	free(keys);
	table_free(o->cpus);
	free(o);
}

static struct held *held(const struct cpu *cpu, size_t i)
{
	return &cpu->at[(cpu->first + i) & (cpu->room - 1)];
}

static void make_room(struct cpu *cpu)
{
	size_t room = cpu->room ? cpu->room * 2 : 64;
	struct held *at;

	if (cpu->n < cpu->room)
		return;
	if (cpu->room == OCCUPANCY_SLICES) {
		cpu->first = (cpu->first + 1) & (cpu->room - 1);
		cpu->n--;
		return;
	}
	at = memory_get(room * sizeof *at);
	for (size_t i = 0; i < cpu->n; i++)
		at[i] = *held(cpu, i);
	free(cpu->at);
	*cpu = (struct cpu){ .at = at, .room = room, .n = cpu->n };
}

void occupancy_add(struct occupancy *o, uint64_t number, int64_t begin, int64_t end, uint32_t who,
		   bool then_idle)
{
	struct cpu *cpu = table_find(o->cpus, number);
	size_t i;

	if (!cpu && table_count(o->cpus) == OCCUPANCY_CPUS)
		return;
	if (!cpu)
		cpu = table_at(o->cpus, number);
	make_room(cpu);
	for (i = cpu->n++; i > 0 && held(cpu, i - 1)->end > end; i--)
		*held(cpu, i) = *held(cpu, i - 1);
	*held(cpu, i) = (struct held){ begin, end, who, then_idle };
}

void occupancy_gap(struct occupancy *o)
{
	uint64_t *keys = table_keys(o->cpus);

	for (size_t i = 0; i < table_count(o->cpus); i++) {
		struct cpu *cpu = table_find(o->cpus, keys[i]);

		held(cpu, cpu->n - 1)->then_idle = false;
	}
	free(keys);
}

size_t occupancy_cpus(const struct occupancy *o)
{
	return table_count(o->cpus);
}

/* The first slice that ended after TS; cpu->n: none did. */
static size_t first_after(const struct cpu *cpu, int64_t ts)
{
	size_t low = 0, high = cpu->n;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (held(cpu, middle)->end > ts)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

void occupancy_split(const struct occupancy *o, uint64_t number, int64_t begin, int64_t end,
		     void (*part)(void *context, uint32_t who, uint64_t ns), void *context)
{
	const struct cpu *cpu = table_find(o->cpus, number);
	size_t i = cpu ? first_after(cpu, begin) : 0;
	bool idle = cpu && i > 0 && held(cpu, i - 1)->then_idle;

	for (; cpu && i < cpu->n && begin < end; i++) {
		const struct held *next = held(cpu, i);
		int64_t from = next->begin < end ? next->begin : end, to = next->end < end ? next->end : end;

		if (from > begin) {
			part(context, idle ? OCCUPANCY_IDLE : OCCUPANCY_UNKNOWN, (uint64_t)(from - begin));
			begin = from;
		}
		if (to > begin) {
			part(context, next->who, (uint64_t)(to - begin));
			begin = to;
		}
		idle = next->then_idle;
	}
	if (begin < end)
		part(context, idle ? OCCUPANCY_IDLE : OCCUPANCY_UNKNOWN, (uint64_t)(end - begin));
}
