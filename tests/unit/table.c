// SPDX-License-Identifier: MIT
/* The hash table against an array: a million insertions, changes and removals of few and many keys. */
#include "base/table.h"
#include "check.h"

enum { KEYS = 4096 };

static struct { bool there; uint32_t value; } model[KEYS];

/* Few bits differ, and they are not the low ones. */
static uint64_t spread(uint64_t key)
{
	return key << 40 | key >> 3;
}

static void check_all(const struct table *table, size_t count)
{
	uint64_t *keys = table_keys(table);
	size_t n = 0;

	CHECK(table_count(table) == count);
	for (uint64_t key = 0; key < KEYS; key++) {
		uint32_t *value = table_find(table, spread(key));

		CHECK((value != NULL) == model[key].there);
		CHECK(!value || *value == model[key].value);
	}
	for (size_t i = 0; i < count; i++) {
		CHECK(i == 0 || keys[i - 1] < keys[i]);
		n += table_find(table, keys[i]) != NULL;
	}
	CHECK(n == count);
	free(keys);
}

int main(void)
{
	struct table *table = table_new(sizeof(uint32_t));
	size_t count = 0;

	for (uint32_t step = 0; step < 1000000; step++) {
		/* It fills for a while and empties for a while, over a range that changes. */
		uint64_t range = step / 50000 % 2 ? 64 : KEYS, key = random_bits() % range;
		bool insert = random_bits() % 100 < (step / 100000 % 2 ? 30 : 70);

		if (insert) {
			uint32_t *value = table_at(table, spread(key));

			CHECK(model[key].there ? *value == model[key].value : *value == 0);
			count += !model[key].there;
			model[key].there = true;
			model[key].value = *value = step + 1;
		} else {
			table_remove(table, spread(key));
			count -= model[key].there;
			model[key].there = false;
		}
		if (step % 9973 == 0)
			check_all(table, count);
	}
	check_all(table, count);
	table_free(table);
	table_free(NULL);
	return 0;
}
