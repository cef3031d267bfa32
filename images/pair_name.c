/* SPDX-License-Identifier: Apache-2.0 */
/* pair_name - words about a pair, for whoever prints a report. */
#include "images/pair.h"

bool
pair_is_same(enum pair_how how)
{
	return how == PAIR_SAME || how == PAIR_MOVED || how == PAIR_COPY;
}

const char *
pair_how_name(enum pair_how how)
{
	static const char *const names[] = { "none", "same", "moved", "copy", "path", "like" };
	return (unsigned)how < sizeof names / sizeof names[0] ? names[how] : "none";
}
