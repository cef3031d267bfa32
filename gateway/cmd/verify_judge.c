/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/verify_judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/approval_glass.h"
#include "crypto/approval_over.h"
#include "crypto/err.h"
#include "crypto/hex.h"
#include "gateway/cmd/verify_file.h"
#include "gateway/cmd/verify_glass.h"
#include "gateway/cmd/verify_standing.h"

#define FEW 256 /* keys of an index at first */
#define SECOND_US 1000000
/* The person may take so long from writing a set to handing it in, as with an approval. */
#define SET_WINDOW APPROVAL_SUBMIT_WINDOW

int
verify_judge_init(struct verify_judge *j, struct verify_log *l, const struct verify_signers *s)
{
	*j = (struct verify_judge){ .l = l, .signers = s, .revoked = verify_index_new(FEW),
		.opened = verify_index_new(FEW), .gone = verify_index_new(FEW), .continued = verify_index_new(FEW),
		.standing = verify_index_new(FEW), .released = verify_index_new(FEW) };
	if (j->revoked && j->opened && j->gone && j->continued && j->standing && j->released)
		return FG_OK;
	verify_judge_free(j);
	return FG_ENOMEM;
}

void
verify_judge_free(struct verify_judge *j)
{
	verify_index_free(j->revoked);
	verify_index_free(j->opened);
	verify_index_free(j->gone);
	verify_index_free(j->continued);
	verify_index_free(j->standing);
	verify_index_free(j->released);
	free(j->suspended);
	*j = (struct verify_judge){ 0 };
}

/* NULL: that key counts. */
static struct verify_suspended *
suspended(const struct verify_judge *j, const uint8_t key[DIGEST_SHA256_LEN])
{
	uint64_t number;
	struct verify_suspended *s = verify_index_get(j->gone, key, &number) ? &j->suspended[number] : NULL;
	return s && !s->back ? s : NULL;
}

static bool
is_local(int err)
{
	return err == FG_ENOMEM || err == FG_ECRYPTO;
}

/* ---- one statement ---- */

struct paper { /* a statement and its signature */
	struct view text, sig;
	struct approval *said; /* owned */
};

static void
paper_free(struct paper *p)
{
	verify_file_free(p->text);
	verify_file_free(p->sig);
	free(p->said);
	*p = (struct paper){ 0 };
}

/* Both files; the statement has the bytes its name says. NULL, or what is wrong. */
static const char *
paper_read(const struct verify_log *l, const uint8_t sha256[DIGEST_SHA256_LEN], struct paper *ret, char *why, size_t cap)
{
	char name[128], hex[DIGEST_HEX_LEN + 1];
	uint8_t digest[DIGEST_SHA256_LEN];
	hex_encode(sha256, DIGEST_SHA256_LEN, hex);
	snprintf(name, sizeof name, "statements/%s.json", hex);
	if (verify_file_read(l->dir, name, APPROVAL_BYTES_MAX, &ret->text))
		return "a statement it rests on is not in the export";
	snprintf(name, sizeof name, "statements/%s.sig", hex);
	if (verify_file_read(l->dir, name, SSHSIG_ARMOR_MAX, &ret->sig))
		return "a signature it rests on is not in the export";
	if (digest_sha256(ret->text, digest) || memcmp(digest, sha256, sizeof digest))
		return "a statement's bytes are not those of the record";
	return approval_parse(ret->text, ret->said, why, cap) ? why : NULL;
}

/* The one key of the set that signed it, or NULL with what is wrong. */
static const struct signer *
signer_of(const struct signers *set, const struct paper *p, int64_t now, int *ret_err)
{
	struct signers_signature one = { p->sig };
	unsigned persons = 0, who[SIGNERS_MAX], n = 0;
	*ret_err = signers_count(set, p->text, APPROVAL_NAMESPACE, now, &one, 1, NULL, 0, &persons, who, &n);
	return !*ret_err && n == 1 ? &set->signer[who[0]] : NULL;
}

