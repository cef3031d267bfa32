/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/warden/judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "crypto/reader.h"
#include "gateway/warden/glass_judge.h"
#include "gateway/warden/standing_judge.h"

int
judge_bundle_parse(struct view bytes, struct judge_bundle *ret)
{
	struct judge_bundle b = { 0 };
	struct reader r;
	reader_init(&r, bytes);
	uint32_t n = reader_u32(&r);
	if (n == 0 || n > JUDGE_STATEMENTS_MAX)
		return FG_EPEER;
	for (uint32_t i = 0; i < n; i++) {
		b.pair[i].statement = reader_blob(&r, APPROVAL_BYTES_MAX);
		b.pair[i].signature = reader_blob(&r, SSHSIG_ARMOR_MAX);
	}
	b.n = n;
	if (!reader_end(&r))
		return FG_EPEER;
	*ret = b;
	return FG_OK;
}

int
judge_log_sizes(const struct judge_bundle *b, uint64_t ret[JUDGE_STATEMENTS_MAX], char *ret_why, size_t cap)
{
	struct approval *a = calloc(1, sizeof *a);
	int err = a ? FG_OK : FG_ENOMEM;
	for (unsigned i = 0; !err && i < b->n; i++) {
		err = approval_parse(b->pair[i].statement, a, ret_why, cap);
		if (!err)
			ret[i] = a->log_size;
	}
	free(a);
	return err;
}

/*
 * The statement our own facts and the approver's five personal fields make must
 * be the one that was signed, byte for byte.
 */
static int
regenerated(const struct judge_case *c, const struct approval *said, struct view text, bool *ret_same)
{
	struct approval *own = malloc(sizeof *own);
	struct writer w;
	char why[128];
	if (!own)
		return FG_ENOMEM;
	*own = *said;
	own->terms = c->terms;
	writer_init(&w, APPROVAL_BYTES_MAX);
	int err = approval_encode(own, &w, why, sizeof why);
	*ret_same = !err && view_equal(writer_view(&w), text);
	writer_free(&w);
	free(own);
	return err == FG_ENOMEM || err == FG_ECRYPTO ? err : FG_OK;
}

static bool
nonce_seen(const struct approval *seen, unsigned n, const uint8_t nonce[16])
{
	for (unsigned i = 0; i < n; i++) {
		if (!memcmp(seen[i].nonce, nonce, 16))
			return true;
	}
	return false;
}

static bool
person_counted(const struct judge_answer *ans, const char *approver)
{
	for (uint32_t i = 0; i < ans->statements_n; i++) {
		if (!strcmp(ans->statement[i].approver, approver))
			return true;
	}
	return false;
}

static bool
is_requester(const struct judge_case *c, const char *who)
{
	for (unsigned i = 0; i < c->requesters_n; i++) {
		if (!strcmp(c->requesters[i], who))
			return true;
	}
	return false;
}

/* Why the i-th statement does not count, in words, or NULL; *ret_err for local failure. */
static const char *
reject(const struct judge_case *c, const struct judge_bundle *b, unsigned i, struct approval *a, char *why,
    size_t cap, int *ret_err)
{
	bool same = false;
	int err = approval_parse(b->pair[i].statement, a, why, cap);
	if (err == FG_ENOMEM || err == FG_ECRYPTO) {
		*ret_err = err;
		return err_name(err);
	}
	if (err)
		return why;
	const char *differs = approval_terms_differ(&a->terms, &c->terms);
	if (differs) {
		snprintf(why, cap, "statement of %s is about something else: %s differs", a->approver, differs);
		return why;
	}
	*ret_err = regenerated(c, a, b->pair[i].statement, &same);
	if (*ret_err || !same)
		return "statement is not the one our own facts make";
	if (strcmp(a->terms.gateway, c->genesis->origin))
		return "statement is for another gateway";
	if (approval_check_time(a, c->confirms_clock ? c->wall : c->latest, c->newer_than, why, cap) ||
	    approval_check_time(a, c->confirms_clock ? c->wall : c->earliest, c->newer_than, why, cap))
		return why;
	if (!c->roots[i] || memcmp(c->roots[i], a->log_root, sizeof a->log_root))
		return "the log state the approver saw is not in our log";
	if (is_requester(c, a->approver)) {
		snprintf(why, cap, "%s asked for this and does not count", a->approver);
		return why;
	}
	return NULL;
}

