/* SPDX-License-Identifier: MIT */
/* The URLs that are asked for. pkg-config: libcurl */
#ifndef WEIR_TARGET_H
#define WEIR_TARGET_H

#include "base/slice.h"

struct target {
	void *url;			/* libcurl's */
	unsigned scope;			/* of a link-local address: the interface; 0: none is named */
	bool plain;			/* http://, not https:// */
	char *label;			/* as records have it: without user and password, escaped */
	size_t label_len;
};

/*
 * Understands TEXT, http or https; without a scheme it is http. NULL, or what is wrong with it, for a
 * message. target_free() frees it in both cases.
 */
const char *target_open(struct target *target, const char *text);
void target_free(struct target *target);

#endif