/* Revoked, or not even opened, after what its signer had seen. */
static const char *
too_old(const struct verify_judge *j, const struct release *r, const struct approval *a, uint64_t *ret_newer)
{
	uint8_t name[DIGEST_SHA256_LEN];
	uint64_t at = 0;
	*ret_newer = 0;
	if (digest_sha256(view_str(a->terms.review), name) || !verify_index_get(j->opened, name, ret_newer))
		return "the log never opened the review it was released by";
	if (verify_index_get(j->revoked, r->terms.image, &at) && at > *ret_newer)
		*ret_newer = at;
	if (r->by_standing && verify_index_get(j->revoked, r->standing, &at) && at > *ret_newer)
		*ret_newer = at;
	return NULL;
}

/* Whether a statement says what the record does, but for what its kind leaves open. */
static bool
says_it(const struct release *r, const struct approval *a)
{
	struct approval_terms *signed_ = malloc(sizeof *signed_);
	if (!signed_)
		return false;
	release_signed_terms(r, signed_);
	bool same = !approval_terms_differ(&a->terms, signed_);
	free(signed_);
	return same;
}

/* What it says: the record's terms, its person, a state of this log, in time. */
static const char *
judge_words(struct verify_judge *j, const struct verify_release *r, const struct release_statement *s,
    const struct approval *a, char *why, size_t cap)
{
	uint8_t root[MERKLE_HASH_LEN];
	uint64_t newer_than;
	const char *other = r->record->by_standing ? verify_standing_words(r, a) :
	    says_it(r->record, a) ? NULL : "a statement is about something else than the record";
	if (other)
		return other;
	if (strcmp(a->approver, s->approver) || strcmp(a->terms.gateway, j->signers->genesis.origin))
		return "a statement names another person or gateway";
	if (a->log_size > r->at || verify_log_root(j->l, a->log_size, root) || memcmp(a->log_root, root, sizeof root))
		return "a statement rests on a log state that is not this log's";
	const char *old = too_old(j, r->record, a, &newer_than);
	if (!old && approval_check_time(a, r->record->issued, newer_than, why, cap))
		old = why;
	return old;
}

/* Signed by its person, with the key the record names, valid at the issue and not suspended. */
static const char *
judge_signature(struct verify_judge *j, const struct verify_release *r, const struct release_statement *s,
    const struct paper *p, int *ret_err)
{
	const struct signers *set = verify_signers_set(j->signers, r->record->signers_number);
	uint8_t digest[DIGEST_SHA256_LEN];
	if (!set)
		return "it was judged by a signer set that is not in the export";
	*ret_err = digest_sha256(p->sig, digest);
	if (*ret_err)
		return NULL;
	if (memcmp(digest, s->signature, sizeof digest))
		return "a signature's bytes are not those of the record";
	const struct signer *who = signer_of(set, p, r->record->issued, ret_err);
	if (*ret_err)
		return NULL;
	if (!who || strcmp(who->principal, s->approver))
		return "a statement is not signed by the person it names";
	*ret_err = sshkey_digest(&who->key, digest);
	if (*ret_err)
		return NULL;
	if (memcmp(digest, s->key, sizeof digest))
		return "a statement is signed by another key than the record says";
	struct verify_suspended *gone = suspended(j, digest);
	if (gone && (r->t_us > (gone->at + 1) * SECOND_US + VERIFY_JUDGE_ON_ITS_WAY_US ||
	    ++gone->releases > VERIFY_JUDGE_RELEASES_ON_THEIR_WAY))
		return "a statement is signed by a key that was suspended before";
	return NULL;
}

static int
check_statement(struct verify_judge *j, struct verify_release *r, const struct release_statement *s)
{
	char hex[2 * RELEASE_ID + 1], why[256] = "";
	bool passkey = false;
	struct paper p = { .said = calloc(1, sizeof *p.said) };
	int err = FG_OK;
	if (!p.said)
		return FG_ENOMEM;
	const char *bad = paper_read(j->l, s->statement, &p, why, sizeof why);
	if (!bad)
		bad = judge_words(j, r, s, p.said, why, sizeof why);
	if (!bad)
		bad = judge_signature(j, r, s, &p, &err);
	if (!bad && !err)
		err = signers_is_passkey(p.sig, &passkey);
	r->off_console |= bad || !passkey; /* what is wrong with it is said already */
	uint64_t saw = bad ? 0 : p.said->log_size;
	if (s == r->record->statement || saw < r->seen)
		r->seen = saw;
	if (!bad && !err && r->record->by_standing && s == &r->record->statement[r->record->statements_n - 1])
		err = verify_standing_release(j, r, p.said);
	if (bad) {
		hex_encode(r->id, RELEASE_ID, hex);
		verify_log_problem(j->l, "entry %llu: release %s: %s", (unsigned long long)r->at, hex, bad);
	}
	j->statements++;
	paper_free(&p);
	return err;
}

