/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/enact.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"

uint32_t
enact_need(const struct genesis *g, const struct signers *set)
{
	return set->threshold > g->floor_production ? set->threshold : g->floor_production;
}

static int __attribute__((format(printf, 3, 4)))
no(char *ret_why, size_t cap, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	if (cap)
		vsnprintf(ret_why, cap, fmt, ap);
	va_end(ap);
	return FG_EPERM;
}

/* All but signatures that must hold whenever the chain is read. */
static int
follows(const struct policyset *old, struct view old_text, const struct policyset *next, const struct signers *set,
    char *ret_why, size_t cap)
{
	uint8_t digest[DIGEST_SHA256_LEN];
	int err = digest_sha256(old_text, digest);
	if (err)
		return err;
	if (next->number >= POLICYSET_CHAIN_MAX) /* nobody follows a chain that is full */
		return no(ret_why, cap, "there have been too many policies");
	if (next->number != old->number + 1 || memcmp(next->previous, digest, sizeof digest))
		return no(ret_why, cap, "it does not follow the policy in force, which is number %u", old->number);
	if (next->time < old->time)
		return no(ret_why, cap, "it is older than the policy in force");
	if (next->signers != set->number || next->signers < old->signers)
		return no(ret_why, cap, "it is for the persons of signer set %u, and set %u is in force: write it anew",
		    next->signers, set->number);
	return FG_OK;
}

int
enact_check_next(const struct genesis *g, const struct policyset *old, struct view old_text,
    const struct policyset *next, struct view next_text, const struct signers *set, const struct signers_signature *sigs,
    unsigned n, char *ret_why, size_t cap)
{
	unsigned persons = 0;
	int err = follows(old, old_text, next, set, ret_why, cap);
	if (!err)
		err = signers_count(set, next_text, POLICYSET_NAMESPACE, next->time, sigs, n, NULL, 0, &persons, NULL, NULL);
	if (!err && persons < enact_need(g, set))
		err = no(ret_why, cap, "policy %u is signed by %u persons of signer set %u, of %u", next->number, persons,
		    set->number, enact_need(g, set));
	return err;
}

static int
proper(const struct enact_case *c, const struct succession_bundle *b, struct enact_answer *a)
{
	int err = policyset_parse(b->text, c->genesis->origin, &a->next, a->why, sizeof a->why);
	if (!err)
		err = follows(c->old, c->old_text, &a->next, c->set, a->why, sizeof a->why);
	if (!err && a->next.time > c->now + ENACT_SKEW)
		err = no(a->why, sizeof a->why, "its time lies in the future");
	if (!err && c->now - a->next.time > ENACT_WINDOW)
		err = no(a->why, sizeof a->why, "it was written more than %d hours ago", ENACT_WINDOW / 3600);
	return err == FG_EPERM || err == FG_EFORMAT ? FG_OK : err;
}

/* Persons with a signature that holds at both times: when it was written, as the chain asks, and now. */
static int
count(const struct enact_case *c, const struct succession_bundle *b, struct enact_answer *a)
{
	struct signers *counting = malloc(sizeof *counting);
	struct signers_signature good[SIGNERS_MAX];
	unsigned n = 0;
	int err = counting ? signers_without(c->set, c->suspended, c->suspended_n, counting) : FG_ENOMEM;
	for (unsigned i = 0; !err && i < b->n; i++) {
		unsigned then = 0, now = 0;
		err = signers_count(counting, b->text, POLICYSET_NAMESPACE, a->next.time, &b->sig[i], 1, NULL, 0, &then, NULL,
		    NULL);
		if (!err)
			err = signers_count(counting, b->text, POLICYSET_NAMESPACE, c->now, &b->sig[i], 1, NULL, 0, &now, NULL,
			    NULL);
		if (!err && then && now) {
			a->good[i] = true;
			good[n++] = b->sig[i];
		}
	}
	if (!err)
		err = signers_count(counting, b->text, POLICYSET_NAMESPACE, c->now, good, n, NULL, 0, &a->have, NULL, NULL);
	free(counting);
	return err;
}

int
enact_judge(const struct enact_case *c, const struct succession_bundle *b, struct enact_answer *ret)
{
	struct enact_answer *a = calloc(1, sizeof *a);
	int err = a ? proper(c, b, a) : FG_ENOMEM;
	if (!err && !a->why[0]) {
		a->proper = true;
		a->need = enact_need(c->genesis, c->set);
		err = count(c, b, a);
		a->enough = !err && a->have >= a->need;
		if (!err && !a->enough)
			(void)no(a->why, sizeof a->why, "%u of %u persons of the signer set in force have signed", a->have,
			    a->need);
	}
	if (!err)
		*ret = *a;
	free(a);
	return err;
}
