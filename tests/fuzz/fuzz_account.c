/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pairs: mates are each other's, and every byte of both images is in one of the
 * four classes, whatever the images are and analysers claim. Input: where the new
 * image begins (two bytes, little-endian), then both.
 */
#include <stdint.h>

#include "tests/unit/images/pair_rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pair_rig r;
	if (size < 2)
		return 0;
	size_t cut = data[0] | (size_t)data[1] << 8;
	data += 2;
	size -= 2;
	cut = cut < size ? cut : size;
	pair_rig_open(&r, view_of(data, cut), view_of(data + cut, size - cut));
	struct account *a = account_new(r.pair);
	PART_RIG_MUST(a);
	/* Claims at places that the input chooses. */
	for (size_t i = 0; i + 1 < size && i < 64; i += 2) {
		enum pair_side side = data[i] & 1 ? PAIR_NEW : PAIR_OLD;
		uint32_t part = data[i] % parts_count(r.side[side].tree);
		PART_RIG_MUST(account_explained(a, side, part, data[i + 1] * 16u, data[i + 1]) == 0);
	}
	pair_rig_count(&r, a);
	account_free(a);
	pair_rig_close(&r);
	return 0;
}