/* ---- one release ---- */

static void
check_paper(struct verify_judge *j, const struct verify_release *r, const char *folder,
    const uint8_t sha256[DIGEST_SHA256_LEN], const char *what)
{
	char name[128], hex[DIGEST_HEX_LEN + 1];
	uint8_t digest[DIGEST_SHA256_LEN];
	struct view text;
	hex_encode(sha256, DIGEST_SHA256_LEN, hex);
	snprintf(name, sizeof name, "%s/%s.json", folder, hex);
	if (verify_file_read(j->l->dir, name, VERIFY_SMALL_MAX, &text)) {
		verify_log_problem(j->l, "entry %llu: %s is not in the export", (unsigned long long)r->at, name);
		return;
	}
	if (digest_sha256(text, digest) || memcmp(digest, sha256, sizeof digest))
		verify_log_problem(j->l, "%s: not the %s that was signed for", name, what);
	bool alone = r->record->by_standing || r->record->glass;
	const char *differs = alone && !strcmp(what, "report") ? verify_standing_report(r->record, text) : NULL;
	if (differs)
		verify_log_problem(j->l, "entry %llu: %s signed for it, and %s", (unsigned long long)r->at,
		    r->record->glass ? "one person alone" : "nobody", differs);
	verify_file_free(text);
}

/* What the record says of itself against genesis and the log around it. */
static void
check_record(struct verify_judge *j, const struct verify_release *rel)
{
	const struct release *r = rel->record;
	unsigned long long at = rel->at;
	int64_t logged = rel->t_us / 1000000;
	if (!r->glass && r->quorum < genesis_floor(&j->signers->genesis, r->terms.max_devices))
		verify_log_problem(j->l, "entry %llu: released with fewer persons than genesis demands", at);
	if (strcmp(r->terms.gateway, j->signers->genesis.origin))
		verify_log_problem(j->l, "entry %llu: a release of another gateway", at);
	if (r->log_size > rel->at)
		verify_log_problem(j->l, "entry %llu: a release from a later log state than its own", at);
	if (r->signers_number != j->set && verify_signers_set(j->signers, r->signers_number))
		verify_log_problem(j->l, "entry %llu: judged by signer set %u while %u was in force", at, r->signers_number,
		    j->set);
	/* Keys and statements are judged at that time: the warden may not choose it freely. */
	if (r->issued > logged + APPROVAL_SKEW || r->issued < logged - APPROVAL_SKEW)
		verify_log_problem(j->l, "entry %llu: the release says it was issued at another time", at);
}

int
verify_judge_release(struct verify_judge *j, struct verify_release *r)
{
	const struct genesis *g = &j->signers->genesis;
	int err = FG_OK;
	check_record(j, r);
	for (uint32_t i = 0; !err && i < r->record->statements_n; i++)
		err = check_statement(j, r, &r->record->statement[i]);
	if (!err && !r->off_console && r->record->terms.max_devices > g->canary_max)
		verify_log_problem(j->l, "entry %llu: for more than %u modules, and nobody signed for it but in a browser",
		    (unsigned long long)r->at, g->canary_max);
	check_paper(j, r, "reports", r->record->terms.report, "report");
	check_paper(j, r, "policies", r->record->terms.policy, "policy");
	return err ? err : verify_glass_release(j, r);
}

/* ---- what came before ---- */

int
verify_judge_opened(struct verify_judge *j, const struct entry *e, uint64_t at)
{
	uint8_t name[DIGEST_SHA256_LEN];
	int err = digest_sha256(e->obj, name);
	return err ? err : verify_index_put(j->opened, name, at);
}

int
verify_judge_revoked(struct verify_judge *j, const uint8_t image[DIGEST_SHA256_LEN], uint64_t at)
{
	int err = verify_index_put(j->revoked, image, at);
	return err ? err : verify_index_put(j->released, image, 0);
}

