/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/warden/policychain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/enact.h"
#include "crypto/err.h"
#include "gateway/file/wholefile.h"

struct policychain {
	bool is_signed;
	struct policyset now;
	uint8_t *text;
	size_t text_n;
	struct policyset_profile *ever; /* of every policy of the chain: what the one before did not say */
	size_t ever_n;
};

struct policychain *
policychain_new(void)
{
	return calloc(1, sizeof(struct policychain));
}

void
policychain_free(struct policychain *p)
{
	if (!p)
		return;
	free(p->ever);
	free(p->text);
	free(p);
}

/* Before the set takes the place of now. */
static int
note(struct policychain *p, const struct policyset *s)
{
	struct policyset_profile *more = reallocarray(p->ever, p->ever_n + s->n + 1, sizeof *more);
	if (!more)
		return FG_ENOMEM;
	p->ever = more;
	for (uint32_t i = 0; i < s->n; i++)
		if (!policyset_has(&p->now, s->profile[i].name, s->profile[i].sha256))
			p->ever[p->ever_n++] = s->profile[i];
	return FG_OK;
}

static int
take(struct policychain *p, const struct policyset *s, struct view text)
{
	uint8_t *own = malloc(text.n);
	if (!own || note(p, s)) {
		free(own);
		return FG_ENOMEM;
	}
	memcpy(own, text.p, text.n);
	free(p->text);
	p->text = own;
	p->text_n = text.n;
	p->now = *s;
	return FG_OK;
}

/* Signatures of one policy, as many as there are; owned by the caller, also after an error. */
static int
read_sigs(int dirfd, uint32_t number, struct signers_signature *ret, unsigned *ret_n)
{
	char name[48];
	int err = FG_OK;
	*ret_n = 0;
	while (!err && *ret_n < AUTHORITY_SIGS_MAX) {
		uint8_t *p = NULL;
		size_t n = 0;
		snprintf(name, sizeof name, "policy/%u.sig.%u", number, *ret_n);
		err = wholefile_read(dirfd, name, SSHSIG_ARMOR_MAX, &p, &n);
		if (!err)
			ret[(*ret_n)++].armour = view_of(p, n);
	}
	return err == FG_ENOTFOUND ? FG_OK : err;
}

/* The one after the one in force; FG_ENOTFOUND at the end of the chain. */
static int
follow(struct policychain *p, const struct authority *a, int dirfd, char *why, size_t cap)
{
	struct signers_signature sigs[AUTHORITY_SIGS_MAX];
	const struct genesis *g = authority_genesis_get(a);
	char name[48];
	uint8_t *text = NULL;
	size_t text_n = 0;
	unsigned n = 0;
	struct policyset *next = calloc(1, sizeof *next);
	snprintf(name, sizeof name, "policy/%u.json", p->now.number + 1);
	int err = next ? wholefile_read(dirfd, name, POLICYSET_BYTES_MAX, &text, &text_n) : FG_ENOMEM;
	if (!err)
		err = read_sigs(dirfd, p->now.number + 1, sigs, &n);
	if (!err)
		err = policyset_parse(view_of(text, text_n), g->origin, next, why, cap);
	const struct signers *set = err ? NULL : authority_set(a, next->signers);
	if (!err && !set) {
		snprintf(why, cap, "policy %u: there is no signer set %u", next->number, next->signers);
		err = FG_EPERM;
	}
	if (!err)
		err = enact_check_next(g, &p->now, policychain_text(p), next, view_of(text, text_n), set, sigs, n, why, cap);
	if (!err)
		err = take(p, next, view_of(text, text_n));
	for (unsigned i = 0; i < n; i++)
		free((void *)(uintptr_t)sigs[i].armour.p);
	free(text);
	free(next);
	return err;
}

int
policychain_load(struct policychain *p, const struct authority *a, int dirfd, char *ret_why, size_t cap)
{
	const struct genesis *g = authority_genesis_get(a);
	p->is_signed = g->signed_policy;
	if (!p->is_signed)
		return FG_OK;
	int err = take(p, &g->policy, authority_genesis_text(a));
	while (!err)
		err = follow(p, a, dirfd, ret_why, cap);
	return err == FG_ENOTFOUND ? FG_OK : err;
}

const struct policyset *
policychain_now(const struct policychain *p)
{
	return p->is_signed ? &p->now : NULL;
}

struct view
policychain_text(const struct policychain *p)
{
	return view_of(p->text, p->text_n);
}

bool
policychain_ever(const struct policychain *p, const char *profile, const uint8_t sha256[DIGEST_SHA256_LEN])
{
	for (size_t i = 0; i < p->ever_n; i++)
		if (!strcmp(p->ever[i].name, profile) && !memcmp(p->ever[i].sha256, sha256, DIGEST_SHA256_LEN))
			return true;
	return !p->is_signed;
}

int
policychain_adopt(struct policychain *p, const struct policyset *next, struct view text)
{
	return !p->is_signed || next->number != p->now.number + 1 ? FG_ESTATE : take(p, next, text);
}
