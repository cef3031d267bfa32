/* SPDX-License-Identifier: Apache-2.0 */
#include "images/detached.h"

#include <stdio.h>
#include <stdlib.h>

#include "crypto/err.h"
#include "crypto/minisign.h"
#include "crypto/pubkey.h"
#include "crypto/published.h"
#include "crypto/sshsig.h"

#define SSH_START "-----BEGIN SSH SIGNATURE-----"

struct detached {
	enum detached_kind kind;
	struct minisign mini;
	struct sshsig ssh;
	struct writer blob; /* what ssh borrows from */
};

static bool
begins(struct view sig, const char *word)
{
	size_t n = strlen(word);
	return sig.n >= n && memcmp(sig.p, word, n) == 0;
}

enum detached_kind
detached_recognise(struct view sig)
{
	if (begins(sig, MINISIGN_START))
		return DETACHED_MINISIGN;
	return begins(sig, SSH_START) ? DETACHED_SSHSIG : DETACHED_NONE;
}

static int
open_ssh(struct detached *d, struct view sig, const char **ret_why)
{
	int err = sshsig_dearmor(sig, &d->blob, ret_why);
	return err ? err : sshsig_parse(writer_view(&d->blob), &d->ssh, ret_why);
}

int
detached_open(enum detached_kind kind, struct view sig, struct detached **ret, char *ret_why,
    size_t cap)
{
	const char *why = "not a signature of that kind";
	struct detached *d = calloc(1, sizeof *d);
	if (!d)
		return FG_ENOMEM;
	d->kind = kind;
	writer_init(&d->blob, SSHSIG_BLOB_MAX);
	int err = kind == DETACHED_SSHSIG ? open_ssh(d, sig, &why)
	                                  : minisign_parse(sig, false, &d->mini, &why);
	if (err && err != FG_ENOMEM) {
		snprintf(ret_why, cap, "%s", why);
		err = FG_EFORMAT;
	}
	if (err)
		detached_free(d);
	else
		*ret = d;
	return err;
}

void
detached_free(struct detached *d)
{
	if (d)
		writer_free(&d->blob);
	free(d);
}

const char *
detached_scheme(const struct detached *d)
{
	return d->kind == DETACHED_SSHSIG ? "sshsig-ed25519" : minisign_scheme(&d->mini);
}

enum digest_alg
detached_digest(const struct detached *d)
{
	return d->kind == DETACHED_SSHSIG ? d->ssh.hash : minisign_digest(&d->mini);
}

/* The signer is the key in the file; whether it is anybody's whom we know is the set's to say. */
static int
signer_of(const struct sshsig *s, const struct trust *t, struct sig_result *r)
{
	EVP_PKEY *pkey = EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", PUBKEY_PROPQ, s->key.point,
	    ED25519_KEY_LEN);
	if (!pkey)
		return FG_ECRYPTO;
	pubkey_type(pkey, r->signer.key_type);
	int err = pubkey_spki_sha256(pkey, r->signer.spki_sha256);
	EVP_PKEY_free(pkey);
	if (err)
		return err;
	r->signer.have_spki = true;
	r->signer.published_key = published_find(r->signer.spki_sha256) != NULL;
	for (size_t i = 0; i < trust_keys(t); i++) {
		const struct trust_key *key = trust_key_at(t, i);
		if (trust_key_for(key, TRUST_TOOL_OPENSSH) &&
		    memcmp(key->spki_sha256, r->signer.spki_sha256, DIGEST_SHA256_LEN) == 0) {
			snprintf(r->signer.anchor, sizeof r->signer.anchor, "%s", key->name);
			return 0;
		}
	}
	return 0;
}

static int
judge_ssh(const struct detached *d, const struct trust *t, struct view digest, struct sig_result *ret)
{
	static const struct sshsig_rules rules = { .namespace_ = DETACHED_SSH_NAMESPACE };
	struct sig_result r = { .digest = d->ssh.hash, .revocation = SIG_REVOCATION_NOT_APPLICABLE };
	struct sshsig_evidence e;
	char text[SIG_TEXT_MAX];
	snprintf(r.scheme, sizeof r.scheme, "%s", detached_scheme(d));
	if (d->ssh.scheme != SSHSIG_SCHEME_ED25519) {
		sig_worsen(&r, SIG_OPAQUE, "made by an authenticator or a passkey: those approve, firmware they do not sign");
		*ret = r;
		return 0;
	}
	int err = sshsig_verify_digest(&d->ssh, digest, &rules, &e);
	if (err)
		return err;
	if (e.outcome == SSHSIG_WRONG_NAMESPACE) {
		snprintf(text, sizeof text, "made in the namespace \"%.60s\", not \"%s\"", e.namespace_,
		    DETACHED_SSH_NAMESPACE);
		sig_worsen(&r, SIG_INVALID, text);
	} else if (e.outcome != SSHSIG_VERIFIED) {
		sig_worsen(&r, SIG_INVALID, "it does not fit the key in the file");
	} else {
		err = signer_of(&d->ssh, t, &r);
	}
	if (!err && e.outcome == SSHSIG_VERIFIED && !r.signer.anchor[0])
		sig_worsen(&r, SIG_UNTRUSTED,
		    "sound under the key in the file, which the trust set does not hold");
	else if (!err && e.outcome == SSHSIG_VERIFIED) {
		r.outcome = SIG_VERIFIED;
		snprintf(r.detail, sizeof r.detail, "fits key %.160s", r.signer.anchor);
	}
	if (!err)
		*ret = r;
	return err;
}

int
detached_judge(const struct detached *d, const struct trust *t, struct view signed_,
    struct sig_result *ret)
{
	struct sig_result r = { .outcome = SIG_UNKNOWN };
	int err = d->kind == DETACHED_SSHSIG ? judge_ssh(d, t, signed_, &r)
	                                     : minisign_judge(&d->mini, t, signed_, &r);
	if (!err)
		*ret = r;
	return err;
}
