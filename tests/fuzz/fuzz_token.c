/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a leaf. What holds: tokens are bounded and lie where they say, no text
 * is cut into tokens twice differently (a leaf against itself has no difference), and
 * the page takes whatever comes.
 */
#include <stdint.h>
#include <stdlib.h>

#include "images/token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct source s, half;
	struct token_set *old = token_set_new(NULL, NULL), *same = old ? token_set_new(old, NULL) : NULL;
	struct token_set *less = token_set_new(NULL, NULL), *new = less ? token_set_new(less, NULL) : NULL;
	struct page *page = page_new();
	source_memory(&s, view_of(data, size));
	source_memory(&half, view_of(data, size / 2));
	if (!same || !new || !page || token_set_scan(old, "a", &s) || token_set_scan(same, "b", &s) || token_set_count(same) ||
	    token_set_scan(less, "a", &half) || token_set_scan(new, "b", &s) || token_page(less, new, page))
		abort();
	for (size_t i = 0; i < token_set_count(new); i++) {
		struct token k;
		token_set_get(new, i, &k);
		if (k.offset >= size || k.text.n == 0 || k.text.n > TOKEN_LEN_MAX || !token_set_has(old, k.class, k.text))
			abort();
	}
	page_free(page);
	token_set_free(new);
	token_set_free(less);
	token_set_free(same);
	token_set_free(old);
	return 0;
}
