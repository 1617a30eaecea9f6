/* SPDX-License-Identifier: MIT */
/* Tracepoints: one with every type of field that LTTng-UST has; one to count by, of any size. */
#undef LTTNG_UST_TRACEPOINT_PROVIDER
#define LTTNG_UST_TRACEPOINT_PROVIDER weir_test
#undef LTTNG_UST_TRACEPOINT_INCLUDE
#define LTTNG_UST_TRACEPOINT_INCLUDE "./events.h"
#if !defined(WEIR_TEST_EVENTS_H) || defined(LTTNG_UST_TRACEPOINT_HEADER_MULTI_READ)
#define WEIR_TEST_EVENTS_H
#include <lttng/tracepoint.h>

LTTNG_UST_TRACEPOINT_ENUM(weir_test, color,
	LTTNG_UST_TP_ENUM_VALUES(
		lttng_ust_field_enum_value("red", 1)
		lttng_ust_field_enum_value("crimson", 1)
		lttng_ust_field_enum_range("blue", 5, 7)
	)
)

LTTNG_UST_TRACEPOINT_EVENT(weir_test, every,
	LTTNG_UST_TP_ARGS(int, i, unsigned long long, u, double, d, float, f, const char *, s, unsigned, n),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer(int, number, i)
		lttng_ust_field_integer(unsigned long long, whole, u)
		lttng_ust_field_integer_hex(unsigned int, mask, (unsigned)i)
		lttng_ust_field_integer_hex(signed char, small_mask, (signed char)i)
		lttng_ust_field_integer_network(short, port, 0x5000)
		lttng_ust_field_float(double, real, d)
		lttng_ust_field_float(float, half, f)
		lttng_ust_field_string(text, s)
		lttng_ust_field_string(none, "")
		lttng_ust_field_array(int, pair, ((int[]){ i, -i }), 2)
		lttng_ust_field_array_text(char, letters, "abc\0de", 6)
		lttng_ust_field_sequence(unsigned char, bytes, (unsigned char *)"\1\2\377", unsigned, n)
		lttng_ust_field_sequence_text(char, words, "to\tbe", unsigned, n)
		lttng_ust_field_enum(weir_test, color, int, paint, i)
		lttng_ust_field_integer(int, pid, 77)
		lttng_ust_field_integer(int, vtid, 88)
		lttng_ust_field_integer(int, cpu, 99)
	)
)

LTTNG_UST_TRACEPOINT_EVENT(weir_test, step,
	LTTNG_UST_TP_ARGS(unsigned, number, const char *, filling, size_t, bytes),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer(unsigned, number, number)
		lttng_ust_field_sequence_text(char, filling, filling, size_t, bytes)
	)
)
#endif
#include <lttng/tracepoint-event.h>
