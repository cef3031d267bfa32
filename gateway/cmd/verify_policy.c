/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/verify_policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "gateway/cmd/verify_file.h"

int
verify_policy_init(struct verify_policy *p, const struct verify_log *l, const struct verify_signers *s)
{
	*p = (struct verify_policy){ .is_signed = s->genesis.signed_policy };
	if (!p->is_signed)
		return FG_OK;
	p->now = s->genesis.policy;
	return verify_file_read(l->dir, "signers/genesis.json", GENESIS_BYTES_MAX, &p->text);
}

void
verify_policy_free(struct verify_policy *p)
{
	verify_file_free(p->text);
	free(p->signatures);
	*p = (struct verify_policy){ 0 };
}

struct papers { /* the statement in the export and the signatures beside it */
	struct view text;
	struct signers_signature sig[SIGNERS_MAX];
	unsigned n;
};

static void
papers_free(struct papers *b)
{
	for (unsigned i = 0; i < b->n; i++)
		verify_file_free(b->sig[i].armour);
	verify_file_free(b->text);
	*b = (struct papers){ 0 };
}

/* FG_ENOTFOUND when the statement is not there. */
static int
papers_read(const char *dir, uint32_t number, struct papers *ret)
{
	char name[64];
	struct papers b = { 0 };
	snprintf(name, sizeof name, "signers/policy-%u.json", number);
	int err = verify_file_read(dir, name, POLICYSET_BYTES_MAX, &b.text);
	while (!err && b.n < SIGNERS_MAX) {
		snprintf(name, sizeof name, "signers/policy-%u.sig.%u", number, b.n);
		err = verify_file_read(dir, name, SSHSIG_ARMOR_MAX, &b.sig[b.n].armour);
		b.n += !err;
	}
	if (err && (err != FG_ENOTFOUND || !b.text.n)) {
		papers_free(&b);
		return err;
	}
	*ret = b;
	return FG_OK;
}

/* Enough may have signed without it, but a signature that is no good has been tampered with. */
static int
check_each(struct verify_log *l, const struct papers *b, const struct policyset *next, const struct signers *set)
{
	for (unsigned i = 0; i < b->n; i++) {
		unsigned persons = 0;
		int err = signers_count(set, b->text, POLICYSET_NAMESPACE, next->time, &b->sig[i], 1, NULL, 0, &persons, NULL,
		    NULL);
		if (err)
			return err;
		if (!verify_signers_is_canonical(b->sig[i].armour))
			verify_log_problem(l, "signers/policy-%u.sig.%u: not spelled as ssh-keygen does", next->number, i);
		else if (!persons)
			verify_log_problem(l, "signers/policy-%u.sig.%u: no good signature by anybody who may sign", next->number,
			    i);
	}
	return FG_OK;
}

/* Chain and persons, those with a suspended key left out; a problem is counted. */
static int
check(const struct verify_policy *p, const struct verify_judge *j, const struct papers *b, const struct policyset *next,
    const struct entry *e, unsigned long long at)
{
	const struct signers *set = verify_signers_set(j->signers, j->set);
	struct signers *left = malloc(sizeof *left);
	int64_t logged = e->t_us / 1000000;
	char why[256] = "";
	int err = left ? verify_judge_counting(j, set, left) : FG_ENOMEM;
	if (!err)
		err = check_each(j->l, b, next, set);
	if (!err)
		err = enact_check_next(&j->signers->genesis, &p->now, p->text, next, b->text, left, b->sig, b->n, why, sizeof why);
	free(left);
	if (err == FG_EPERM) {
		verify_log_problem(j->l, "entry %llu: policy %u was put in force, but %s", at, next->number, why);
		err = FG_OK;
	}
	if (next->time > logged + ENACT_SKEW || next->time < logged - ENACT_WINDOW - ENACT_SKEW)
		verify_log_problem(j->l, "entry %llu: policy %u says it was made at another time", at, next->number);
	return err;
}

static int
adopt(struct verify_policy *p, const struct policyset *next, struct papers *b)
{
	unsigned *more = reallocarray(p->signatures, next->number + 1, sizeof *more);
	if (!more)
		return FG_ENOMEM;
	p->signatures = more;
	p->signatures[next->number] = b->n;
	p->now = *next;
	verify_file_free(p->text);
	p->text = b->text;
	b->text = view_of(NULL, 0);
	return FG_OK;
}

int
verify_policy_enacted(struct verify_policy *p, const struct verify_judge *j, const struct entry *e, uint64_t at)
{
	unsigned long long index = at;
	struct papers b = { 0 };
	char why[256] = "";
	if (!p->is_signed) {
		verify_log_problem(j->l, "entry %llu: puts a policy in force, which genesis lets nobody do", index);
		return FG_OK;
	}
	struct policyset *next = calloc(1, sizeof *next);
	int err = next ? policyset_parse(e->doc, j->signers->genesis.origin, next, why, sizeof why) : FG_ENOMEM;
	if (!err && next->number != p->now.number + 1) {
		snprintf(why, sizeof why, "it is number %u, after %u", next->number, p->now.number);
		err = FG_EFORMAT;
	}
	if (!err)
		err = papers_read(j->l->dir, next->number, &b);
	if (!err && !view_equal(b.text, e->doc)) {
		snprintf(why, sizeof why, "it is not the one of signers/policy-%u.json", next->number);
		err = FG_EFORMAT;
	}
	if (!err)
		err = check(p, j, &b, next, e, index);
	if (!err)
		err = adopt(p, next, &b);
	papers_free(&b);
	free(next);
	if (!err || err == FG_ENOMEM || err == FG_ECRYPTO)
		return err;
	verify_log_problem(j->l, "entry %llu: the policy put in force does not hold: %s", index, why[0] ? why : err_name(err));
	return FG_OK;
}

void
verify_policy_release(const struct verify_policy *p, struct verify_log *l, const struct verify_release *r)
{
	const struct approval_terms *t = &r->record->terms;
	if (p->is_signed && !policyset_has(&p->now, t->profile, t->policy))
		verify_log_problem(l, "entry %llu: released under a policy of %s that was not in force", (unsigned long long)r->at,
		    t->profile);
}

unsigned
verify_policy_signatures(const struct verify_policy *p, uint32_t number)
{
	return number && number <= p->now.number && p->signatures ? p->signatures[number] : 0;
}
