// SPDX-License-Identifier: MIT
#include "base/label.h"

void label_set(struct label *label, struct slice text)
{
	size_t len = 0;

	while (len < text.len) {
		bool escape = text.at[len] == '\\' && len + 1 < text.len;
		size_t unit = !escape ? 1 : text.at[len + 1] == 'x' ? 4 : 2;

		if (len + unit > LABEL_BYTES || len + unit > text.len)
			break;
		len += unit;
	}
	memcpy(label->at, text.at, len);
	label->len = (unsigned char)len;
}
