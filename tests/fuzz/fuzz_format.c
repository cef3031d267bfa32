/* SPDX-License-Identifier: Apache-2.0 */
/* Format recognition: always an answer, always the same one, never two of one kind. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "images/format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct source s;
	struct format_result a, b;
	memset(&a, 0, sizeof a);
	memset(&b, 0, sizeof b);
	source_memory(&s, view_of(data, size));
	if (format_recognise(&s, &a) || format_recognise(&s, &b) || memcmp(&a, &b, sizeof a) != 0)
		abort();
	if (format_kind(a.format) == FORMAT_KIND_NONE || a.also_n > FORMAT_ALSO_MAX)
		abort();
	for (unsigned i = 0; i < a.also_n; i++)
		if (a.also[i] == a.format)
			abort();
	return 0;
}
