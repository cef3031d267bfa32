/* SPDX-License-Identifier: Apache-2.0 */
/*
 * group - which group a module is in by what it is.
 * Role: control asks for modules that were imported without a group of their own.
 * Never for others: what a stranger claims to be must not choose what it is
 * offered. Guarantees: pure; the first rule that fits, in the order of the
 * configuration.
 */
#ifndef FG_POLICY_GROUP_H
#define FG_POLICY_GROUP_H

#include "crypto/view.h"

#define GROUP_NAME_MAX 48      /* PROFILE_WORD_MAX */
#define GROUP_TEXT_MAX 128     /* PROFILE_TEXT_MAX */
#define GROUP_PREFIXES_MAX 64
#define GROUP_PREFIX_MAX 15    /* a whole IMEI; a type allocation code has 8 digits */

struct group_rule {
	char name[GROUP_NAME_MAX + 1];
	char profile[GROUP_NAME_MAX + 1]; /* "" : any */
	char product[GROUP_TEXT_MAX + 1]; /* "" : any */
	char tag[GROUP_NAME_MAX + 1];     /* "" : any */
	char imei[GROUP_PREFIXES_MAX][GROUP_PREFIX_MAX + 1]; /* one of these is how it begins; none: any */
	unsigned imei_n;
};

/* imei may be empty: not known; tags as tags.h spells them. "" when no rule fits. Borrowed from the rules. */
const char *group_by_rule(const struct group_rule *rules, unsigned n, const char *profile, const char *product,
    const char *tags, struct view imei);

#endif