static int
suspend(struct verify_judge *j, const uint8_t key[DIGEST_SHA256_LEN], int64_t at)
{
	if (j->suspended_n == j->suspended_cap) {
		size_t cap = j->suspended_cap ? 2 * j->suspended_cap : FEW;
		struct verify_suspended *more = reallocarray(j->suspended, cap, sizeof *more);
		if (!more)
			return FG_ENOMEM;
		j->suspended = more;
		j->suspended_cap = cap;
	}
	j->suspended[j->suspended_n] = (struct verify_suspended){ .at = at };
	return verify_index_put(j->gone, key, j->suspended_n++);
}

int
verify_judge_suspended(struct verify_judge *j, const struct entry *e, uint64_t at)
{
	static const char prefix[] = "key:";
	size_t n = sizeof prefix - 1;
	uint8_t key[DIGEST_SHA256_LEN];
	if (e->obj.n != n + DIGEST_HEX_LEN || memcmp(e->obj.p, prefix, n) ||
	    !hex_decode(view_of(e->obj.p + n, DIGEST_HEX_LEN), key, sizeof key)) {
		verify_log_problem(j->l, "entry %llu: suspends no key that has a name", (unsigned long long)at);
		return FG_OK;
	}
	int64_t spoken = e->t_us / SECOND_US;
	const struct entry_ref *when = entry_ref_get(e, "at");
	if (suspended(j, key))
		return FG_OK;
	if (when && when->is_number && when->number < (uint64_t)spoken)
		spoken = (int64_t)when->number; /* the entry waited for the log */
	return suspend(j, key, spoken);
}

/* A key that a quorum lists in a set written after its suspension counts again. */
static int
bring_back(struct verify_judge *j, const struct signers *set)
{
	for (uint32_t i = 0; i < set->n; i++) {
		uint8_t key[DIGEST_SHA256_LEN];
		int err = sshkey_digest(&set->signer[i].key, key);
		if (err)
			return err;
		struct verify_suspended *s = suspended(j, key);
		if (s && set->time > s->at)
			s->back = true;
	}
	return FG_OK;
}

/* The keys of set that are suspended: no more than it has, however many the log suspends. */
static int
suspended_of(const struct verify_judge *j, const struct signers *set, struct signers_suspended ret[SIGNERS_MAX], unsigned *ret_n)
{
	*ret_n = 0;
	for (uint32_t i = 0; i < set->n; i++) {
		struct signers_suspended one = { 0 };
		int err = sshkey_digest(&set->signer[i].key, one.key);
		if (err)
			return err;
		const struct verify_suspended *s = suspended(j, one.key);
		if (!s)
			continue;
		one.at = s->at;
		ret[(*ret_n)++] = one;
	}
	return FG_OK;
}

int
verify_judge_counting(const struct verify_judge *j, const struct signers *set, struct signers *ret)
{
	struct signers_suspended gone[SIGNERS_MAX];
	unsigned n;
	int err = suspended_of(j, set, gone, &n);
	return err ? err : signers_without(set, gone, n, ret);
}

/* Suspended keys of the set before have no say in the next. */
static int
check_successor(struct verify_judge *j, const struct signers *set, unsigned long long at)
{
	const struct signers *old = verify_signers_set(j->signers, j->set);
	struct signers *left = malloc(sizeof *left);
	unsigned persons = 0;
	int err = left ? verify_judge_counting(j, old, left) : FG_ENOMEM;
	if (!err)
		err = verify_signers_count(j->l, j->signers, set->number, left, &persons);
	if (!err && persons < old->threshold)
		verify_log_problem(j->l, "entry %llu: signer set %u is signed by %u persons of the one before whose keys were not "
		    "suspended, of %u", at, set->number, persons, old->threshold);
	free(left);
	return err;
}

