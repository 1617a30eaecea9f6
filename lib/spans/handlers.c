// SPDX-License-Identifier: MIT
#include "spans/handlers.h"

bool handlers_begin(struct handlers *handlers, bool soft, int64_t number, int64_t ts, struct slice name)
{
	struct handler *handler = &handlers->at[handlers->n];

	if (handlers->n == HANDLERS_MAX)
		return false;
	handlers->n++;
	handler->soft = soft;
	handler->number = number;
	handler->since = ts;
	label_set(&handler->name, name);
	return true;
}

bool handlers_end(struct handlers *handlers, bool soft, int64_t number, struct handler *ended,
		  uint64_t *dropped)
{
	for (unsigned i = handlers->n; i-- > 0;) {
		if (handlers->at[i].soft != soft || handlers->at[i].number != number)
			continue;
		*ended = handlers->at[i];
		*dropped += handlers->n - i - 1;
		handlers->n = i;
		return true;
	}
	return false;
}
