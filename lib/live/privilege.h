/* SPDX-License-Identifier: MIT */
/* The rights of a collector: what it lacks to begin with, and giving up what it does not need any more. */
#ifndef WEIR_PRIVILEGE_H
#define WEIR_PRIVILEGE_H

#include <stdbool.h>
#include <stdint.h>

/* The bit of a capability of <linux/capability.h>. */
#define PRIVILEGE(capability) (UINT64_C(1) << (capability))

/* Whether the process has all of the capabilities in MASK. */
bool privilege_has(uint64_t mask);

/* Stops using the capabilities in MASK; they can be had back by privilege_keep(). */
void privilege_lower(uint64_t mask);

/*
 * Gives up, for good, every capability that is not in KEEP, and the means to get others by executing
 * something. Ends the program when that fails.
 */
void privilege_keep(uint64_t keep);

#endif
