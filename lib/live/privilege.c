// SPDX-License-Identifier: MIT
#include "live/privilege.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/message.h"

static struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };

static void get(struct __user_cap_data_struct data[2])
{
	if (syscall(SYS_capget, &header, data))
		message_die("cannot tell the process' rights: %s", strerror(errno));
}

static void set(const struct __user_cap_data_struct data[2])
{
	if (syscall(SYS_capset, &header, data))
		message_die("cannot give up rights: %s", strerror(errno));
}

bool privilege_has(uint64_t mask)
{
	struct __user_cap_data_struct data[2];

	get(data);
	return (((uint64_t)data[1].effective << 32 | data[0].effective) & mask) == mask;
}

void privilege_lower(uint64_t mask)
{
	struct __user_cap_data_struct data[2];

	get(data);
	for (int i = 0; i < 2; i++)
		data[i].effective &= ~(uint32_t)(mask >> (32 * i));
	set(data);
}

void privilege_keep(uint64_t keep)
{
	struct __user_cap_data_struct data[2];

	get(data);
	for (int i = 0; i < 2; i++) {
		uint32_t kept = (uint32_t)(keep >> (32 * i)) & data[i].permitted;

		data[i] = (struct __user_cap_data_struct){ .effective = kept, .permitted = kept };
	}
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		message_die("cannot give up rights: %s", strerror(errno));
	set(data);
}
