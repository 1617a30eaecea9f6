// SPDX-License-Identifier: MIT
/* Where the compiler has no libFuzzer: runs the target on each file that is named. */
#include "fuzz.h"

int main(int argc, char **argv)
{
	static uint8_t bytes[1 << 20];

	for (int i = 1; i < argc; i++) {
		FILE *file = fopen(argv[i], "rb");

		CHECK(file);
		LLVMFuzzerTestOneInput(bytes, fread(bytes, 1, sizeof bytes, file));
		fclose(file);
	}
	return 0;
}
