/* SPDX-License-Identifier: Apache-2.0 */
/* Single compressed streams, of the kind that the first bytes say; what has no magic is read as lzma. */
#include "fuzz/walk_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct {
		enum format_id format;
		uint8_t first;
	} kinds[] = { { FORMAT_GZIP, 0x1f }, { FORMAT_XZ, 0xfd }, { FORMAT_ZSTD, 0x28 }, { FORMAT_BZIP2, 'B' } };
	enum format_id format = FORMAT_LZMA;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds && size > 0; i++)
		if (kinds[i].first == data[0])
			format = kinds[i].format;
	walk_fuzz(format, data, size);
	return 0;
}
