/* SPDX-License-Identifier: MIT */
/* What an input is that is neither records nor babeltrace's text, by its first bytes, and what reads it. */
#ifndef WEIR_OTHERFILE_H
#define WEIR_OTHERFILE_H

#include "base/slice.h"

/* For `cannot read FILE: it is ...`; NULL: nothing that is known here. An archive shows in its first 262 bytes. */
const char *otherfile(struct slice first_bytes);

#endif
