// SPDX-License-Identifier: MIT
#include "stats/distinct.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/order.h"

static void insert(struct distinct *d, uint64_t hash)
{
	size_t at = (size_t)hash & (d->slots - 1);

	while (d->slot[at] && d->slot[at] != hash)
		at = (at + 1) & (d->slots - 1);
	d->n += d->slot[at] == 0;
	d->slot[at] = hash;
}

/* Starts anew with SLOTS slots and those of the OLD hashes that are still taken. */
static void rebuild(struct distinct *d, size_t slots)
{
	uint64_t *old = d->slot;
	size_t old_slots = d->slots;

	d->slot = memory_zeroed(slots * sizeof *d->slot);
	d->slots = slots;
	d->n = 0;
	for (size_t i = 0; i < old_slots; i++)
		if (old[i] && (d->below == 0 || old[i] < d->below))
			insert(d, old[i]);
	free(old);
}

/* Keeps the DISTINCT_EXACT smallest hashes. */
static void prune(struct distinct *d)
{
	const size_t last = DISTINCT_EXACT - 1;
	int64_t *hashes = memory_get(d->n * sizeof *hashes);
	size_t n = 0;

	for (size_t i = 0; i < d->slots; i++)
		if (d->slot[i])
			hashes[n++] = (int64_t)(d->slot[i] ^ 1ull << 63);
	order_select(hashes, n, &last, 1);
	d->below = ((uint64_t)hashes[last] ^ 1ull << 63) + 1;
	free(hashes);
	rebuild(d, d->slots);
}

void distinct_add(struct distinct *d, uint64_t hash)
{
	hash += hash == 0;
	if (d->below && hash >= d->below)
		return;
	if (d->n * 2 >= d->slots)
		rebuild(d, d->slots ? d->slots * 2 : 8);
	insert(d, hash);
	if (d->n >= 2 * DISTINCT_EXACT)
		prune(d);
}

uint64_t distinct_count(struct distinct *d, bool *estimated)
{
	uint64_t largest;

	if (d->n > DISTINCT_EXACT)
		prune(d);
	*estimated = d->below != 0;
	if (!*estimated)
		return d->n;
	largest = d->below - 1;
	return (uint64_t)((((unsigned __int128)(DISTINCT_EXACT - 1) << 64) + largest / 2) / largest);
}

void distinct_free(struct distinct *d)
{
	free(d->slot);
	*d = (struct distinct){ 0 };
}
