/* SPDX-License-Identifier: Apache-2.0 */
/*
 * minisign - signatures and keys of minisign and of OpenBSD's signify
 * (SIGNATURES_DELTAS_DIFF.md section 1.11).
 * Role: the inspector's verify stage, and enrolment of such keys. Guarantees:
 * reading is exact (form, base64, lengths, nothing after it but where a signed
 * text follows); the untrusted comment is never passed on, and the trusted one
 * only when its own signature holds.
 */
#ifndef FG_CRYPTO_MINISIGN_H
#define FG_CRYPTO_MINISIGN_H

#include "crypto/ed25519.h"
#include "crypto/sig.h"
#include "crypto/trust.h"

#define MINISIGN_COMMENT_MAX 8192 /* bytes of either comment: what minisign itself reads */
#define MINISIGN_TEXT_MAX (2 * MINISIGN_COMMENT_MAX + 512) /* a signature with both */
#define MINISIGN_START "untrusted comment:"

enum minisign_form {
	MINISIGN_NONE = 0,
	MINISIGN_HASHED, /* "ED": Ed25519 over BLAKE2b-512 of the file; minisign's default since 0.10 */
	MINISIGN_LEGACY, /* "Ed" with a trusted comment: Ed25519 over the file itself */
	MINISIGN_SIGNIFY, /* "Ed" and no more: signify */
};

struct minisign {
	enum minisign_form form;
	uint8_t keynum[TRUST_KEYNUM_LEN]; /* a hint (T14) */
	uint8_t sig[ED25519_SIG_LEN];
	struct view trusted;              /* text of the trusted comment, borrowed; not of signify */
	uint8_t global[ED25519_SIG_LEN];  /* over sig and that text */
	size_t end;                       /* bytes of the input that belong to the signature */
};

/*
 * Reads a signature. embedded: a signify signature in front of what it signs,
 * ret->end says where that begins; else all of text is the signature.
 * FG_EFORMAT with *ret_why (static text).
 */
int minisign_parse(struct view text, bool embedded, struct minisign *ret, const char **ret_why);
/*
 * The two lines of a public key, of either tool: signify's comment ends in "public
 * key", as signify itself writes it; any other key is minisign's. FG_EFORMAT with
 * *ret_why.
 */
int minisign_parse_key(struct view text, uint8_t ret_keynum[TRUST_KEYNUM_LEN],
    uint8_t ret_key[ED25519_KEY_LEN], enum trust_tool *ret_tool, const char **ret_why);
/* What the arithmetic needs of the file: DIGEST_BLAKE2B512, or DIGEST_NONE: the file itself. */
enum digest_alg minisign_digest(const struct minisign *m);
/* "minisign-blake2b512", "minisign-legacy", "signify". */
const char *minisign_scheme(const struct minisign *m);
/* Whether a signature with that number (TRUST_KEYNUM_LEN bytes) may be by key: the numbers agree, or key has none. */
bool minisign_may_be_by(const struct trust_key *key, const void *keynum);
/*
 * Judges m over what it signs (the digest of minisign_digest(), or the file)
 * with the keys of the set: those whose number is m's, and those without one.
 * Fills scheme, outcome, digest, signer, detail; the time that the trusted
 * comment claims, if it does; covers stays the caller's. 0, FG_ECRYPTO or
 * FG_ENOMEM; ret is untouched on failure.
 */
int minisign_judge(const struct minisign *m, const struct trust *t, struct view signed_,
    struct sig_result *ret);

#endif
