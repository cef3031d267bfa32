/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/cms_ber.h"

#include "crypto/cms.h"
#include "crypto/err.h"

#define TAG_INTEGER 0x02
#define TAG_OCTETS 0x04
#define TAG_NULL 0x05
#define TAG_OID 0x06
#define TAG_SEQUENCE 0x30
#define TAG_SET 0x31
#define TAG_OCTETS_CONSTRUCTED 0x24
#define TAG_KEY_IDENTIFIER 0x80 /* [0] IMPLICIT OCTET STRING */
#define TAG_CONTEXT_0 0xa0
#define TAG_CONTEXT_1 0xa1
#define CONSTRUCTED 0x20
#define DIGESTS_MAX 16	   /* algorithms announced by one object; five exist */
#define LENGTH_BYTES_MAX 4 /* 16 MiB is the largest object; leading zeros are BER */

static const uint8_t oid_signed_data[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02 };
static const uint8_t oid_data[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01 };

static int
refuse(const char **ret_why, const char *why)
{
	*ret_why = why;
	return FG_EFORMAT;
}

/* Identifier and length octets. Leaves body.n as announced (0 if indefinite), unchecked. */
static int
head(struct view input, size_t offset, struct cms_ber_tlv *ret, const char **ret_why)
{
	struct cms_ber_tlv tlv = { .tag = 0 };
	size_t at = offset;
	if (offset > input.n || input.n - offset < 2)
		return refuse(ret_why, "element cut short");
	tlv.tag = input.p[at++];
	if ((tlv.tag & 0x1f) == 0x1f)
		return refuse(ret_why, "tag number of more than one byte");
	uint8_t first = input.p[at++];
	size_t n = first;
	if (first == 0x80) {
		if (!(tlv.tag & CONSTRUCTED))
			return refuse(ret_why, "indefinite length on a primitive element");
		tlv.indefinite = true;
		n = 0;
	} else if (first > 0x80) {
		size_t bytes = first & 0x7f;
		if (bytes > LENGTH_BYTES_MAX || input.n - at < bytes)
			return refuse(ret_why, "length out of range");
		for (n = 0; bytes > 0; bytes--)
			n = n << 8 | input.p[at++];
	}
	tlv.offset = at;
	tlv.body = view_of(input.p + at, n);
	*ret = tlv;
	return 0;
}

/*
 * Finds the end mark that belongs to an element of indefinite length, whose
 * body starts at offset. Keeps only the ends of open definite elements and
 * counts the open indefinite ones, so hostile nesting costs no recursion.
 */
static int
find_end_mark(struct view input, size_t offset, size_t *ret_end, const char **ret_why)
{
	unsigned open = 1;
	size_t at = offset;
	for (;;) {
		struct cms_ber_tlv tlv;
		int err = head(input, at, &tlv, ret_why);
		if (err)
			return err;
		if (tlv.tag == 0 && tlv.body.n == 0 && tlv.offset - at == 2) {
			if (--open == 0) {
				*ret_end = at;
				return 0;
			}
			at = tlv.offset;
			continue;
		}
		if (tlv.tag == 0)
			return refuse(ret_why, "malformed end mark");
		if (tlv.indefinite) {
			if (++open > CMS_BER_DEPTH_MAX)
				return refuse(ret_why, "nested too deeply");
			at = tlv.offset;
			continue;
		}
		if (tlv.body.n > input.n - tlv.offset)
			return refuse(ret_why, "element longer than what holds it");
		at = tlv.offset + tlv.body.n;
	}
}

int
cms_ber_tlv(struct view input, size_t offset, struct cms_ber_tlv *ret, const char **ret_why)
{
	struct cms_ber_tlv tlv;
	int err = head(input, offset, &tlv, ret_why);
	if (err)
		return err;
	if (tlv.tag == 0)
		return refuse(ret_why, "end mark where an element belongs");
	size_t end = 0;
	if (tlv.indefinite) {
		err = find_end_mark(input, tlv.offset, &end, ret_why);
		if (err)
			return err;
		tlv.body.n = end - tlv.offset;
		tlv.size = end + 2 - offset;
	} else {
		if (tlv.body.n > input.n - tlv.offset)
			return refuse(ret_why, "element longer than what holds it");
		tlv.size = tlv.offset + tlv.body.n - offset;
	}
	*ret = tlv;
	return 0;
}

/* A row of elements inside one parent. Offsets count from the start of the whole input. */
struct row {
	struct view input; /* the whole file up to the end of the parent's body */
	size_t at;
	const char **why;
};

static struct row
row_of(struct view input, const struct cms_ber_tlv *parent, const char **ret_why)
{
	return (struct row){ view_of(input.p, parent->offset + parent->body.n), parent->offset,
		ret_why };
}

static bool
at_end(const struct row *row)
{
	return row->at == row->input.n;
}

static bool
next_is(const struct row *row, uint8_t tag)
{
	return !at_end(row) && row->input.p[row->at] == tag;
}

