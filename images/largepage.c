/* SPDX-License-Identifier: Apache-2.0 */
#include "images/largepage.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#define LARGE_PAGE ((size_t)2 << 20) /* of x86-64, and of arm64 with pages of 4 KiB */

void *
largepage_alloc(size_t n)
{
	if (n < LARGE_PAGE)
		return malloc(n);
	if (n > SIZE_MAX - LARGE_PAGE)
		return NULL;
	void *p = aligned_alloc(LARGE_PAGE, (n + LARGE_PAGE - 1) / LARGE_PAGE * LARGE_PAGE);
	if (p)
		(void)madvise(p, n, MADV_HUGEPAGE);
	return p;
}