int
verify_judge_set(struct verify_judge *j, const struct entry *e, uint64_t at)
{
	uint8_t digest[DIGEST_SHA256_LEN];
	unsigned long long index = at;
	int64_t logged = e->t_us / 1000000;
	const struct signers *set = verify_signers_set(j->signers, j->set + 1);
	if (!set) {
		verify_log_problem(j->l, "entry %llu: puts a signer set in force that is not in the export", index);
		return FG_OK;
	}
	int err = digest_sha256(e->doc, digest);
	if (err)
		return err;
	if (memcmp(digest, verify_signers_digest(j->signers, j->set + 1), sizeof digest)) {
		verify_log_problem(j->l, "entry %llu: not the signer set of signers/%u.json", index, j->set + 1);
		return FG_OK;
	}
	/* Its keys are judged at its own time, which nobody may choose freely. */
	if (set->time > logged + APPROVAL_SKEW || set->time < logged - SET_WINDOW - APPROVAL_SKEW)
		verify_log_problem(j->l, "entry %llu: signer set %u says it was made at another time", index, j->set + 1);
	err = check_successor(j, set, index);
	j->set++;
	return err ? err : bring_back(j, set);
}

/* ---- ending a halt ---- */

static void
forget_older(struct verify_judge *j, bool clock, int64_t than)
{
	unsigned left = 0;
	for (unsigned i = 0; i < j->resumes; i++) {
		if (j->resume[i].clock != clock || j->resume[i].halted_at >= than)
			j->resume[left++] = j->resume[i];
	}
	j->resumes = left;
}

static void
remember_resume(struct verify_judge *j, const struct approval *a, bool clock, bool passkey)
{
	for (unsigned i = 0; i < j->resumes; i++) {
		if (!strcmp(j->resume[i].approver, a->approver) && j->resume[i].clock == clock &&
		    j->resume[i].halted_at == a->terms.halted_at) {
			j->resume[i].off_console |= !passkey;
			return;
		}
	}
	if (j->resumes == SIGNERS_MAX)
		forget_older(j, clock, a->terms.halted_at);
	if (j->resumes == SIGNERS_MAX)
		return;
	struct verify_resume *r = &j->resume[j->resumes++];
	snprintf(r->approver, sizeof r->approver, "%s", a->approver);
	r->clock = clock;
	r->off_console = !passkey;
	r->halted_at = a->terms.halted_at;
}

int
verify_judge_signed(struct verify_judge *j, const struct entry *e)
{
	const struct entry_ref *ref = entry_ref_get(e, "statement");
	uint8_t sha256[DIGEST_SHA256_LEN];
	char why[160];
	int err = FG_OK;
	bool passkey, clock = view_is(e->obj, "clock");
	if ((!clock && !view_is(e->obj, "halt")) || !ref || !entry_sha256(ref->text, sha256))
		return FG_OK;
	struct paper p = { .said = calloc(1, sizeof *p.said) };
	if (!p.said)
		return FG_ENOMEM;
	/* One that does not hold counts for nothing; whether enough do, the end of the halt tells. */
	if (!paper_read(j->l, sha256, &p, why, sizeof why) && p.said->terms.decision == APPROVAL_RESUME &&
	    !strcmp(p.said->terms.gateway, j->signers->genesis.origin)) {
		const struct signer *who = signer_of(verify_signers_set(j->signers, j->set), &p, e->t_us / 1000000, &err);
		if (who && !strcmp(who->principal, p.said->approver) && !sshkey_digest(&who->key, sha256) &&
		    !suspended(j, sha256) && !(err = signers_is_passkey(p.sig, &passkey)))
			remember_resume(j, p.said, clock, passkey);
	}
	paper_free(&p);
	return is_local(err) ? err : FG_OK;
}

void
verify_judge_forget(struct verify_judge *j, bool clock)
{
	forget_older(j, clock, INT64_MAX);
}

int
verify_judge_resumed(struct verify_judge *j, bool clock, uint64_t name, uint64_t at)
{
	int64_t newest = name <= INT64_MAX ? (int64_t)name : 0;
	unsigned persons = 0, left = 0;
	bool off_console = false;
	for (unsigned i = 0; i < j->resumes; i++) {
		if (!name && j->resume[i].clock == clock && j->resume[i].halted_at > newest)
			newest = j->resume[i].halted_at;
	}
	for (unsigned i = 0; i < j->resumes; i++) {
		bool counts = j->resume[i].clock == clock && j->resume[i].halted_at == newest;
		persons += counts;
		off_console |= counts && j->resume[i].off_console;
	}
	if (persons && !off_console)
		verify_log_problem(j->l, "entry %llu: a %s was ended in browsers alone", (unsigned long long)at,
		    clock ? "hold of the clock" : "halt");
	if (persons < j->signers->genesis.floor_production)
		verify_log_problem(j->l, "entry %llu: a %s was ended by %u persons, genesis demands %u", (unsigned long long)at,
		    clock ? "hold of the clock" : "halt", persons, j->signers->genesis.floor_production);
	for (unsigned i = 0; i < j->resumes; i++) {
		/* That one may have to be ended once more: the warden may have been too late with it. */
		if (j->resume[i].clock != clock || (name && j->resume[i].halted_at == newest))
			j->resume[left++] = j->resume[i];
	}
	j->resumes = left;
	return FG_OK;
}

