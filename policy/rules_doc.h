/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules_doc - what rules look at, as a JSON object in the words of fotagate.conf.
 * Role: `fotagate policy explain` shows it, cases of `policy test` are written in
 * it, so that what was explained can be kept as an example. Guarantees: pure;
 * what an object does not say is unknown, which is the worst, but for what
 * follows from the configuration; a member that is unknown or of another type is
 * refused by name.
 *
 *	complete     there is a whole report (with findings: true unless said)
 *	findings     ids; severity: the worst of them (without: what they weigh at most)
 *	profile, product, version, format; supplier (of the profile), country, supplier_words (of the supplier)
 *	signature, signer, direction, delta       words of the configuration
 *	unsigned, unexplained, unreviewable       thousandths
 *	attested     persons who tried it on a module
 *	size         bytes
 *	age, vendor_age    seconds, or "10d"; null: unknown
 *	security     why it is marked, null: it is not (without: as the configuration marks)
 *	groups       [ "lab" ]; [ "*" ]: all, as without; null: no scope was proposed yet
 */
#ifndef FG_POLICY_RULES_DOC_H
#define FG_POLICY_RULES_DOC_H

#include "crypto/jsonw.h"
#include "policy/config.h"

#define RULES_DOC_LIST_MAX 64 /* groups of a release, words of a supplier */
#define RULES_DOC_WHY_MAX 200

struct rules_doc { /* facts, and what they point to: not to be copied */
	struct rules_facts f;
	char supplier[PROFILE_WORD_MAX + 1], profile[PROFILE_WORD_MAX + 1], format[PROFILE_WORD_MAX + 1];
	char product[PROFILE_TEXT_MAX + 1], version[PROFILE_TEXT_MAX + 1], security[PROFILE_TEXT_MAX + 1];
	char country[8]; /* or "unknown" */
	char group[RULES_DOC_LIST_MAX][PROFILE_TEXT_MAX + 1], word[RULES_DOC_LIST_MAX][RULES_WORD_MAX + 1];
	const char *groups[RULES_DOC_LIST_MAX], *words[RULES_DOC_LIST_MAX];
};

/* Reads v, in which ages count back from now. False with ret_why, plain ASCII. */
bool rules_doc_read(const struct json_value *v, const struct config *c, int64_t now, struct rules_doc *ret,
    char ret_why[RULES_DOC_WHY_MAX]);
/* Writes the same; reading it gives these facts again. version is what the update makes; NULL: not known. */
void rules_doc_put(struct jsonw *j, const struct rules_facts *f, const char *version, int64_t now);
/* Seconds, or a duration as the configuration has it. */
bool rules_doc_seconds(const struct json_value *v, int64_t *ret);

#endif
