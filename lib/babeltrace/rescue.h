/* SPDX-License-Identifier: MIT */
/*
 * What can be read of a trace that libbabeltrace2 refuses: it refuses all of it for one stream file, and
 * that for one packet. So the trace is opened in parts: its files one by one; of a file that is refused,
 * its packets but the last and the last, which may be cut off; then halves of what is refused still.
 */
#ifndef WEIR_RESCUE_H
#define WEIR_RESCUE_H

#include "babeltrace/crew.h"
#include "babeltrace/salvage.h"

struct rescue {
	struct salvage salvage;
	void **kept;			/* what parts are made of */
	size_t n_kept, kept_room;
	bool incomplete;		/* something could not be read, and that has been said */
};

/*
 * Opens the N TRACES as crew_open() does, in parts where needed: *TRACES (allocated) and *N become the
 * parts that could be opened. False when libbabeltrace2 cannot be used at all.
 */
bool rescue_open(struct rescue *rescue, struct crew *crew, struct trace **traces, size_t *n);

/* Removes the temporary directory, and frees what the parts refer to: their names, too. */
void rescue_end(struct rescue *rescue);

#endif