/* ---- letting a rollout go on ---- */

struct continued { /* what is counted of one entry */
	struct verify_judge *j;
	const struct verify_release *r;
	const struct entry *e;
	uint64_t at;
	char person[SIGNERS_MAX][SIGNERS_PRINCIPAL_MAX];
	uint32_t persons;
	bool off_console;
	bool review; /* an after-review, else a rollout */
};

static bool
is_text(const struct entry *e, const char *key, const char *text)
{
	const struct entry_ref *ref = entry_ref_get(e, key);
	return ref && !ref->is_number && view_is(ref->text, text);
}

static uint64_t
number_of(const struct entry *e, const char *key)
{
	const struct entry_ref *ref = entry_ref_get(e, key);
	return ref && ref->is_number ? ref->number : 0;
}

/* NULL, or why it does not count: it says what the entry says, of this release, from a state of this log behind it. */
static const char *
judge_continue(const struct continued *k, const struct approval *a, char *why, size_t cap)
{
	const struct approval_terms *t = &a->terms, *own = &k->r->record->terms;
	uint8_t root[MERKLE_HASH_LEN];
	uint64_t over;
	if (t->decision != APPROVAL_CONTINUE || memcmp(t->release, k->r->id, sizeof t->release) != 0 ||
	    !is_text(k->e, "step", approval_step_name(t->step)) || !is_text(k->e, "ring", t->ring) ||
	    t->halted_at <= 0 || number_of(k->e, "since") != (uint64_t)t->halted_at)
		return "a statement lets another rollout go on, or otherwise";
	if (!own->have_plan || memcmp(t->plan, own->plan, sizeof t->plan) != 0 || t->max_devices != own->max_devices ||
	    strcmp(t->gateway, k->j->signers->genesis.origin) != 0)
		return "a statement is about another plan than was signed with the release";
	if (a->log_size > k->at || verify_log_root(k->j->l, a->log_size, root) || memcmp(a->log_root, root, sizeof root) != 0)
		return "a statement rests on a log state that is not this log's";
	/* Whoever failed or went silent was granted it before. */
	if (!approval_over_modules(&t->over, &over) || over > k->r->granted)
		return "a rollout goes on over more modules than were granted the release";
	return approval_check_time(a, k->e->t_us / SECOND_US, k->r->at, why, cap) ? why : NULL;
}

/* The same of an after-review. */
static const char *
judge_review(const struct continued *k, const struct approval *a, char *why, size_t cap)
{
	const struct approval_terms *t = &a->terms;
	uint8_t root[MERKLE_HASH_LEN];
	if (t->decision != APPROVAL_AFTERREVIEW || memcmp(t->release, k->r->id, sizeof t->release) != 0 ||
	    !is_text(k->e, "outcome", approval_outcome_name(t->outcome)) ||
	    strcmp(t->gateway, k->j->signers->genesis.origin) != 0)
		return "a statement is about another after-review";
	if (a->log_size > k->at || verify_log_root(k->j->l, a->log_size, root) || memcmp(a->log_root, root, sizeof root) != 0)
		return "a statement rests on a log state that is not this log's";
	return approval_check_time(a, k->e->t_us / SECOND_US, k->r->record->log_size, why, cap) ? why : NULL;
}

