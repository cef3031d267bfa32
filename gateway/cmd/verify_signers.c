/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/verify_signers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/approval.h"
#include "crypto/err.h"
#include "gateway/cmd/verify_file.h"

#define ALLOWED_MAX (4u << 20)
#define ALLOWED_NAMESPACES APPROVAL_NAMESPACE "," SIGNERS_NAMESPACE
#define ALLOWED_SIGNED_POLICY APPROVAL_NAMESPACE "," POLICYSET_NAMESPACE "," SIGNERS_NAMESPACE

struct bundle { /* one statement and the signatures beside it */
	struct view text;
	struct view sig[SIGNERS_MAX];
	struct signers_signature borrowed[SIGNERS_MAX];
	unsigned n;
};

static void
bundle_free(struct bundle *b)
{
	for (unsigned i = 0; i < b->n; i++)
		verify_file_free(b->sig[i]);
	verify_file_free(b->text);
	*b = (struct bundle){ 0 };
}

/* signers/<name>.json and signers/<name>.sig.0.. FG_ENOTFOUND when there is no such set. */
static int
bundle_read(const char *dir, const char *stem, struct bundle *ret)
{
	char name[64];
	struct bundle b = { 0 };
	snprintf(name, sizeof name, "signers/%s.json", stem);
	int err = verify_file_read(dir, name, SIGNERS_SET_BYTES_MAX, &b.text);
	while (!err && b.n < SIGNERS_MAX) {
		snprintf(name, sizeof name, "signers/%s.sig.%u", stem, b.n);
		err = verify_file_read(dir, name, SSHSIG_ARMOR_MAX, &b.sig[b.n]);
		if (err)
			break;
		b.borrowed[b.n].armour = b.sig[b.n];
		b.n++;
	}
	if (err && (err != FG_ENOTFOUND || !b.text.n)) {
		bundle_free(&b);
		return err;
	}
	*ret = b;
	return FG_OK;
}

bool
verify_signers_is_canonical(struct view armour)
{
	struct writer blob, again;
	writer_init(&blob, SSHSIG_ARMOR_MAX);
	writer_init(&again, SSHSIG_ARMOR_MAX);
	bool good = sshsig_dearmor(armour, &blob, NULL) == FG_OK;
	if (good)
		sshsig_armor(writer_view(&blob), &again);
	good = good && !writer_err(&again) && view_equal(writer_view(&again), armour);
	writer_free(&blob);
	writer_free(&again);
	return good;
}

/* The threshold may be met without it, but a signature that is no good has been tampered with. */
static int
check_each(struct verify_log *l, const char *stem, const struct bundle *b, const struct signers *old,
    const struct signers *set)
{
	for (unsigned i = 0; i < b->n; i++) {
		unsigned by_old = 0, by_new = 0;
		int err = signers_count(set, b->text, SIGNERS_NAMESPACE, set->time, &b->borrowed[i], 1, NULL, 0, &by_new, NULL,
		    NULL);
		if (!err && old)
			err = signers_count(old, b->text, SIGNERS_NAMESPACE, set->time, &b->borrowed[i], 1, NULL, 0, &by_old,
			    NULL, NULL);
		if (err)
			return err;
		if (!verify_signers_is_canonical(b->sig[i]))
			verify_log_problem(l, "signers/%s.sig.%u: not spelled as ssh-keygen does", stem, i);
		else if (!by_old && !by_new)
			verify_log_problem(l, "signers/%s.sig.%u: no good signature by anybody who may sign", stem, i);
	}
	return FG_OK;
}

static int
add_set(struct verify_signers *s, const struct signers *next, struct view text)
{
	struct signers *more = reallocarray(s->later, s->later_n + 1, sizeof *more);
	if (!more)
		return FG_ENOMEM;
	s->later = more;
	uint8_t (*digests)[DIGEST_SHA256_LEN] = reallocarray(s->later_digest, s->later_n + 1, sizeof *digests);
	if (!digests)
		return FG_ENOMEM;
	s->later_digest = digests;
	int err = digest_sha256(text, digests[s->later_n]);
	if (!err)
		more[s->later_n++] = *next;
	return err;
}

static int
count_signatures(struct verify_signers *s, uint32_t number, unsigned n)
{
	unsigned *more = reallocarray(s->signatures, number + 1, sizeof *more);
	if (!more)
		return FG_ENOMEM;
	s->signatures = more;
	s->signatures[number] = n;
	return FG_OK;
}

