/* SPDX-License-Identifier: Apache-2.0 */
#include "images/mcuboot_tlv.h"

#include <stdarg.h>
#include <stdio.h>

#include "crypto/err.h"
#include "crypto/reader.h"

static const struct {
	uint16_t type;
	bool unguarded; /* bootutil's allowed_unprot_tlvs */
	const char *name;
} known[] = {
	{ MCUBOOT_KEYHASH, true, "keyhash" },
	{ MCUBOOT_PUBKEY, true, "pubkey" },
	{ MCUBOOT_SHA256, true, "sha256" },
	{ MCUBOOT_SHA384, true, "sha384" },
	{ MCUBOOT_SHA512, true, "sha512" },
	{ MCUBOOT_RSA2048_PSS, true, "rsa2048-pss" },
	{ MCUBOOT_ECDSA_P224, true, "ecdsa-p224" },
	{ MCUBOOT_ECDSA, true, "ecdsa" },
	{ MCUBOOT_RSA3072_PSS, true, "rsa3072-pss" },
	{ MCUBOOT_ED25519, true, "ed25519" },
	{ MCUBOOT_SIG_PURE, true, "sig-pure" },
	{ MCUBOOT_ENC_RSA2048, true, "enc-rsa2048" },
	{ MCUBOOT_ENC_KW, true, "enc-kw" },
	{ MCUBOOT_ENC_EC256, true, "enc-ec256" },
	{ MCUBOOT_ENC_X25519, true, "enc-x25519" },
	{ MCUBOOT_ENC_X25519_SHA512, true, "enc-x25519-sha512" },
	{ MCUBOOT_DEPENDENCY, false, "dependency" },
	{ MCUBOOT_SEC_CNT, false, "security-counter" },
	{ MCUBOOT_BOOT_RECORD, false, "boot-record" },
	{ MCUBOOT_DECOMP_SIZE, false, "decompressed-size" },
	{ MCUBOOT_DECOMP_SHA, false, "decompressed-hash" },
	{ MCUBOOT_DECOMP_SIGNATURE, false, "decompressed-signature" },
	{ MCUBOOT_COMP_DEC_SIZE, false, "compressed-decrypted-size" },
	{ MCUBOOT_UUID_VID, false, "vendor-uuid" },
	{ MCUBOOT_UUID_CID, false, "class-uuid" },
};

enum digest_alg
mcuboot_tlv_hash(uint16_t type)
{
	switch (type) {
	case MCUBOOT_SHA256:
		return DIGEST_SHA256;
	case MCUBOOT_SHA384:
		return DIGEST_SHA384;
	case MCUBOOT_SHA512:
		return DIGEST_SHA512;
	default:
		return DIGEST_NONE;
	}
}

bool
mcuboot_tlv_is_signature(uint16_t type)
{
	return type >= MCUBOOT_RSA2048_PSS && type <= MCUBOOT_ED25519;
}

bool
mcuboot_tlv_is_of_expansion(uint16_t type)
{
	return type >= MCUBOOT_DECOMP_SIZE && type <= MCUBOOT_COMP_DEC_SIZE;
}

const char *
mcuboot_tlv_name(uint16_t type)
{
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (known[i].type == type)
			return known[i].name;
	return NULL;
}

bool
mcuboot_tlv_may_be_unguarded(uint16_t type)
{
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (known[i].type == type)
			return known[i].unguarded;
	return false;
}

static void __attribute__((format(printf, 4, 5)))
refuse(struct mcuboot_image *m, enum finding_id id, uint64_t where, const char *fmt, ...)
{
	va_list ap;
	m->bad = true;
	m->finding = id;
	m->where = where;
	va_start(ap, fmt);
	vsnprintf(m->why, sizeof m->why, fmt, ap);
	va_end(ap);
}

/* Up to eight bytes at a place; false beyond the end or on a failure, which *err then says. */
static bool
fetch(const struct source *image, uint64_t at, void *buf, size_t n, int *err)
{
	int got = source_read(image, at, buf, n);
	if (got && got != FG_ELIMIT)
		*err = got;
	return got == 0;
}

static bool
pair(const struct source *image, uint64_t at, uint16_t *first, uint16_t *second, int *err)
{
	uint8_t b[MCUBOOT_TLV_HEAD];
	struct reader r;
	if (!fetch(image, at, b, sizeof b, err))
		return false;
	reader_init(&r, view_of(b, sizeof b));
	*first = reader_u16le(&r);
	*second = reader_u16le(&r);
	return true;
}

