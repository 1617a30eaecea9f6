// SPDX-License-Identifier: MIT
#include "http/failure.h"

const char *const failure_names[FAILURES] = {
	"", "dns", "refused", "connect", "proxy", "tls", "timeout", "reset", "closed", "protocol", "status",
	"late", "stopped", "other",
};
