/* SPDX-License-Identifier: Apache-2.0 */
/* delta_name - words about a delta, for whoever prints a report: no applier comes with them. */
#include "images/delta.h"

const char *
delta_outcome_name(enum delta_outcome outcome)
{
	switch (outcome) {
	case DELTA_MALFORMED:
		break;
	case DELTA_WRONG_BASE:
		return "wrong-base";
	case DELTA_UNSUPPORTED:
		return "unsupported";
	case DELTA_OPAQUE:
		return "opaque";
	case DELTA_LIMIT:
		return "limit";
	case DELTA_APPLIED:
		return "applied";
	}
	return "malformed";
}

/* A new image is about as large as the old one and what is new in it, packed at the worst eight to one. */
#define TIMES 8
#define FREE (UINT64_C(64) << 20) /* small ones have room enough to be anything */

uint64_t
delta_most(uint64_t patch, uint64_t base)
{
	uint64_t most = (DELTA_TARGET_MAX - FREE) / TIMES;
	return patch > most || base > most - patch ? DELTA_TARGET_MAX : FREE + TIMES * (patch + base);
}
