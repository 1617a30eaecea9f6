/* SPDX-License-Identifier: MIT */
/* Why a request failed: the values of the field `error` of ev=http records (probe-http(1) tells of each). */
#ifndef WEIR_FAILURE_H
#define WEIR_FAILURE_H

enum failure {
	FAILURE_NONE,
	FAILURE_DNS, FAILURE_REFUSED, FAILURE_CONNECT, FAILURE_PROXY, FAILURE_TLS, FAILURE_TIMEOUT,
	FAILURE_RESET, FAILURE_CLOSED, FAILURE_PROTOCOL, FAILURE_STATUS, FAILURE_LATE, FAILURE_STOPPED,
	FAILURE_OTHER,
	FAILURES,
};

/* The word for it: `dns`. "" for FAILURE_NONE. */
extern const char *const failure_names[FAILURES];

#endif
