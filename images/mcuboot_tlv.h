/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mcuboot_tlv - header and records of one MCUboot image, read and held against
 * the rules of its bootloader's reader; nothing is judged here.
 * Layout (docs/design.md of MCUboot, little-endian): header of at least 32
 * bytes, body, protected area (magic 0x6908, length), unprotected area (magic
 * 0x6907, length); a record is a type, a length and that many bytes. Hash and
 * signatures are over header, body and protected area.
 * Role: images/mcuboot.c. Guarantees: bounded reads; sums of hostile lengths are
 * taken in 64 bits; a record never reaches out of its area.
 */
#ifndef FG_IMAGES_MCUBOOT_TLV_H
#define FG_IMAGES_MCUBOOT_TLV_H

#include "images/finding.h"
#include "images/source.h"

#define MCUBOOT_TLV_MAX 64 /* records of one image; the tool writes about ten */
#define MCUBOOT_TLV_HEAD 4 /* type and length, and an area's magic and length */
#define MCUBOOT_HEADER_LEN 32
#define MCUBOOT_MAGIC 0x96f3b83du
#define MCUBOOT_AREA_MAGIC 0x6907    /* of the unprotected area, ... */
#define MCUBOOT_GUARDED_MAGIC 0x6908 /* ... and of the protected one */
#define MCUBOOT_MAGIC_LEGACY 0x96f3b83cu /* before 1.0: other records, no longer booted */

enum mcuboot_tlv_type {
	MCUBOOT_KEYHASH = 0x01,
	MCUBOOT_PUBKEY = 0x02,
	MCUBOOT_SHA256 = 0x10,
	MCUBOOT_SHA384 = 0x11,
	MCUBOOT_SHA512 = 0x12,
	MCUBOOT_RSA2048_PSS = 0x20,
	MCUBOOT_ECDSA_P224 = 0x21,
	MCUBOOT_ECDSA = 0x22,
	MCUBOOT_RSA3072_PSS = 0x23,
	MCUBOOT_ED25519 = 0x24,
	MCUBOOT_SIG_PURE = 0x25,
	MCUBOOT_ENC_RSA2048 = 0x30,
	MCUBOOT_ENC_KW = 0x31,
	MCUBOOT_ENC_EC256 = 0x32,
	MCUBOOT_ENC_X25519 = 0x33,
	MCUBOOT_ENC_X25519_SHA512 = 0x34,
	MCUBOOT_DEPENDENCY = 0x40,
	MCUBOOT_SEC_CNT = 0x50,
	MCUBOOT_BOOT_RECORD = 0x60,
	MCUBOOT_DECOMP_SIZE = 0x70,
	MCUBOOT_DECOMP_SHA = 0x71,
	MCUBOOT_DECOMP_SIGNATURE = 0x72,
	MCUBOOT_COMP_DEC_SIZE = 0x73,
	MCUBOOT_UUID_VID = 0x74, /* design.md says 0x80 and 0x81; image.h and the tool do not */
	MCUBOOT_UUID_CID = 0x75,
};

struct mcuboot_tlv {
	uint16_t type;
	uint16_t length;
	uint64_t at; /* of its bytes, behind type and length */
	bool guarded; /* in the protected area */
};

struct mcuboot_version {
	uint8_t major, minor;
	uint16_t revision;
	uint32_t build;
};

struct mcuboot_image {
	bool bad; /* it breaks the rules: then only the three fields below are filled */
	enum finding_id finding;
	uint64_t where;
	char why[128];
	uint32_t load_addr, flags;
	uint16_t header, guarded; /* bytes of header and of the protected area, 0 for none */
	uint32_t body;
	uint32_t pad; /* reserved */
	struct mcuboot_version version;
	uint64_t covered; /* what hash and signatures are over: from 0 to here */
	uint64_t end;     /* of the unprotected area, which starts at covered */
	struct mcuboot_tlv tlv[MCUBOOT_TLV_MAX]; /* as they stand */
	unsigned n;
};

/* Reads the image that starts at byte 0. 0 also for a bad one; FG_EIO. */
int mcuboot_tlv_read(const struct source *image, struct mcuboot_image *ret);
/* The digest that such a record holds, of the image; DIGEST_NONE: it is no such record. */
enum digest_alg mcuboot_tlv_hash(uint16_t type);
bool mcuboot_tlv_is_signature(uint16_t type);
/* About the image that a compressed one is expanded to. */
bool mcuboot_tlv_is_of_expansion(uint16_t type);
/* "sha256", "dependency", ...; NULL for one that is not MCUboot's own. */
const char *mcuboot_tlv_name(uint16_t type);
/* May stand in the unprotected area: bootutil's allow-list. Everything else there is forged (its issue 506). */
bool mcuboot_tlv_may_be_unguarded(uint16_t type);

#endif
