// SPDX-License-Identifier: MIT
/* Emits weir_test:every, once for each value of the enumeration's cases. */
#define LTTNG_UST_TRACEPOINT_CREATE_PROBES
#define LTTNG_UST_TRACEPOINT_DEFINE
#include "events.h"

int main(void)
{
	static const int numbers[] = { -1, 1, 6, 42 };

	for (int i = 0; i < 4; i++)
		lttng_ust_tracepoint(weir_test, every, numbers[i], 18446744073709551615ull - (unsigned)i, 0.1 * i,
				     1.5f, "a\tb\\\033[31m", (unsigned)i);
	return 0;
}
