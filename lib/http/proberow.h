/* SPDX-License-Identifier: MIT */
/*
 * The rows of attempts (probe-http(1) has their fields). A probe that was never sent, because it was late,
 * has 0 for sent_ns. EPOCH_NS is the time of day at which the probe's clock was 0.
 */
#ifndef WEIR_PROBEROW_H
#define WEIR_PROBEROW_H

#include "http/prober.h"
#include "records/writer.h"

/* ev=http. */
void proberow_put(struct writer *out, int64_t epoch_ns, const struct probe *probe);

/* That of monitor.py: other keys, no ts and no ev, and local time without a zone. */
void proberow_put_monitor(struct writer *out, int64_t epoch_ns, const struct probe *probe);

#endif