/* The set after the newest one. previous is taken over. FG_ENOTFOUND at the end of the chain. */
static int
follow(struct verify_log *l, struct verify_signers *s, struct bundle *previous, char *why, size_t cap)
{
	struct bundle b = { 0 };
	char stem[16];
	uint32_t number = s->later_n + 1;
	const struct signers *old = verify_signers_set(s, s->later_n);
	snprintf(stem, sizeof stem, "%u", number);
	int err = bundle_read(l->dir, stem, &b);
	if (err)
		return err;
	struct signers *next = calloc(1, sizeof *next);
	err = next ? signers_parse(b.text, s->genesis.origin, next, why, cap) : FG_ENOMEM;
	if (!err)
		err = check_each(l, stem, &b, old, next);
	if (!err)
		err = signers_check_next(old, previous->text, next, b.text, b.borrowed, b.n, next->time, why, cap);
	if (!err)
		err = count_signatures(s, number, b.n);
	if (!err)
		err = add_set(s, next, b.text);
	free(next);
	if (err) {
		bundle_free(&b);
		return err;
	}
	bundle_free(previous);
	*previous = b;
	return FG_OK;
}

/* What stock ssh-keygen is given must say the same as the sets do. */
static int
check_allowed(struct verify_log *l, const struct verify_signers *s)
{
	struct writer w;
	struct view file;
	const char *namespaces = s->genesis.signed_policy ? ALLOWED_SIGNED_POLICY : ALLOWED_NAMESPACES;
	writer_init(&w, ALLOWED_MAX);
	int err = FG_OK;
	for (uint32_t i = 0; !err && i <= s->later_n; i++)
		err = signers_allowed(verify_signers_set(s, i), namespaces, &w);
	int missing = err ? FG_OK : verify_file_read(l->dir, "signers/allowed_signers", ALLOWED_MAX, &file);
	if (missing)
		verify_log_problem(l, "signers/allowed_signers: %s", err_name(missing));
	else if (!err) {
		if (!view_equal(file, writer_view(&w)))
			verify_log_problem(l, "signers/allowed_signers: not the keys of the signer sets");
		verify_file_free(file);
	}
	writer_free(&w);
	return err;
}

int
verify_signers_read(struct verify_log *l, struct verify_signers *ret)
{
	struct bundle b = { 0 };
	char why[256] = "";
	*ret = (struct verify_signers){ 0 };
	int err = bundle_read(l->dir, "genesis", &b);
	if (!err)
		err = genesis_parse(b.text, &ret->genesis, why, sizeof why);
	if (!err)
		err = check_each(l, "genesis", &b, NULL, &ret->genesis.set);
	if (!err)
		err = genesis_check(&ret->genesis, b.text, b.borrowed, b.n, ret->genesis.set.time, why, sizeof why);
	if (!err)
		err = digest_sha256(b.text, ret->digest);
	if (!err)
		err = count_signatures(ret, 0, b.n);
	if (err && err != FG_ENOMEM && err != FG_ECRYPTO) {
		verify_log_problem(l, "signers/genesis.json: %s", why[0] ? why : err_name(err));
		err = FG_EFORMAT;
	}
	if (err) {
		bundle_free(&b);
		return err;
	}
	while (!err && ret->later_n < SIGNERS_CHAIN_MAX)
		err = follow(l, ret, &b, why, sizeof why);
	bundle_free(&b);
	if (err && err != FG_ENOTFOUND && err != FG_ENOMEM && err != FG_ECRYPTO) {
		verify_log_problem(l, "signers/%u.json: %s", ret->later_n + 1, why[0] ? why : err_name(err));
		err = FG_OK;
	}
	if (err == FG_ENOTFOUND)
		err = FG_OK;
	return err ? err : check_allowed(l, ret);
}

void
verify_signers_free(struct verify_signers *s)
{
	free(s->later);
	free(s->later_digest);
	free(s->signatures);
	*s = (struct verify_signers){ 0 };
}

const struct signers *
verify_signers_set(const struct verify_signers *s, uint32_t number)
{
	if (number == 0)
		return &s->genesis.set;
	return number <= s->later_n ? &s->later[number - 1] : NULL;
}

const uint8_t *
verify_signers_digest(const struct verify_signers *s, uint32_t number)
{
	return number ? s->later_digest[number - 1] : s->digest;
}

unsigned
verify_signers_signatures(const struct verify_signers *s, uint32_t number)
{
	return s->signatures[number];
}

int
verify_signers_count(const struct verify_log *l, const struct verify_signers *s, uint32_t number,
    const struct signers *by, unsigned *ret_persons)
{
	const struct signers *set = verify_signers_set(s, number);
	struct bundle b = { 0 };
	char stem[16] = "genesis";
	*ret_persons = 0;
	if (!set)
		return FG_OK;
	if (number)
		snprintf(stem, sizeof stem, "%u", number);
	int err = bundle_read(l->dir, stem, &b);
	if (!err)
		err = signers_count(by, b.text, SIGNERS_NAMESPACE, set->time, b.borrowed, b.n, NULL, 0, ret_persons, NULL, NULL);
	bundle_free(&b);
	return err == FG_ENOMEM || err == FG_ECRYPTO ? err : FG_OK;
}