static const char *
count_continue(struct continued *k, const struct paper *p, int *ret_err)
{
	struct verify_judge *j = k->j;
	uint8_t key[DIGEST_SHA256_LEN];
	bool passkey = false;
	const struct signer *who = signer_of(verify_signers_set(j->signers, j->set), p, k->e->t_us / SECOND_US, ret_err);
	if (*ret_err)
		return NULL;
	if (!who || strcmp(who->principal, p->said->approver) != 0)
		return "a statement is not signed by the person it names";
	*ret_err = sshkey_digest(&who->key, key);
	if (!*ret_err)
		*ret_err = signers_is_passkey(p->sig, &passkey);
	if (*ret_err)
		return NULL;
	if (suspended(j, key))
		return "a statement is signed by a key that was suspended before";
	for (uint32_t i = 0; i < k->persons; i++)
		if (strcmp(k->person[i], p->said->approver) == 0)
			return NULL; /* counts once */
	if (k->persons == SIGNERS_MAX)
		return NULL;
	snprintf(k->person[k->persons++], sizeof k->person[0], "%s", p->said->approver);
	k->off_console |= !passkey;
	return NULL;
}

static int
check_continue(struct continued *k, const uint8_t sha256[DIGEST_SHA256_LEN])
{
	struct paper p = { .said = calloc(1, sizeof *p.said) };
	char why[256] = "";
	bool fresh = true;
	int err = p.said ? verify_index_add(k->j->continued, sha256, k->at, &fresh) : FG_ENOMEM;
	if (!err) {
		const char *bad = k->review ? "a statement was counted in an after-review before" :
		    "a statement let a rollout go on before";
		if (fresh)
			bad = paper_read(k->j->l, sha256, &p, why, sizeof why);
		if (!bad)
			bad = k->review ? judge_review(k, p.said, why, sizeof why) : judge_continue(k, p.said, why, sizeof why);
		if (!bad)
			bad = count_continue(k, &p, &err);
		if (bad)
			verify_log_problem(k->j->l, "entry %llu: %s", (unsigned long long)k->at, bad);
		k->j->statements++;
	}
	paper_free(&p);
	return is_local(err) ? err : FG_OK;
}

static int
count_named(struct continued *k)
{
	int err = FG_OK;
	for (unsigned i = 0; !err && i < k->e->refs; i++) {
		static const char prefix[] = "statement.";
		const struct entry_ref *ref = &k->e->ref[i];
		uint8_t sha256[DIGEST_SHA256_LEN];
		if (ref->key.n > sizeof prefix - 1 && !memcmp(ref->key.p, prefix, sizeof prefix - 1) &&
		    entry_sha256(ref->text, sha256))
			err = check_continue(k, sha256);
	}
	return err;
}

int
verify_judge_reviewed(struct verify_judge *j, const struct verify_release *r, const struct entry *e, uint32_t quorum,
    uint64_t at, bool *ret_enough)
{
	struct continued *k = calloc(1, sizeof *k);
	*ret_enough = false;
	if (!k)
		return FG_ENOMEM;
	*k = (struct continued){ .j = j, .r = r, .e = e, .at = at, .review = true };
	int err = count_named(k);
	*ret_enough = !err && k->persons >= quorum && k->off_console;
	if (!err && !*ret_enough)
		verify_log_problem(j->l, "entry %llu: an after-review by %u persons%s, of %u", (unsigned long long)at, k->persons,
		    k->off_console ? "" : ", all in browsers", quorum);
	free(k);
	return err;
}

int
verify_judge_continued(struct verify_judge *j, const struct verify_release *r, const struct entry *e, uint64_t stopped,
    uint64_t at)
{
	unsigned long long index = at;
	struct continued *k = r ? calloc(1, sizeof *k) : NULL;
	int err = FG_OK;
	if (!r)
		verify_log_problem(j->l, "entry %llu: the rollout of what was never released goes on", index);
	if (!k)
		return r ? FG_ENOMEM : FG_OK;
	*k = (struct continued){ .j = j, .r = r, .e = e, .at = at };
	err = count_named(k);
	if (!err && !is_text(e, "step", approval_step_name(APPROVAL_STEP_OPEN)) && number_of(e, "since") != stopped)
		verify_log_problem(j->l, "entry %llu: a rollout goes on after another stop than was signed for", index);
	if (!err && !genesis_permits(&j->signers->genesis, r->record->terms.max_devices, k->persons, k->off_console))
		verify_log_problem(j->l, "entry %llu: a rollout goes on by the word of %u persons%s, which genesis does not permit",
		    index, k->persons, k->off_console ? "" : ", all in browsers");
	free(k);
	return err;
}
