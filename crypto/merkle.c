/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/merkle.h"

#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/evp.h>

#include "crypto/err.h"
#include "crypto/reader.h"

/* Domain separation of RFC 9162 2.1.1: a leaf can never pass as a node. */
#define PREFIX_LEAF 0x00
#define PREFIX_NODE 0x01

struct merkle {
	EVP_MD *md;
	EVP_MD_CTX *ctx;
};

struct merkle *
merkle_new(void)
{
	struct merkle *m = calloc(1, sizeof *m);
	if (!m)
		return NULL;
	m->md = EVP_MD_fetch(NULL, "SHA256", NULL);
	m->ctx = EVP_MD_CTX_new();
	if (!m->md || !m->ctx) {
		ERR_clear_error();
		merkle_free(m);
		return NULL;
	}
	return m;
}

void
merkle_free(struct merkle *m)
{
	if (!m)
		return;
	EVP_MD_CTX_free(m->ctx);
	EVP_MD_free(m->md);
	free(m);
}

/* SHA-256(head || body); either part may be empty. */
static int
hash_two(struct merkle *m, struct view head, struct view body, uint8_t ret[MERKLE_HASH_LEN])
{
	uint8_t out[MERKLE_HASH_LEN];
	bool ok = EVP_DigestInit_ex2(m->ctx, m->md, NULL) == 1 &&
	    (head.n == 0 || EVP_DigestUpdate(m->ctx, head.p, head.n) == 1) &&
	    (body.n == 0 || EVP_DigestUpdate(m->ctx, body.p, body.n) == 1) &&
	    EVP_DigestFinal_ex(m->ctx, out, NULL) == 1;
	if (!ok) {
		ERR_clear_error();
		return FG_ECRYPTO;
	}
	memcpy(ret, out, sizeof out);
	return 0;
}

int
merkle_leaf(struct merkle *m, struct view entry, uint8_t ret[MERKLE_HASH_LEN])
{
	const uint8_t prefix = PREFIX_LEAF;
	return hash_two(m, view_of(&prefix, 1), entry, ret);
}

int
merkle_node(struct merkle *m, const uint8_t left[MERKLE_HASH_LEN],
    const uint8_t right[MERKLE_HASH_LEN], uint8_t ret[MERKLE_HASH_LEN])
{
	uint8_t in[1 + 2 * MERKLE_HASH_LEN];
	in[0] = PREFIX_NODE;
	memcpy(in + 1, left, MERKLE_HASH_LEN);
	memcpy(in + 1 + MERKLE_HASH_LEN, right, MERKLE_HASH_LEN);
	return hash_two(m, view_of(in, sizeof in), view_of(NULL, 0), ret);
}

int
merkle_empty(struct merkle *m, uint8_t ret[MERKLE_HASH_LEN])
{
	return hash_two(m, view_of(NULL, 0), view_of(NULL, 0), ret);
}

unsigned
merkle_range_peaks(const struct merkle_range *r)
{
	return (unsigned)__builtin_popcountll(r->size);
}

int
merkle_range_push(struct merkle *m, struct merkle_range *r, const uint8_t leaf[MERKLE_HASH_LEN])
{
	if (r->size >= MERKLE_SIZE_MAX)
		return FG_ELIMIT;
	uint8_t hash[MERKLE_HASH_LEN];
	memcpy(hash, leaf, sizeof hash);
	/* Adding one carries through the low set bits; each carry merges two peaks of one height. */
	unsigned n = merkle_range_peaks(r);
	for (uint64_t bits = r->size; bits & 1; bits >>= 1) {
		int rc = merkle_node(m, r->peak[--n], hash, hash);
		if (rc < 0)
			return rc;
	}
	memcpy(r->peak[n], hash, sizeof hash);
	r->size++;
	return 0;
}

int
merkle_range_root(struct merkle *m, const struct merkle_range *r, uint8_t ret[MERKLE_HASH_LEN])
{
	unsigned n = merkle_range_peaks(r);
	if (n == 0)
		return merkle_empty(m, ret);
	uint8_t hash[MERKLE_HASH_LEN];
	memcpy(hash, r->peak[--n], sizeof hash);
	while (n > 0) {
		int rc = merkle_node(m, r->peak[--n], hash, hash);
		if (rc < 0)
			return rc;
	}
	memcpy(ret, hash, sizeof hash);
	return 0;
}

size_t
merkle_range_encode(const struct merkle_range *r, uint8_t buf[MERKLE_RANGE_MAX])
{
	for (unsigned i = 0; i < 8; i++)
		buf[i] = (uint8_t)(r->size >> (56 - 8 * i));
	size_t n = (size_t)merkle_range_peaks(r) * MERKLE_HASH_LEN;
	memcpy(buf + 8, r->peak, n);
	return 8 + n;
}

