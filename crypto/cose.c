/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/cose.h"

#include "crypto/cbor.h"
#include "crypto/err.h"

enum { TAG_MAC0 = 17, TAG_SIGN1 = 18, TAG_MAC = 97, TAG_SIGN = 98 };
enum { HEADER_ALG = 1, HEADER_CRIT = 2, HEADER_KID = 4 };

static const struct {
	int64_t alg;
	enum trust_scheme as;
	const char *name;
} algs[] = {
	{ -7, TRUST_ECDSA_FIXED, "ES256" },
	{ -35, TRUST_ECDSA_FIXED, "ES384" },
	{ -8, TRUST_ED25519, "EdDSA" },
	{ -37, TRUST_RSA_PSS_SHA256, "PS256" },
	{ -38, TRUST_RSA_PSS_SHA384, "PS384" },
	{ -39, TRUST_RSA_PSS_SHA512, "PS512" },
};

#define ALGS (sizeof algs / sizeof *algs)

const char *
cose_alg_name(int64_t alg)
{
	for (size_t i = 0; i < ALGS; i++)
		if (algs[i].alg == alg)
			return algs[i].name;
	return "unknown";
}

/* One header map. */
struct headers {
	bool have_alg, have_crit, twice;
	int64_t alg;
	struct view kid;
};

static bool
read_headers(struct reader *r, struct headers *h)
{
	int64_t seen[COSE_HEADERS_MAX];
	size_t n = cbor_map(r, COSE_HEADERS_MAX), seen_n = 0;
	for (size_t i = 0; i < n && !r->bad; i++) {
		if (cbor_peek(r) == CBOR_TEXT) { /* private names: whatever they say, they are not critical */
			(void)cbor_text(r);
			(void)cbor_skip(r);
			continue;
		}
		int64_t key = cbor_int(r);
		for (size_t k = 0; k < seen_n; k++)
			h->twice |= seen[k] == key;
		seen[seen_n++] = key;
		if (key == HEADER_ALG && (cbor_peek(r) == CBOR_UINT || cbor_peek(r) == CBOR_NEGATIVE)) {
			h->have_alg = true;
			h->alg = cbor_int(r);
		} else if (key == HEADER_KID) {
			h->kid = cbor_bytes(r);
		} else {
			h->have_crit |= key == HEADER_CRIT;
			(void)cbor_skip(r);
		}
	}
	return !r->bad;
}

/* Protected and unprotected headers of a body or a signature. */
static const char *
read_both(struct reader *r, struct view *ret_protected, struct headers *p, struct headers *u)
{
	struct reader inner;
	*ret_protected = cbor_bytes(r);
	reader_init(&inner, *ret_protected);
	if (r->bad)
		return "its protected header is no byte string";
	if (ret_protected->n > 0 && (!read_headers(&inner, p) || !reader_end(&inner)))
		return "its protected header is no map";
	if (!read_headers(r, u))
		return "its unprotected header is no map";
	if (p->twice || u->twice)
		return "a header stands there twice";
	if (p->have_crit || u->have_crit)
		return "it has critical headers, of which none is known here";
	return NULL;
}

static const char *
take(struct cose_signature *s, const struct headers *p, const struct headers *u)
{
	if (!p->have_alg)
		return u->have_alg ? "the algorithm is not in the protected header" : "it names no algorithm";
	s->alg = p->alg;
	for (size_t i = 0; i < ALGS; i++)
		if (algs[i].alg == p->alg)
			s->as = algs[i].as;
	s->kid = p->kid.n ? p->kid : u->kid;
	return NULL;
}

static void
read_payload(struct reader *r, struct cose *c)
{
	c->have_payload = cbor_peek(r) == CBOR_BYTES;
	if (c->have_payload)
		c->payload = cbor_bytes(r);
	else
		cbor_null(r);
}

static const char *
read_sign1(struct reader *r, struct cose *c)
{
	struct cose_signature *s = &c->signature[0];
	struct headers p = { .have_alg = false }, u = { .have_alg = false };
	if (cbor_array(r, 4) != 4)
		return "COSE_Sign1 is an array of four";
	const char *why = read_both(r, &s->body, &p, &u);
	if (why)
		return why;
	read_payload(r, c);
	s->signature = cbor_bytes(r);
	s->one = true;
	c->n = 1;
	return r->bad ? "payload or signature are malformed" : take(s, &p, &u);
}

static const char *
read_sign(struct reader *r, struct cose *c)
{
	struct headers p = { .have_alg = false }, u = { .have_alg = false };
	struct view body;
	if (cbor_array(r, 4) != 4)
		return "COSE_Sign is an array of four";
	const char *why = read_both(r, &body, &p, &u);
	if (why)
		return why;
	read_payload(r, c);
	size_t n = cbor_array(r, COSE_SIGNERS_MAX);
	if (r->bad || n == 0)
		return "it has no signature, or more than sixteen";
	for (size_t i = 0; i < n && !why; i++) {
		struct cose_signature *s = &c->signature[c->n++];
		struct headers sp = { .have_alg = false }, su = { .have_alg = false };
		s->body = body;
		if (cbor_array(r, 3) != 3)
			return "COSE_Signature is an array of three";
		why = read_both(r, &s->sign, &sp, &su);
		s->signature = cbor_bytes(r);
		if (!why)
			why = r->bad ? "a signature is malformed" : take(s, &sp, &su);
	}
	return why;
}

int
cose_parse(struct view bytes, struct cose *ret, const char **ret_why)
{
	struct cose c = { .n = 0 };
	struct reader r;
	const char *why = NULL;
	reader_init(&r, bytes);
	uint64_t tag = cbor_tag(&r);
	if (r.bad)
		why = "it has no tag";
	else if (tag == TAG_SIGN1)
		why = read_sign1(&r, &c);
	else if (tag == TAG_SIGN)
		why = read_sign(&r, &c);
	else if (tag == TAG_MAC0 || tag == TAG_MAC)
		c.mac = cbor_skip(&r).n > 0;
	else
		why = "its tag is of no kind of signature";
	if (!why && !reader_end(&r))
		why = r.bad ? "malformed CBOR" : "bytes after the signature";
	if (why) {
		*ret_why = why;
		return FG_EFORMAT;
	}
	*ret = c;
	return 0;
}

static void
put_head(struct writer *w, enum cbor_major major, uint64_t n)
{
	uint8_t kind = (uint8_t)((unsigned)major << 5);
	if (n < 24) {
		writer_u8(w, (uint8_t)(kind | n));
	} else if (n < 0x100) {
		writer_u8(w, kind | 24);
		writer_u8(w, (uint8_t)n);
	} else if (n < 0x10000) {
		writer_u8(w, kind | 25);
		writer_u16(w, (uint16_t)n);
	} else {
		writer_u8(w, kind | 26); /* nothing here is longer than 4 GiB */
		writer_u32(w, (uint32_t)n);
	}
}

static void
put_string(struct writer *w, enum cbor_major major, struct view v)
{
	put_head(w, major, v.n);
	writer_bytes(w, v);
}

void
cose_tbs(const struct cose_signature *s, struct view payload, struct writer *w)
{
	put_head(w, CBOR_ARRAY, s->one ? 4 : 5);
	put_string(w, CBOR_TEXT, view_str(s->one ? "Signature1" : "Signature"));
	put_string(w, CBOR_BYTES, s->body);
	if (!s->one)
		put_string(w, CBOR_BYTES, s->sign);
	put_string(w, CBOR_BYTES, view_of(NULL, 0)); /* external_aad */
	put_string(w, CBOR_BYTES, payload);
}
