/* SPDX-License-Identifier: Apache-2.0 */
/* walk_table - which formats have a walker. */
#include "images/walk.h"

static walk_fn *const table[FORMAT_LIMIT] = {
	[FORMAT_NONE] = NULL,
};

walk_fn *
walk_of(enum format_id format)
{
	return (unsigned)format < FORMAT_LIMIT ? table[format] : NULL;
}
