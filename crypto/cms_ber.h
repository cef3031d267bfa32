/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cms_ber - own walk over the outline of a CMS SignedData (RFC 5652, BER).
 * Role: says, independently of OpenSSL's decoder, where the content lies, how
 * many signers there are, and that nothing follows (T5, T8, T9). cms.c compares
 * both readings: where two decoders differ, the file is refused.
 * Guarantees: bounded depth and linear time; never allocates or reads outside.
 */
#ifndef FG_CRYPTO_CMS_BER_H
#define FG_CRYPTO_CMS_BER_H

#include "crypto/view.h"

#define CMS_BER_DEPTH_MAX 24 /* nesting of anything inside; real ones stay below 16 */

/* One element. For a definite length, body and end are known without looking inside. */
struct cms_ber_tlv {
	uint8_t tag;	 /* identifier octet; the multi-byte form is refused */
	bool indefinite; /* ends with two zero bytes, which body does not include */
	struct view body;
	size_t offset; /* of body in the input */
	size_t size;   /* identifier, length, body and end mark */
};

struct cms_ber {
	bool attached;	     /* eContent is there, empty or not */
	struct view content; /* attached: its bytes, borrowed from the input */
	size_t content_offset;
	unsigned signers;
	unsigned certificates;
};

/* The element at offset of input. FG_EFORMAT with *ret_why (static text). */
int cms_ber_tlv(struct view input, size_t offset, struct cms_ber_tlv *ret, const char **ret_why);
/*
 * All of der must be one ContentInfo with a SignedData over pkcs7-data.
 * FG_EFORMAT with *ret_why otherwise. Content in several pieces (constructed
 * OCTET STRING of more than one) is refused: it is not one range of the file.
 */
int cms_ber_walk(struct view der, struct cms_ber *ret, const char **ret_why);

#endif