/* The next element, which must bear this tag. */
static int
expect(struct row *row, uint8_t tag, struct cms_ber_tlv *ret, const char *why)
{
	struct cms_ber_tlv tlv;
	if (!next_is(row, tag))
		return refuse(row->why, why);
	int err = cms_ber_tlv(row->input, row->at, &tlv, row->why);
	if (err)
		return err;
	row->at += tlv.size;
	*ret = tlv;
	return 0;
}

/* eContent: an OCTET STRING in one piece, or constructed with a single piece inside. */
static int
walk_octets(struct view input, const struct cms_ber_tlv *wrapper, struct cms_ber *found,
    const char **ret_why)
{
	struct cms_ber_tlv octets;
	struct row row = row_of(input, wrapper, ret_why);
	int err = 0;
	if (next_is(&row, TAG_OCTETS_CONSTRUCTED)) {
		struct cms_ber_tlv whole;
		err = expect(&row, TAG_OCTETS_CONSTRUCTED, &whole, "");
		if (err)
			return err;
		if (!at_end(&row))
			return refuse(ret_why, "something follows the content");
		row = row_of(input, &whole, ret_why);
	}
	err = expect(&row, TAG_OCTETS, &octets, "content is not an octet string in one piece");
	if (err)
		return err;
	if (!at_end(&row))
		return refuse(ret_why, "content in more than one piece");
	found->attached = true;
	found->content = octets.body;
	found->content_offset = octets.offset;
	return 0;
}

static int
walk_encapsulated(
    struct view input, const struct cms_ber_tlv *info, struct cms_ber *found, const char **ret_why)
{
	struct cms_ber_tlv type, wrapper;
	struct row row = row_of(input, info, ret_why);
	int err = expect(&row, TAG_OID, &type, "encapsulated content without a type");
	if (err)
		return err;
	if (!view_equal(type.body, view_of(oid_data, sizeof oid_data)))
		return refuse(ret_why, "encapsulated content is not of type pkcs7-data");
	if (at_end(&row))
		return 0;
	err = expect(&row, TAG_CONTEXT_0, &wrapper, "unknown element beside the content");
	if (err)
		return err;
	if (!at_end(&row))
		return refuse(ret_why, "something follows the content");
	return walk_octets(input, &wrapper, found, ret_why);
}

/* The small numbers that versions are. */
static int
small_integer(struct row *row, unsigned *ret, const char *why)
{
	struct cms_ber_tlv tlv;
	int err = expect(row, TAG_INTEGER, &tlv, why);
	if (err)
		return err;
	if (tlv.body.n != 1 || tlv.body.p[0] > 5)
		return refuse(row->why, "version number out of range");
	*ret = tlv.body.p[0];
	return 0;
}

/* A digest AlgorithmIdentifier: an OID, and NULL or nothing beside it (RFC 5754 2). */
static int
digest_id(struct row *row, struct view *ret_oid)
{
	struct cms_ber_tlv id, oid, null;
	int err = expect(row, TAG_SEQUENCE, &id, "digest algorithm missing");
	if (err)
		return err;
	struct row inner = row_of(row->input, &id, row->why);
	err = expect(&inner, TAG_OID, &oid, "digest algorithm without an identifier");
	if (!err && !at_end(&inner))
		err = expect(&inner, TAG_NULL, &null, "digest algorithm with parameters");
	if (!err && (!at_end(&inner) || oid.indefinite))
		err = refuse(row->why, "digest algorithm with parameters");
	if (!err)
		*ret_oid = oid.body;
	return err;
}

/* What SignedData says once for all signers, and what its signers have shown so far. */
struct outline {
	struct view digest[DIGESTS_MAX];
	unsigned digest_n;
	unsigned version;
	bool key_identifiers; /* some signer is of version 3 */
	bool other_formats;   /* certificates or CRLs that are not X.509's */
};

static int
walk_digests(
    struct view input, const struct cms_ber_tlv *set, struct outline *o, const char **ret_why)
{
	struct row row = row_of(input, set, ret_why);
	while (!at_end(&row)) {
		if (o->digest_n == DIGESTS_MAX)
			return refuse(ret_why, "more digest algorithms than exist");
		int err = digest_id(&row, &o->digest[o->digest_n]);
		if (err)
			return err;
		o->digest_n++;
	}
	return 0;
}

/*
 * RFC 5652 5.3: the version follows from the kind of identifier, and the digest
 * is one of those announced. None of this is signed; asking for it leaves no
 * byte of an object that may change unseen.
 */
static int
walk_signer(
    struct view input, const struct cms_ber_tlv *signer, struct outline *o, const char **ret_why)
{
	struct cms_ber_tlv sid;
	struct view oid;
	unsigned version;
	struct row row = row_of(input, signer, ret_why);
	int err = small_integer(&row, &version, "signer without a version");
	if (err)
		return err;
	bool by_key = next_is(&row, TAG_KEY_IDENTIFIER);
	err = expect(
	    &row, by_key ? TAG_KEY_IDENTIFIER : TAG_SEQUENCE, &sid, "signer without an identifier");
	if (!err && version != (by_key ? 3 : 1))
		err = refuse(ret_why, "signer's version does not fit its identifier");
	if (!err)
		err = digest_id(&row, &oid);
	if (err)
		return err;
	o->key_identifiers |= by_key;
	for (unsigned i = 0; i < o->digest_n; i++)
		if (view_equal(o->digest[i], oid))
			return 0;
	return refuse(ret_why, "signer's digest algorithm is not among those announced");
}

