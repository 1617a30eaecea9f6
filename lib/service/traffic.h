/* SPDX-License-Identifier: MIT */
/*
 * What a service has done, counted, as text for Prometheus (exposition format 0.0.4).
 *
 * Counting takes some tens of nanoseconds and no lock; any thread may count. The pages' paths are the
 * caller's own list, so no request can make a new series.
 */
#ifndef WEIR_SERVICE_TRAFFIC_H
#define WEIR_SERVICE_TRAFFIC_H

#include <stdio.h>

#include "base/slice.h"

struct traffic;

/* PATHS: PAGES names, kept, without characters that a label must escape. */
struct traffic *traffic_new(const char *const *paths, size_t pages);
void traffic_free(struct traffic *traffic);

/* A request begins; ends with STATUS (100 to 599) after DUR_NS. */
void traffic_begin(struct traffic *traffic);
void traffic_end(struct traffic *traffic, size_t page, unsigned status, uint64_t dur_ns);

/* An attempt to ask the upstream: the status that came, or 0. RETRY: it is not the first of its call. */
void traffic_upstream(struct traffic *traffic, long status, bool retry);

/* Something could not be stored. */
void traffic_not_stored(struct traffic *traffic);

/* Requests that have begun and not ended; that have ended; of those, with a status of 500 or more. */
uint64_t traffic_in_flight(const struct traffic *traffic);
uint64_t traffic_ended(const struct traffic *traffic);
uint64_t traffic_failed(const struct traffic *traffic);

void traffic_write(const struct traffic *traffic, FILE *out);

#endif