static int
count_one(const struct judge_case *c, const struct judge_bundle *b, unsigned i, const struct approval *a,
    struct judge_answer *ans, const char **ret_reject)
{
	unsigned persons = 0, who[SIGNERS_MAX], n = 0;
	struct signers_signature sig = { b->pair[i].signature };
	int err = signers_count(c->set, b->pair[i].statement, APPROVAL_NAMESPACE, c->latest, &sig, 1, c->requesters,
	    c->requesters_n, &persons, who, &n);
	if (err)
		return err;
	if (n != 1 || strcmp(c->set->signer[who[0]].principal, a->approver) ||
	    c->earliest < c->set->signer[who[0]].valid_after) {
		*ret_reject = "signature is not a good one by a current key of the approver it names";
		return FG_OK;
	}
	if (person_counted(ans, a->approver)) {
		*ret_reject = "one person signed twice and counts once";
		return FG_OK;
	}
	struct release_statement *s = &ans->statement[ans->statements_n];
	snprintf(s->approver, sizeof s->approver, "%s", a->approver);
	err = sshkey_digest(&c->set->signer[who[0]].key, s->key);
	if (!err)
		err = digest_sha256(b->pair[i].statement, s->statement);
	if (!err)
		err = digest_sha256(b->pair[i].signature, s->signature);
	bool passkey = false;
	if (!err)
		err = signers_is_passkey(b->pair[i].signature, &passkey);
	if (err)
		return err;
	ans->off_console += !passkey;
	ans->statements_n++;
	ans->counted++;
	return FG_OK;
}

static bool
is_standing(const struct judge_case *c)
{
	return c->terms.decision == APPROVAL_STANDING;
}

static bool
is_glass(const struct judge_case *c)
{
	return c->terms.decision == APPROVAL_BREAKGLASS;
}

/* Many small scopes of one image are one large one. */
static uint32_t
modules_of(const struct judge_case *c)
{
	uint64_t modules = (is_standing(c) ? standing_judge_modules(c) : c->terms.max_devices) + c->others;
	return modules < UINT32_MAX ? (uint32_t)modules : UINT32_MAX;
}

static bool
is_resume(const struct judge_case *c)
{
	return c->terms.decision == APPROVAL_RESUME;
}

/* It is about no number of modules: as a release to everyone. */
static bool
is_for_all(const struct judge_case *c)
{
	return is_resume(c) || c->terms.decision == APPROVAL_AFTERREVIEW;
}

/* Of the command line, under which the statement is written. */
static const char *
noun_of(const struct judge_case *c)
{
	if (is_standing(c))
		return "standing";
	if (c->terms.decision == APPROVAL_AFTERREVIEW)
		return "breakglass";
	return is_resume(c) ? "resume" : c->terms.decision == APPROVAL_CONTINUE ? "rollout" : "review";
}

static bool
floor_is_canary(const struct judge_case *c)
{
	return !is_for_all(c) && modules_of(c) <= c->genesis->canary_max;
}

static uint32_t
needed_for(const struct judge_case *c, bool small)
{
	if (is_glass(c))
		return 1; /* in the bounds of glass_judge.h */
	uint32_t floor = small ? c->genesis->floor_canary : c->genesis->floor_production;
	/* What people signed that they are is not control's to lower afterwards. */
	uint32_t asked = c->quorum > c->terms.quorum ? c->quorum : c->terms.quorum;
	/* A quorum of zero is an omission, not a wish: the floor holds in any case. */
	return asked > floor ? asked : floor;
}

int
judge_case(const struct judge_case *c, const struct judge_bundle *b, struct judge_answer *ret)
{
	struct judge_answer *ans = calloc(1, sizeof *ans);
	struct approval *seen = calloc(JUDGE_STATEMENTS_MAX, sizeof *seen);
	char first[400] = "";
	int err = ans && seen ? FG_OK : FG_ENOMEM;
	for (unsigned i = 0; !err && i < b->n; i++) {
		char why[400];
		const char *no = reject(c, b, i, &seen[i], why, sizeof why, &err);
		if (!err && !no && nonce_seen(seen, i, seen[i].nonce))
			no = "nonce was used before";
		if (!err && !no)
			err = count_one(c, b, i, &seen[i], ans, &no);
		if (no && !first[0])
			snprintf(first, sizeof first, "%s", no);
	}
	if (!err) {
		bool small = floor_is_canary(c);
		ans->needed = needed_for(c, small);
		ans->permitted = ans->counted >= ans->needed && (small || ans->off_console);
		if (ans->counted < ans->needed)
			snprintf(ans->why, sizeof ans->why, "%u of %u persons have signed%s%s", ans->counted, ans->needed,
			    first[0] ? "; " : "", first);
		else if (!ans->permitted)
			snprintf(ans->why, sizeof ans->why,
			    "all %u persons signed with passkeys on the console: %s one of them has to sign off it, "
			    "with fotagate %s statement --sign", ans->counted,
			    is_for_all(c) ? "to end this" : "for so many modules", noun_of(c));
		if (ans->permitted && is_standing(c))
			standing_judge_bounds(c, ans);
		if (is_glass(c))
			glass_judge_bounds(c, modules_of(c), ans);
		*ret = *ans;
	}
	free(seen);
	free(ans);
	return err;
}