static int
walk_signers(struct view input, const struct cms_ber_tlv *set, struct outline *o, unsigned *ret_n,
    const char **ret_why)
{
	struct row row = row_of(input, set, ret_why);
	struct cms_ber_tlv signer;
	unsigned n = 0;
	for (; !at_end(&row); n++) {
		int err = expect(&row, TAG_SEQUENCE, &signer, "signer info is not a sequence");
		if (!err)
			err = walk_signer(input, &signer, o, ret_why);
		if (err)
			return err;
	}
	*ret_n = n;
	return 0;
}

/* Certificates or CRLs: counts them, and notes whether all are X.509's (a plain SEQUENCE). */
static int
walk_choices(struct view input, const struct cms_ber_tlv *set, struct outline *o, unsigned *ret_n,
    const char **ret_why)
{
	struct row row = row_of(input, set, ret_why);
	struct cms_ber_tlv choice;
	unsigned n = 0;
	for (; !at_end(&row); n++) {
		int err = cms_ber_tlv(row.input, row.at, &choice, ret_why);
		if (err)
			return err;
		o->other_formats |= choice.tag != TAG_SEQUENCE;
		row.at += choice.size;
	}
	*ret_n = n;
	return 0;
}

/* RFC 5652 5.1, for content of type pkcs7-data. */
static bool
version_fits(const struct outline *o)
{
	if (o->other_formats)
		return o->version >= 3;
	return o->version == (o->key_identifiers ? 3 : 1);
}

static int
walk_signed_data(struct view input, const struct cms_ber_tlv *signed_data, struct cms_ber *found,
    const char **ret_why)
{
	struct cms_ber_tlv tlv;
	struct outline o = { .digest_n = 0 };
	unsigned crls = 0;
	struct row row = row_of(input, signed_data, ret_why);
	int err = small_integer(&row, &o.version, "SignedData without a version");
	if (!err)
		err = expect(&row, TAG_SET, &tlv, "SignedData without digest algorithms");
	if (!err)
		err = walk_digests(input, &tlv, &o, ret_why);
	if (!err)
		err = expect(&row, TAG_SEQUENCE, &tlv, "SignedData without encapsulated content");
	if (!err)
		err = walk_encapsulated(input, &tlv, found, ret_why);
	if (!err && next_is(&row, TAG_CONTEXT_0)) {
		err = expect(&row, TAG_CONTEXT_0, &tlv, "");
		if (!err)
			err = walk_choices(input, &tlv, &o, &found->certificates, ret_why);
	}
	if (!err && next_is(&row, TAG_CONTEXT_1)) {
		err = expect(&row, TAG_CONTEXT_1, &tlv, "");
		if (!err)
			err = walk_choices(input, &tlv, &o, &crls, ret_why);
	}
	if (!err)
		err = expect(&row, TAG_SET, &tlv, "SignedData without signer infos");
	if (!err)
		err = walk_signers(input, &tlv, &o, &found->signers, ret_why);
	if (!err && !at_end(&row))
		err = refuse(ret_why, "something follows the signer infos");
	if (!err && found->signers > 0 && !version_fits(&o))
		err = refuse(ret_why, "SignedData's version does not fit what is in it");
	return err;
}

int
cms_ber_walk(struct view der, struct cms_ber *ret, const char **ret_why)
{
	struct cms_ber_tlv info, type, wrapper, signed_data;
	struct cms_ber found = { .attached = false };
	if (der.n == 0 || der.p[0] != TAG_SEQUENCE)
		return refuse(ret_why, "not a DER SEQUENCE");
	int err = cms_ber_tlv(der, 0, &info, ret_why);
	if (err)
		return err;
	if (info.size != der.n)
		return refuse(ret_why, CMS_WHY_TRAILING);

	struct row row = row_of(der, &info, ret_why);
	err = expect(&row, TAG_OID, &type, "ContentInfo without a type");
	if (!err && !view_equal(type.body, view_of(oid_signed_data, sizeof oid_signed_data)))
		err = refuse(ret_why, "not CMS SignedData");
	if (!err)
		err = expect(&row, TAG_CONTEXT_0, &wrapper, "ContentInfo without content");
	if (err)
		return err;
	if (!at_end(&row))
		return refuse(ret_why, "something follows the SignedData");
	row = row_of(der, &wrapper, ret_why);
	err = expect(&row, TAG_SEQUENCE, &signed_data, "no SignedData inside");
	if (err)
		return err;
	if (!at_end(&row))
		return refuse(ret_why, "something follows the SignedData");
	err = walk_signed_data(der, &signed_data, &found, ret_why);
	if (err)
		return err;
	*ret = found;
	return 0;
}
