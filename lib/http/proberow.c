// SPDX-License-Identifier: MIT
#include "http/proberow.h"

#include <stdio.h>
#include <time.h>

#include "base/number.h"

static uint64_t since(uint64_t later, uint64_t earlier)
{
	return later > earlier ? later - earlier : 0;
}

static void put_phase(struct writer *out, struct key key, int64_t ns)
{
	if (ns >= 0)
		writer_i64(out, key, ns);
}

void proberow_put(struct writer *out, int64_t epoch_ns, const struct probe *p)
{
	bool sent = p->sent_ns != 0;

	writer_begin(out, epoch_ns + (int64_t)p->end_ns, SLICE("http"));
	writer_raw(out, KEY("url"), (struct slice){ p->target->label, p->target->label_len });
	if (sent && p->status)
		writer_u64(out, KEY("status"), p->status);
	writer_u64(out, KEY("ok"), p->failure == FAILURE_NONE);
	if (p->failure)
		writer_raw(out, KEY("error"), slice_of(failure_names[p->failure]));
	writer_i64(out, KEY("intended_ts"), epoch_ns + (int64_t)p->intended_ns);
	writer_u64(out, KEY("wait_ns"), since(sent ? p->sent_ns : p->end_ns, p->intended_ns));
	if (sent) {
		put_phase(out, KEY("dns_ns"), p->dns_ns);
		put_phase(out, KEY("connect_ns"), p->connect_ns);
		put_phase(out, KEY("tls_ns"), p->tls_ns);
		if (p->first_ns)
			writer_u64(out, KEY("ttfb_ns"), since(p->first_ns, p->sent_ns));
		writer_u64(out, KEY("dur_ns"), p->end_ns - p->sent_ns);
		writer_u64(out, KEY("corrected_ns"), since(p->end_ns, p->intended_ns));
		writer_u64(out, KEY("rx_bytes"), p->rx_bytes);
	}
	writer_u64(out, KEY("attempt"), p->attempt);
	if (sent)
		writer_u64(out, KEY("reused"), p->reused);
	if (sent && p->here.port && p->there.port) {
		writer_text(out, KEY("saddr"), slice_of(p->here.address));
		writer_u64(out, KEY("sport"), p->here.port);
		writer_text(out, KEY("daddr"), slice_of(p->there.address));
		writer_u64(out, KEY("dport"), p->there.port);
	}
	writer_end(out);
}

void proberow_put_monitor(struct writer *out, int64_t epoch_ns, const struct probe *p)
{
	int64_t ts = epoch_ns + (int64_t)p->end_ns;
	time_t seconds = (time_t)(ts / 1000000000);
	uint64_t ns = p->end_ns - (p->sent_ns ? p->sent_ns : p->intended_ns);
	char text[64], *end = text;
	struct tm local;
	bool whole = true;

	localtime_r(&seconds, &local);
	end += strftime(text, sizeof text, "timestamp=%Y-%m-%dT%H:%M:%S", &local);
	end += snprintf(end, sizeof text - (size_t)(end - text), ".%06d", (int)(ts % 1000000000 / 1000));
	writer_bytes(out, text, (size_t)(end - text));
	end = text + number_put_real(text, (double)ns / 1e6);
	for (const char *c = text; c < end; c++)
		whole &= *c != '.' && *c != 'e';
	if (whole)
		end = stpcpy(end, ".0");	/* as Python writes a float */
	writer_raw(out, KEY("latency_ms"), (struct slice){ text, (size_t)(end - text) });
	writer_raw(out, KEY("success"), p->failure ? SLICE("False") : SLICE("True"));
	if (p->status)
		writer_u64(out, KEY("status_code"), p->status);
	writer_end(out);
}
