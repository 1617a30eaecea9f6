// SPDX-License-Identifier: MIT
#include "stacks/callstack.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/number.h"
#include "stacks/stack.h"

void callstack_free(struct callstack *c)
{
	lookup_free(&c->first_user);
	lookup_free(&c->first_kernel);
	lookup_free(&c->ustack);
	lookup_free(&c->kstack);
	lookup_free(&c->stack);
	free(c->fields);
}

/* PREFIX.0, PREFIX.1, ... stand side by side. */
static size_t elements(struct callstack *c, const struct record *record, struct lookup *first, uint64_t *to)
{
	int at = lookup_index(first, record->shape);
	size_t prefix = first->key.len - 1, n = 0;

	for (uint32_t i = (uint32_t)at; at >= 0 && i < record->shape->n; i++) {
		struct slice key = record->shape->key[i];

		if (key.len <= prefix || memcmp(key.at, first->key.at, prefix) != 0 ||
		    key.at[prefix] < '0' || key.at[prefix] > '9')
			break;
		if (n == CALLSTACK_MAX) {
			c->truncated = true;
			break;
		}
		/* Some versions of the tracer mark the end by an address of all ones. */
		if (number_bits(record->value[i], &to[n]) && to[n] != UINT64_MAX)
			n++;
	}
	return n;
}

/* `0x...;0x...` from the root on: the leaf is the last. */
static size_t joined(struct callstack *c, const struct record *record, struct lookup *field, uint64_t *to)
{
	const struct slice *value = lookup_value(field, record);
	struct slice rest = value ? *value : (struct slice){ 0 };
	size_t n = 0;

	while (rest.len) {
		const char *before = memrchr(rest.at, ';', rest.len);
		const char *at = before ? before + 1 : rest.at;

		if (n == CALLSTACK_MAX) {
			c->truncated = true;
			break;
		}
		if (number_bits((struct slice){ at, (size_t)(rest.at + rest.len - at) }, &to[n]))
			n++;
		rest.len = before ? (size_t)(before - rest.at) : 0;
	}
	return n;
}

bool callstack_get(struct callstack *c, const struct record *record)
{
	c->truncated = false;
	c->users = elements(c, record, &c->first_user, c->user);
	c->kernels = elements(c, record, &c->first_kernel, c->kernel);
	if (!c->users)
		c->users = joined(c, record, &c->ustack, c->user);
	if (!c->kernels)
		c->kernels = joined(c, record, &c->kstack, c->kernel);
	return c->users || c->kernels;
}

static char *put(char *to, struct slice key, const uint64_t *address, size_t n)
{
	static const char hex[] = "0123456789abcdef";

	if (n == 0)
		return to;
	memcpy(to, key.at, key.len);
	to += key.len;
	for (size_t i = n; i-- > 0;) {
		int digits = address[i] ? 16 - __builtin_clzll(address[i]) / 4 : 1;

		memcpy(to, "0x", 2);
		to += 2;
		while (digits-- > 0)
			*to++ = hex[address[i] >> 4 * digits & 15];
		*to++ = ';';
	}
	return to - 1;
}

struct slice callstack_fields(struct callstack *c, const struct record *record)
{
	const struct slice *stack = lookup_value(&c->stack, record);
	char *to;

	if (stack) {
		c->fields = memory_grow(c->fields, &c->fields_room, stack->len + 8, 1);
		memcpy(c->fields, "\tstack=", 7);
		memcpy(c->fields + 7, stack->at, stack->len);
		return (struct slice){ c->fields, stack->len + 7 };
	}
	if (!callstack_get(c, record))
		return (struct slice){ "", 0 };
	c->fields = memory_grow(c->fields, &c->fields_room, (c->users + c->kernels) * 19 + 32, 1);
	to = put(c->fields, SLICE("\tustack="), c->user, c->users);
	to = put(to, SLICE("\tkstack="), c->kernel, c->kernels);
	return (struct slice){ c->fields, (size_t)(to - c->fields) };
}
