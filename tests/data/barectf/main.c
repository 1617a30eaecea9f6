// SPDX-License-Identifier: MIT
/*
 * main N PACKET FILE: writes N events with the tracer that barectf has made to FILE, in packets of PACKET bytes,
 * and their records to stdout; to stderr, how many were discarded. With -DPLAIN, only those of one kind.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "barectf.h"

struct backend {
	FILE *file;
	struct barectf_main_ctx tracer;
	uint8_t packet[65536];
	size_t size;
	uint64_t now;		/* microseconds */
	unsigned wait;		/* events for which there is no room */
};

static CLOCK get_clock(void *data)
{
	const struct backend *b = data;

	return (CLOCK)b->now;
}

static int is_full(void *data)
{
	struct backend *b = data;

	return b->wait > 0;
}

static void open_packet(void *data)
{
	struct backend *b = data;

	barectf_main_open_packet(&b->tracer CPU);
}

static void close_packet(void *data)
{
	struct backend *b = data;

	barectf_main_close_packet(&b->tracer);
	fwrite(barectf_packet_buf(&b->tracer), b->size, 1, b->file);
}

static uint32_t discarded(struct backend *b)
{
	return barectf_discarded_event_records_count(&b->tracer);
}

static void begin(const struct backend *b, const char *name)
{
	unsigned long long ts = 1795000000000000000ull + b->now * 1000;

	printf("ts=%llu\tev=%s%s", ts, name, CPU_FIELD);
}

static void plain(struct backend *b, unsigned i)
{
	uint64_t wide = (uint64_t)i * 0x10001000;
	uint32_t before = discarded(b);
	char text[40];

	snprintf(text, sizeof text, "%.*s", (int)(i % 30), "what a device may have to say.");
	barectf_trace_plain(&b->tracer, (uint8_t)(i % 8), (int16_t)(i % 8000 - 4000), wide, i / 4.0, text);
	if (discarded(b) != before)
		return;
	begin(b, "plain");
	printf("\tsmall=%u\todd=%d\twide=0x%llx\treal=%.15g\ttext=%s\n", i % 8, (int)(i % 8000) - 4000,
	       (unsigned long long)wide, i / 4.0, text);
}

#ifndef PLAIN
static void many(struct backend *b, unsigned i)
{
	const char *const colors[] = { "0", "red", "blue", "3", "blue" };
	int16_t fixed[3] = { (int16_t)(i % 1000), (int16_t) - (int)(i % 1000), -1024 };
	uint16_t list[4] = { 1, 22, 333, (uint16_t)i };
	uint32_t before = discarded(b);

	barectf_trace_many(&b->tracer, (uint8_t)i, (uint8_t)(i % 5), fixed, i % 5, list);
	if (discarded(b) != before)
		return;
	begin(b, "many");
	printf("\tdepth=%u\tcolor=%s\tfixed.0=%d\tfixed.1=%d\tfixed.2=-1024\t_list_len=%u", i & 255, colors[i % 5],
	       fixed[0], fixed[1], i % 5);
	for (unsigned k = 0; k < i % 5; k++)
		printf("\tlist.%u=%u", k, list[k]);
	printf("%s\n", i % 5 ? "" : "\tlist=");
}
#endif

int main(int argc, char **argv)
{
	static struct backend b;
	const struct barectf_platform_callbacks calls = {
		.tick_clock_get_value = get_clock, .is_backend_full = is_full, .open_packet = open_packet,
		.close_packet = close_packet,
	};

	if (argc != 4 || !(b.file = fopen(argv[3], "wb")))
		return 2;
	b.size = (size_t)atol(argv[2]);
	b.now = 1000;
	barectf_init(&b.tracer, b.packet, (uint32_t)b.size, calls, &b);
	open_packet(&b);
	for (unsigned i = 0; i < (unsigned)atoi(argv[1]); i++) {
		b.now += i * 7 % 250;
		if (i % 300 == 299)
			b.wait = 20;
		b.wait -= b.wait > 0;
#ifndef PLAIN
		if (i % 3 == 2)
			many(&b, i);
		else
#endif
			plain(&b, i);
	}
	b.wait = 0;
	if (barectf_packet_is_open(&b.tracer) && !barectf_packet_is_empty(&b.tracer))
		close_packet(&b);
	fprintf(stderr, "%u\n", discarded(&b));
	return fclose(b.file) != 0;
}