int
merkle_range_decode(struct view in, struct merkle_range *ret)
{
	struct reader r;
	struct merkle_range range = { 0 };
	reader_init(&r, in);
	range.size = reader_u64(&r);
	if (range.size > MERKLE_SIZE_MAX)
		return FG_EFORMAT;
	unsigned n = merkle_range_peaks(&range);
	for (unsigned i = 0; i < n; i++)
		reader_copy(&r, range.peak[i], MERKLE_HASH_LEN);
	if (!reader_end(&r))
		return FG_EFORMAT;
	*ret = range;
	return 0;
}

static bool
equal(const uint8_t a[MERKLE_HASH_LEN], const uint8_t b[MERKLE_HASH_LEN])
{
	return memcmp(a, b, MERKLE_HASH_LEN) == 0; /* hashes are public: no need for constant time */
}

int
merkle_verify_inclusion(struct merkle *m, uint64_t index, uint64_t size,
    const uint8_t leaf[MERKLE_HASH_LEN], const struct merkle_proof *proof,
    const uint8_t root[MERKLE_HASH_LEN], bool *ret_proven)
{
	*ret_proven = false;
	if (index >= size || size > MERKLE_SIZE_MAX || proof->n > MERKLE_PROOF_MAX)
		return 0;
	uint64_t fn = index;
	uint64_t sn = size - 1;
	uint8_t r[MERKLE_HASH_LEN];
	memcpy(r, leaf, sizeof r);
	for (size_t i = 0; i < proof->n; i++) {
		const uint8_t *p = proof->hash[i];
		int rc;
		if (sn == 0)
			return 0;
		if ((fn & 1) || fn == sn) {
			rc = merkle_node(m, p, r, r);
			while (fn != 0 && !(fn & 1)) {
				fn >>= 1;
				sn >>= 1;
			}
		} else {
			rc = merkle_node(m, r, p, r);
		}
		if (rc < 0)
			return rc;
		fn >>= 1;
		sn >>= 1;
	}
	*ret_proven = sn == 0 && equal(r, root);
	return 0;
}

/* Steps 3 to 7 of 2.1.4.2, once the first hash is known; p..n-1 are the rest of the proof. */
static int
consistency_walk(struct merkle *m, uint64_t fn, uint64_t sn, const struct merkle_proof *proof,
    size_t p, uint8_t fr[MERKLE_HASH_LEN], uint8_t sr[MERKLE_HASH_LEN], bool *ret_complete)
{
	*ret_complete = false;
	for (; p < proof->n; p++) {
		const uint8_t *c = proof->hash[p];
		int rc;
		if (sn == 0)
			return 0;
		if ((fn & 1) || fn == sn) {
			rc = merkle_node(m, c, fr, fr);
			if (rc == 0)
				rc = merkle_node(m, c, sr, sr);
			while (fn != 0 && !(fn & 1)) {
				fn >>= 1;
				sn >>= 1;
			}
		} else {
			rc = merkle_node(m, sr, c, sr);
		}
		if (rc < 0)
			return rc;
		fn >>= 1;
		sn >>= 1;
	}
	*ret_complete = sn == 0;
	return 0;
}

int
merkle_verify_consistency(struct merkle *m, uint64_t size1, uint64_t size2,
    const uint8_t root1[MERKLE_HASH_LEN], const uint8_t root2[MERKLE_HASH_LEN],
    const struct merkle_proof *proof, bool *ret_proven)
{
	*ret_proven = false;
	if (size1 == 0 || size1 > size2 || size2 > MERKLE_SIZE_MAX || proof->n > MERKLE_PROOF_MAX)
		return 0;
	if (size1 == size2) {
		*ret_proven = proof->n == 0 && equal(root1, root2);
		return 0;
	}
	if (proof->n == 0)
		return 0;
	/* A first tree of 2^k leaves is itself the first node, and the proof leaves it out. */
	bool whole = (size1 & (size1 - 1)) == 0;
	uint64_t fn = size1 - 1;
	uint64_t sn = size2 - 1;
	while (fn & 1) {
		fn >>= 1;
		sn >>= 1;
	}
	uint8_t fr[MERKLE_HASH_LEN];
	uint8_t sr[MERKLE_HASH_LEN];
	memcpy(fr, whole ? root1 : proof->hash[0], sizeof fr);
	memcpy(sr, fr, sizeof sr);
	bool complete;
	int rc = consistency_walk(m, fn, sn, proof, whole ? 0 : 1, fr, sr, &complete);
	if (rc < 0)
		return rc;
	*ret_proven = complete && equal(fr, root1) && equal(sr, root2);
	return 0;
}
