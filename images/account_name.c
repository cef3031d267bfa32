/* SPDX-License-Identifier: Apache-2.0 */
/* account_name - sums and words of an account, for whoever prints a report. */
#include "images/account.h"

uint64_t
account_total(const struct account_sum *s)
{
	uint64_t all = 0;
	for (unsigned c = 0; c < ACCOUNT_CLASSES; c++)
		all += s->bytes[c];
	return all;
}

const char *
account_class_name(enum account_class c)
{
	switch (c) {
	case ACCOUNT_UNREVIEWABLE:
		return "not-reviewable";
	case ACCOUNT_UNEXPLAINED:
		return "unexplained";
	case ACCOUNT_EXPLAINED:
		return "explained";
	case ACCOUNT_IDENTICAL:
		return "identical";
	case ACCOUNT_CLASSES:
		break;
	}
	return "none";
}
