/* SPDX-License-Identifier: MIT */
/* Socket addresses as text: `tcp:1.2.3.4:80`, `udp:[::1]:53`, `unix:`; what is not known is left out. */
#ifndef WEIR_ADDRESS_H
#define WEIR_ADDRESS_H

#include "records/reader.h"

enum {
	ADDRESS_TEXT = 80,	/* bytes of the longest */
	ADDRESS_STREAM = 1, ADDRESS_DATAGRAM, ADDRESS_RAW, ADDRESS_SEQPACKET = 5,	/* types of sockets */
};

struct address {
	int32_t family, type, protocol;		/* as socket(2) has them on most machines; -1: not known */
	bool has_host;
	uint16_t port;
	unsigned char host[16];			/* 4 bytes of IPv4, 16 of IPv6, in the order of the net */
};

/* Where records have addresses: v4addr.0 to .3, v6addr.0 to .7 (16 bits each) or .15. */
struct address_fields {
	struct lookup v4[4], v6[16];
};
void address_fields_init(struct address_fields *fields);
void address_fields_free(struct address_fields *fields);

/* Tells the keys that it looks up, each by a call of ADD. */
void address_keys(void add(const char *key, void *data), void *data);

/* Takes host and PORT (below 0: not known) of ADDRESS's family, where the record has both. */
void address_read(struct address *address, struct address_fields *fields, const struct record *record,
		  int64_t port);

/* Unix, IPv4 or IPv6. */
bool address_is_known(int64_t family);

/* Writes the text TO at least ADDRESS_TEXT bytes. */
struct slice address_text(const struct address *address, char *to);

#endif
