/* SPDX-License-Identifier: Apache-2.0 */
/*
 * supplier - what is known of a supplier, in words.
 * Role: rules take the words as facts, the policy people sign holds what each list
 * says, control shows the sheet. Lists are imported data with a source and a day
 * (lists.d); none is built in, and none of them decides anything by itself.
 * Guarantees: pure; what is not known is "unknown", never "no".
 */
#ifndef FG_POLICY_SUPPLIER_H
#define FG_POLICY_SUPPLIER_H

#include "policy/config.h"

#define SUPPLIER_WORD_MAX (PROFILE_WORD_MAX + 16)
#define SUPPLIER_WORDS_MAX (CONFIG_HOSTING_MAX + CONFIG_LISTS_MAX + 2)

enum supplier_listed { SUPPLIER_LISTED_UNKNOWN = 0, SUPPLIER_LISTED, SUPPLIER_NOT_LISTED };

/*
 * Whether that list names s; *ret_entity (may be NULL) by what, untouched else.
 * Unknown when only what is not known of s keeps an entity from fitting, and for
 * whom a list that is not complete does not name.
 */
enum supplier_listed supplier_listed(const struct config_supplier *s, const struct config_list *l,
    const struct config_list_entity **ret_entity);
/* "unknown", "listed", "unlisted". */
const char *supplier_listed_name(enum supplier_listed is);

enum supplier_support { SUPPLIER_SUPPORT_UNKNOWN = 0, SUPPLIER_SUPPORT_OVER, SUPPLIER_SUPPORT_CURRENT };
/* At epoch seconds now; the last day counts in full, in UTC. */
enum supplier_support supplier_support(const struct config_supplier *s, int64_t now);
/* "unknown", "over", "current". */
const char *supplier_support_name(enum supplier_support is);

/* A list older than that many seconds. */
bool supplier_list_is_old(const struct config_list *l, int64_t max_age, int64_t now);

struct supplier_words {
	char word[SUPPLIER_WORDS_MAX][SUPPLIER_WORD_MAX];
	unsigned n;
};
/*
 * All that rules may ask for: "country:DE", "hosting:US" for each, "listed:NAME",
 * "unlisted:NAME" or "unknown:NAME" for each list, "support:over". A thing that is
 * not known says so: "country:unknown".
 */
void supplier_words(const struct config *c, const struct config_supplier *s, int64_t now, struct supplier_words *ret);

#endif
