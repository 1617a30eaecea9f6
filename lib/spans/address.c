// SPDX-License-Identifier: MIT
#include "spans/address.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "base/number.h"

/* Linux's numbers, whatever the host's headers call them. */
enum {
	UNIX = 1, INET = 2, INET6 = 10, NETLINK = 16, PACKET = 17, ALG = 38, VSOCK = 40, XDP = 44,
	SCTP = 132, UDPLITE = 136, MPTCP = 262,
};

static const char *const v4_keys[] = { "v4addr.0", "v4addr.1", "v4addr.2", "v4addr.3" };
static const char *const v6_keys[] = {
	"v6addr.0", "v6addr.1", "v6addr.2", "v6addr.3", "v6addr.4", "v6addr.5", "v6addr.6", "v6addr.7",
	"v6addr.8", "v6addr.9", "v6addr.10", "v6addr.11", "v6addr.12", "v6addr.13", "v6addr.14", "v6addr.15",
};

void address_fields_init(struct address_fields *fields)
{
	*fields = (struct address_fields){ 0 };
	for (size_t i = 0; i < 4; i++)
		fields->v4[i].key = slice_of(v4_keys[i]);
	for (size_t i = 0; i < 16; i++)
		fields->v6[i].key = slice_of(v6_keys[i]);
}

void address_keys(void add(const char *key, void *data), void *data)
{
	for (size_t i = 0; i < 4; i++)
		add(v4_keys[i], data);
	for (size_t i = 0; i < 16; i++)
		add(v6_keys[i], data);
}

void address_fields_free(struct address_fields *fields)
{
	for (size_t i = 0; i < 4; i++)
		lookup_free(&fields->v4[i]);
	for (size_t i = 0; i < 16; i++)
		lookup_free(&fields->v6[i]);
}

bool address_is_known(int64_t family)
{
	return family == UNIX || family == INET || family == INET6;
}

/* How many of the N fields are there; their values to VALUE. */
static size_t read_all(struct lookup *lookups, size_t n, const struct record *record, uint64_t *value)
{
	for (size_t i = 0; i < n; i++) {
		const struct slice *at = lookup_value(&lookups[i], record);

		if (!at || !number_bits(*at, &value[i]))
			return i;
	}
	return n;
}

void address_read(struct address *address, struct address_fields *fields, const struct record *record,
		  int64_t port)
{
	uint64_t part[16];
	size_t n;

	if (port < 0 || port > UINT16_MAX)
		return;
	address->port = (uint16_t)port;
	if (address->family == INET) {
		n = read_all(fields->v4, 4, record, part);
		address->has_host = n == 4;
		for (size_t i = 0; i < n; i++)
			address->host[i] = (unsigned char)part[i];
	} else if (address->family == INET6) {
		n = read_all(fields->v6, 16, record, part);
		address->has_host = n == 8 || n == 16;
		for (size_t i = 0; i < n && n == 16; i++)
			address->host[i] = (unsigned char)part[i];
		for (size_t i = 0; i < n && n == 8; i++) {
			address->host[2 * i] = (unsigned char)(part[i] >> 8);
			address->host[2 * i + 1] = (unsigned char)part[i];
		}
	}
}

static const char *kind(const struct address *address)
{
	switch (address->family) {
	case UNIX: return "unix";
	case NETLINK: return "netlink";
	case PACKET: return "packet";
	case ALG: return "alg";
	case VSOCK: return "vsock";
	case XDP: return "xdp";
	case INET:
	case INET6: break;
	default: return "socket";
	}
	switch (address->type) {
	case ADDRESS_STREAM:
		return address->protocol == SCTP ? "sctp" : address->protocol == MPTCP ? "mptcp" : "tcp";
	case ADDRESS_DATAGRAM: return address->protocol == UDPLITE ? "udplite" : "udp";
	case ADDRESS_RAW: return "raw";
	case ADDRESS_SEQPACKET: return "sctp";
	default: return "inet";
	}
}

struct slice address_text(const struct address *address, char *to)
{
	char host[INET6_ADDRSTRLEN] = "";
	int len;

	if (!address->has_host)
		len = snprintf(to, ADDRESS_TEXT, "%s:", kind(address));
	else if (address->family == INET)
		len = snprintf(to, ADDRESS_TEXT, "%s:%u.%u.%u.%u:%u", kind(address), address->host[0],
			       address->host[1], address->host[2], address->host[3], address->port);
	else
		len = snprintf(to, ADDRESS_TEXT, "%s:[%s]:%u", kind(address),
			       inet_ntop(AF_INET6, address->host, host, sizeof host), address->port);
	return (struct slice){ to, (size_t)len };
}
