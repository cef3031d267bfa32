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
