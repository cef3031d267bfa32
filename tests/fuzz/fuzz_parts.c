/* SPDX-License-Identifier: Apache-2.0 */
/* Scanner and openers: a tree comes out of whatever bytes, no byte of a part is nobody's, and twice it is the same tree. */
#include <stdint.h>

#include "tests/unit/images/part_rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct part_rig a, b;
	part_rig_open(&a, view_of(data, size));
	part_rig_open(&b, view_of(data, size));
	PART_RIG_MUST(parts_count(a.tree) == parts_count(b.tree));
	for (uint32_t i = 0; i < parts_count(a.tree); i++) {
		const struct part *x = parts_get(a.tree, i), *y = parts_get(b.tree, i);
		PART_RIG_MUST(strcmp(x->name, y->name) == 0 && x->look == y->look && x->kind == y->kind);
		PART_RIG_MUST(memcmp(x->sha256, y->sha256, sizeof x->sha256) == 0);
	}
	part_rig_close(&a);
	part_rig_close(&b);
	return 0;
}
