/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/digest.h"

#include <limits.h>
#include <stdlib.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "crypto/err.h"

struct digest {
	EVP_MD_CTX *ctx;
};

static const EVP_MD *
method(enum digest_alg alg)
{
	switch (alg) {
	case DIGEST_NONE:
		break;
	case DIGEST_MD5:
		return EVP_md5();
	case DIGEST_SHA1:
		return EVP_sha1();
	case DIGEST_SHA256:
		return EVP_sha256();
	case DIGEST_SHA384:
		return EVP_sha384();
	case DIGEST_SHA512:
		return EVP_sha512();
	case DIGEST_BLAKE2B512:
		return EVP_blake2b512();
	case DIGEST_SHA512_256:
		return EVP_sha512_256();
	case DIGEST_LIMIT:
		break;
	}
	return NULL;
}

const char *
digest_name(enum digest_alg alg)
{
	switch (alg) {
	case DIGEST_NONE:
		break;
	case DIGEST_MD5:
		return "md5";
	case DIGEST_SHA1:
		return "sha1";
	case DIGEST_SHA256:
		return "sha256";
	case DIGEST_SHA384:
		return "sha384";
	case DIGEST_SHA512:
		return "sha512";
	case DIGEST_BLAKE2B512:
		return "blake2b512";
	case DIGEST_SHA512_256:
		return "sha512-256";
	case DIGEST_LIMIT:
		break;
	}
	return "none";
}

size_t
digest_len(enum digest_alg alg)
{
	switch (alg) {
	case DIGEST_NONE:
		break;
	case DIGEST_MD5:
		return 16;
	case DIGEST_SHA1:
		return 20;
	case DIGEST_SHA256:
	case DIGEST_SHA512_256:
		return DIGEST_SHA256_LEN;
	case DIGEST_SHA384:
		return 48;
	case DIGEST_SHA512:
	case DIGEST_BLAKE2B512:
		return DIGEST_LEN_MAX;
	case DIGEST_LIMIT:
		break;
	}
	return 0;
}

bool
digest_is_strong(enum digest_alg alg)
{
	return alg == DIGEST_SHA256 || alg == DIGEST_SHA384 || alg == DIGEST_SHA512 ||
	       alg == DIGEST_BLAKE2B512;
}

struct digest *
digest_new(enum digest_alg alg)
{
	const EVP_MD *md = method(alg);
	if (!md)
		return NULL;
	struct digest *d = calloc(1, sizeof *d);
	if (!d)
		return NULL;
	d->ctx = EVP_MD_CTX_new();
	if (!d->ctx || EVP_DigestInit_ex(d->ctx, md, NULL) != 1) {
		digest_free(d);
		return NULL;
	}
	return d;
}

int
digest_update(struct digest *d, struct view v)
{
	if (v.n && EVP_DigestUpdate(d->ctx, v.p, v.n) != 1)
		return FG_ECRYPTO;
	return 0;
}

/* By way of a local buffer, so that out stays untouched on failure. */
static int
finish(EVP_MD_CTX *ctx, uint8_t *out)
{
	uint8_t md[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	if (EVP_DigestFinal_ex(ctx, md, &n) != 1 || n > DIGEST_LEN_MAX)
		return FG_ECRYPTO;
	memcpy(out, md, n);
	return 0;
}

int
digest_peek_with(const struct digest *d, const struct view *tail, size_t n, uint8_t *out)
{
	EVP_MD_CTX *copy = EVP_MD_CTX_new();
	bool ok = copy && EVP_MD_CTX_copy_ex(copy, d->ctx) == 1;
	for (size_t i = 0; i < n && ok; i++)
		ok = tail[i].n == 0 || EVP_DigestUpdate(copy, tail[i].p, tail[i].n) == 1;
	int err = ok ? finish(copy, out) : FG_ECRYPTO;
	EVP_MD_CTX_free(copy);
	return err;
}

int
digest_peek(const struct digest *d, uint8_t *out)
{
	return digest_peek_with(d, NULL, 0, out);
}

int
digest_final(struct digest *d, uint8_t *out)
{
	return finish(d->ctx, out);
}

struct digest *
digest_copy(const struct digest *d)
{
	struct digest *copy = calloc(1, sizeof *copy);
	if (!copy)
		return NULL;
	copy->ctx = EVP_MD_CTX_new();
	if (copy->ctx && EVP_MD_CTX_copy_ex(copy->ctx, d->ctx) == 1)
		return copy;
	digest_free(copy);
	return NULL;
}

void
digest_free(struct digest *d)
{
	if (!d)
		return;
	EVP_MD_CTX_free(d->ctx);
	free(d);
}

int
digest_bytes(enum digest_alg alg, struct view v, uint8_t *out)
{
	struct digest *d = digest_new(alg);
	if (!d)
		return FG_ECRYPTO;
	int err = digest_update(d, v);
	if (!err)
		err = digest_final(d, out);
	digest_free(d);
	return err;
}

int
digest_sha256(struct view v, uint8_t out[DIGEST_SHA256_LEN])
{
	return digest_bytes(DIGEST_SHA256, v, out);
}

int
digest_hmac_sha256(struct view key, struct view v, uint8_t out[DIGEST_SHA256_LEN])
{
	static const uint8_t nothing[1];
	uint8_t md[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	if (key.n > INT_MAX)
		return FG_ECRYPTO; /* HMAC() counts the key in an int */
	/* What a NULL key means to HMAC() has changed before; empty is what we were given. */
	if (!HMAC(EVP_sha256(), key.n ? key.p : nothing, (int)key.n, v.n ? v.p : nothing, v.n, md,
		&n) ||
	    n != DIGEST_SHA256_LEN)
		return FG_ECRYPTO;
	memcpy(out, md, n);
	return 0;
}
