/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/verify_standing.h"

#include <string.h>

#include "crypto/approval_standing.h"
#include "crypto/err.h"
#include "crypto/json.h"
#include "crypto/jsonf.h"

const char *
verify_standing_words(const struct verify_release *r, const struct approval *a)
{
	uint8_t key[DIGEST_SHA256_LEN];
	if (a->terms.decision != APPROVAL_STANDING)
		return "nobody signed for it, and what it rests on is no standing statement";
	if (approval_key(&a->terms, key) || memcmp(key, r->record->standing, sizeof key))
		return "it rests on another standing statement than the one it names";
	if (r->record->as_of > a->time)
		return "it is for modules that came after one of its statements was written";
	return approval_standing_outside(&a->terms, &r->record->terms, r->record->issued) ?
	    "it lies outside the standing statement it rests on" : NULL;
}

int
verify_standing_release(struct verify_judge *j, const struct verify_release *r, const struct approval *a)
{
	const struct genesis *g = &j->signers->genesis;
	uint8_t name[DIGEST_SHA256_LEN];
	uint64_t used = 0, opened;
	unsigned long long at = r->at;
	bool off_console = r->off_console;
	int err = digest_sha256(view_str(r->record->terms.review), name);
	if (err)
		return err;
	if (!verify_index_get(j->opened, name, &opened))
		verify_log_problem(j->l, "entry %llu: released by a review that the log never opened", at);
	(void)verify_index_get(j->standing, r->record->standing, &used);
	if (++used > a->terms.bounds.max_releases)
		verify_log_problem(j->l, "entry %llu: the standing statement it rests on allowed fewer releases", at);
	if (r->record->quorum < a->terms.quorum)
		verify_log_problem(j->l, "entry %llu: its standing statement asks for more persons than it was released with", at);
	if (!genesis_permits(g, approval_standing_modules(&a->terms), r->record->statements_n, off_console))
		verify_log_problem(j->l, "entry %llu: too few persons, or people in browsers alone, signed for all the modules "
		    "that its standing statement lets in", at);
	return verify_index_put(j->standing, r->record->standing, used);
}

/* It alone: by every signature of the whole image that verified, and there is one. */
static bool
is_signer(const struct json_value *root, const uint8_t spki[DIGEST_SHA256_LEN])
{
	const struct json_value *all = json_get(root, "signatures");
	size_t good = 0;
	for (size_t i = 0; i < json_count(all); i++) {
		const struct json_value *one = json_at(all, i);
		uint8_t its[DIGEST_SHA256_LEN];
		struct view outcome, where;
		if (!json_string(json_get(one, "outcome"), &outcome) || !json_string(json_get(one, "where"), &where))
			return false;
		if (!view_is(outcome, "verified") || where.n)
			continue;
		if (!jsonf_hex(json_get(json_get(one, "signer"), "spki_sha256"), its, sizeof its) || memcmp(its, spki, sizeof its) != 0)
			return false;
		good++;
	}
	return good > 0;
}

/* Where they differ: "info" is nobody's to accept. */
static const char *
differ(const struct release *r, const struct json_value *root)
{
	const struct json_value *findings = json_get(root, "findings"), *delta = json_get(root, "delta");
	struct view verdict, id, severity;
	if (!json_string(json_get(root, "verdict"), &verdict) || json_type(findings) != JSON_ARRAY)
		return "its report is none";
	if (view_is(verdict, "blocked"))
		return "its report says that it is blocked";
	for (size_t i = 0; i < json_count(findings); i++) {
		const struct json_value *one = json_at(findings, i);
		char word[APPROVAL_WORD_MAX];
		if (!json_string(json_get(one, "severity"), &severity) || !json_string(json_get(one, "id"), &id) ||
		    !json_cstr(json_get(one, "id"), word, sizeof word))
			return "its report is none";
		if (!view_is(severity, "info") && !approval_list_has(&r->terms.findings, word))
			return "its report has a finding that the record leaves out";
	}
	if (r->terms.have_signer && !is_signer(root, r->terms.signer))
		return "its report has another signer than the record";
	if (r->terms.delta.made == APPROVAL_MADE_WHOLE && json_type(delta) == JSON_OBJECT)
		return "its report is about a delta, and the record is not";
	return NULL;
}

const char *
verify_standing_report(const struct release *r, struct view report)
{
	struct json *doc = NULL;
	if (json_parse(report, &doc, NULL))
		return "its report is none";
	const char *why = differ(r, json_root(doc));
	json_free(doc);
	return why;
}

int
verify_standing_revoked(struct verify_judge *j, const struct entry *e, uint64_t at)
{
	uint8_t key[DIGEST_SHA256_LEN];
	const struct entry_ref *ref = entry_ref_get(e, "key");
	if (!ref || !entry_sha256(ref->text, key)) {
		verify_log_problem(j->l, "entry %llu: revokes no standing statement that has a key", (unsigned long long)at);
		return FG_OK;
	}
	return verify_judge_revoked(j, key, at);
}