static int
read_header(const struct source *image, struct mcuboot_image *m)
{
	uint8_t b[MCUBOOT_HEADER_LEN];
	struct reader r;
	int err = 0;
	if (!fetch(image, 0, b, sizeof b, &err)) {
		refuse(m, FINDING_FMT_MALFORMED, 0, "shorter than an MCUboot header");
		return err;
	}
	reader_init(&r, view_of(b, sizeof b));
	uint32_t magic = reader_u32le(&r);
	m->load_addr = reader_u32le(&r);
	m->header = reader_u16le(&r);
	m->guarded = reader_u16le(&r);
	m->body = reader_u32le(&r);
	m->flags = reader_u32le(&r);
	m->version.major = reader_u8(&r);
	m->version.minor = reader_u8(&r);
	m->version.revision = reader_u16le(&r);
	m->version.build = reader_u32le(&r);
	m->pad = reader_u32le(&r);
	m->covered = (uint64_t)m->header + m->body + m->guarded;
	if (magic == MCUBOOT_MAGIC_LEGACY)
		refuse(m, FINDING_FMT_MALFORMED, 0,
		    "an image of MCUboot before 1.0, which no bootloader of today boots");
	else if (magic != MCUBOOT_MAGIC)
		refuse(m, FINDING_FMT_MALFORMED, 0, "no MCUboot header");
	else if (m->header < MCUBOOT_HEADER_LEN)
		refuse(m, FINDING_FMT_MALFORMED, 8, "the header says that it has %u bytes", m->header);
	else if (m->covered > image->size)
		refuse(m, FINDING_FMT_MALFORMED, 8, "header, body and protected area would end at byte %llu",
		    (unsigned long long)m->covered);
	return 0;
}

/* The records between at and end, which must be filled exactly. */
static int
read_area(const struct source *image, uint64_t at, uint64_t end, bool guarded, struct mcuboot_image *m)
{
	int err = 0;
	while (at < end && !m->bad && !err) {
		struct mcuboot_tlv t = { .guarded = guarded, .at = at + MCUBOOT_TLV_HEAD };
		if (m->n == MCUBOOT_TLV_MAX)
			refuse(m, FINDING_FMT_WALK_LIMIT, at, "more than %u records", MCUBOOT_TLV_MAX);
		else if (end - at < MCUBOOT_TLV_HEAD || !pair(image, at, &t.type, &t.length, &err) ||
		         t.length > end - t.at)
			refuse(m, FINDING_FMT_MALFORMED, at, "a record reaches out of the %s area",
			    guarded ? "protected" : "unprotected");
		else
			m->tlv[m->n++] = t;
		at = t.at + t.length;
	}
	return err;
}

int
mcuboot_tlv_read(const struct source *image, struct mcuboot_image *ret)
{
	uint16_t magic = 0, length = 0;
	*ret = (struct mcuboot_image){ .bad = false };
	int err = read_header(image, ret);
	if (err || ret->bad)
		return err;
	uint64_t guarded = ret->covered - ret->guarded;
	if (!pair(image, guarded, &magic, &length, &err)) {
		refuse(ret, FINDING_FMT_MALFORMED, guarded, "no records follow the body");
		return err;
	}
	if (magic == MCUBOOT_GUARDED_MAGIC && length != ret->guarded)
		refuse(ret, FINDING_FMT_CONFLICT, guarded,
		    "the protected area says that it has %u bytes, the header %u", length, ret->guarded);
	else if (magic != MCUBOOT_GUARDED_MAGIC && ret->guarded)
		refuse(ret, FINDING_FMT_CONFLICT, guarded,
		    "the header speaks of a protected area of %u bytes, and none is there", ret->guarded);
	else if (ret->guarded && ret->guarded < MCUBOOT_TLV_HEAD)
		refuse(ret, FINDING_FMT_MALFORMED, guarded, "a protected area of %u bytes", ret->guarded);
	else if (ret->guarded)
		err = read_area(image, guarded + MCUBOOT_TLV_HEAD, ret->covered, true, ret);
	if (err || ret->bad)
		return err;
	if (!pair(image, ret->covered, &magic, &length, &err) || magic != MCUBOOT_AREA_MAGIC) {
		refuse(ret, FINDING_FMT_MALFORMED, ret->covered, "no unprotected area");
		return err;
	}
	ret->end = ret->covered + length;
	if (length < MCUBOOT_TLV_HEAD || ret->end > image->size) {
		refuse(ret, FINDING_FMT_MALFORMED, ret->covered, "an unprotected area of %u bytes", length);
		return 0;
	}
	return read_area(image, ret->covered + MCUBOOT_TLV_HEAD, ret->end, false, ret);
}
