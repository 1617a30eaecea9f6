/* SPDX-License-Identifier: MIT */
/*
 * What a stream of records holds: for each ev how many there are, and which fields they have.
 *
 *	ev=sched_switch	count=4711	fields=cpu,pid,tid,comm,prev_comm,...
 *
 * Elements of arrays are one field, `addr.N`. A process of its own reads the records.
 */
#ifndef WEIR_LISTING_H
#define WEIR_LISTING_H

#include "records/writer.h"

struct listing;

/* A writer for the records; the listing goes to stdout once that is closed. */
struct writer *listing_open(struct listing **listing);

/* Waits for the listing to be written. False: it was not, and that has been reported. */
bool listing_close(struct listing *listing);

#endif
