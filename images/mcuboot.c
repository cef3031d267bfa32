/* SPDX-License-Identifier: Apache-2.0 */
#include "images/mcuboot.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/err.h"
#include "crypto/hex.h"
#include "crypto/keyform.h"
#include "crypto/pubkey.h"
#include "crypto/reader.h"
#include "images/mcuboot_expand.h"
#include "images/mcuboot_tail.h"
#include "images/mcuboot_tlv.h"

#define IMAGES_MAX 8       /* one behind the other; a device has one for each core */
#define SIGNATURE_MAX 384  /* RSA-3072 */
#define FACT_BYTES_MAX 60  /* in hexadecimal within CONTENTS_VALUE_MAX; of a SHA-512 the rest is not shown */
#define ECDSA_PADDED_MAX 104 /* DER of P-384, to which old tools filled up with zeros */

/* Flags of the header. */
#define F_AES128 0x0004u
#define F_AES256 0x0008u
#define F_NON_BOOTABLE 0x0010u
#define F_RAM_LOAD 0x0020u
#define F_ROM_FIXED 0x0100u
#define F_ENCRYPTED (F_AES128 | F_AES256)
#define F_KNOWN (F_ENCRYPTED | F_NON_BOOTABLE | F_RAM_LOAD | F_ROM_FIXED | MCUBOOT_F_COMPRESSED)

/* What goes together: bootutil is built for one of these, and no image chooses another mix. */
static const struct scheme {
	uint16_t signature, hash;
	const char *key_type;
	enum trust_scheme as;
	const char *name;
} schemes[] = {
	{ MCUBOOT_RSA2048_PSS, MCUBOOT_SHA256, "rsa-2048", TRUST_RSA_PSS_SHA256,
	    "mcuboot/rsa-2048-pss-sha256" },
	{ MCUBOOT_RSA3072_PSS, MCUBOOT_SHA256, "rsa-3072", TRUST_RSA_PSS_SHA256,
	    "mcuboot/rsa-3072-pss-sha256" },
	{ MCUBOOT_ECDSA, MCUBOOT_SHA256, "ec-p256", TRUST_ECDSA_DER, "mcuboot/ecdsa-p256-sha256" },
	{ MCUBOOT_ECDSA, MCUBOOT_SHA384, "ec-p384", TRUST_ECDSA_DER, "mcuboot/ecdsa-p384-sha384" },
	{ MCUBOOT_ED25519, MCUBOOT_SHA256, "ed25519", TRUST_ED25519, "mcuboot/ed25519-sha256" },
	{ MCUBOOT_ED25519, MCUBOOT_SHA512, "ed25519", TRUST_ED25519, "mcuboot/ed25519-sha512" },
};

/* One image at work. */
struct job {
	struct walk *w;
	struct mcuboot_image m;
	struct mcuboot_tail tail;
	struct walk_span span;      /* what is signed */
	const struct mcuboot_tlv *hash; /* NULL: none */
	enum digest_alg alg;
	uint8_t sum[DIGEST_LEN_MAX]; /* of the span, in alg */
	bool hash_fits;
	bool pure;
	bool opaque;                /* encrypted: hash and signatures are over what is not here */
	struct walk_signed by;      /* all its signatures */
};

/* What a signature says about its key, and who may be tried. */
struct hint {
	const char *key_type;
	const uint8_t *hash; /* of the key; NULL: none is given */
	enum digest_alg alg;
	const EVP_PKEY *key; /* the key itself; NULL: none is given */
};

static int
load(struct job *j, const struct mcuboot_tlv *t, uint8_t *buf, size_t cap)
{
	return t->length > cap ? FG_EFORMAT : source_read(j->w->image, t->at, buf, t->length);
}

/* The record, its type and length too. */
static void
record_is_structure(struct job *j, const struct mcuboot_tlv *t)
{
	walk_structure(j->w, t->at - MCUBOOT_TLV_HEAD, (uint64_t)t->length + MCUBOOT_TLV_HEAD);
}

/* ---- the rules ---- */

/* One record by itself: where it may stand, and that it is known. */
static void
check_record(struct job *j, const struct mcuboot_tlv *t)
{
	const char *name = mcuboot_tlv_name(t->type);
	uint64_t at = t->at - MCUBOOT_TLV_HEAD;
	if (!t->guarded && !mcuboot_tlv_may_be_unguarded(t->type))
		walk_raise(j->w, FINDING_FMT_MALFORMED, &at,
		    "record 0x%04x (%s) stands in the unprotected area, where anyone can put it", t->type,
		    name ? name : "not MCUboot's own");
	else if (!name)
		walk_raise(j->w, FINDING_FMT_UNKNOWN_PART, &at, "record 0x%04x of %u bytes%s", t->type,
		    t->length, (t->type & 0xff) >= 0xa0 ? ", reserved for vendors" : "");
	if (t->type >= MCUBOOT_ENC_RSA2048 && t->type <= MCUBOOT_ENC_X25519_SHA512 &&
	    !(j->m.flags & F_ENCRYPTED))
		walk_raise(j->w, FINDING_FMT_CONFLICT, &at,
		    "an encryption key (%s) in an image that does not say that it is encrypted", name);
}

/* Records that must not be there twice, because readers take the first or the last. */
static bool
is_single(uint16_t type)
{
	return mcuboot_tlv_hash(type) != DIGEST_NONE || mcuboot_tlv_is_of_expansion(type) ||
	       type == MCUBOOT_SEC_CNT || type == MCUBOOT_SIG_PURE || type == MCUBOOT_UUID_VID ||
	       type == MCUBOOT_UUID_CID;
}

static void
check_doubles(struct job *j, unsigned i)
{
	const struct mcuboot_tlv *t = &j->m.tlv[i];
	uint64_t at = t->at - MCUBOOT_TLV_HEAD;
	for (unsigned k = 0; k < i; k++) {
		const struct mcuboot_tlv *o = &j->m.tlv[k];
		bool hashes = mcuboot_tlv_hash(t->type) != DIGEST_NONE && mcuboot_tlv_hash(o->type) != DIGEST_NONE;
		if ((is_single(t->type) && o->type == t->type) || hashes) {
			walk_raise(j->w, FINDING_FMT_DUPLICATE, &at, "%s after %s",
			    mcuboot_tlv_name(t->type), mcuboot_tlv_name(o->type));
			return;
		}
	}
}

static int
check_pure(struct job *j, const struct mcuboot_tlv *t)
{
	uint8_t value = 0;
	uint64_t at = t->at;
	int err = t->length == 1 ? source_read(j->w->image, t->at, &value, 1) : 0;
	j->pure = value == 1;
	if (!err && !j->pure)
		walk_raise(j->w, FINDING_FMT_MALFORMED, &at, "sig-pure is not one byte of 1");
	return err;
}

/* All records in order; finds the hash and the mode, which judging needs. */
static int
check_records(struct job *j)
{
	int err = 0;
	for (unsigned i = 0; i < j->m.n && !err; i++) {
		const struct mcuboot_tlv *t = &j->m.tlv[i];
		check_record(j, t);
		check_doubles(j, i);
		if (mcuboot_tlv_hash(t->type) != DIGEST_NONE && !j->hash)
			j->hash = t;
		if (t->type == MCUBOOT_SIG_PURE)
			err = check_pure(j, t);
	}
	if (j->m.flags & ~F_KNOWN)
		walk_raise(j->w, FINDING_FMT_UNKNOWN_PART, NULL, "header flags 0x%08" PRIx32,
		    j->m.flags & ~F_KNOWN);
	if (j->m.pad)
		walk_raise(j->w, FINDING_FMT_UNKNOWN_PART, NULL,
		    "the header's reserved word is 0x%08" PRIx32, j->m.pad);
	return err;
}

static int
check_hash(struct job *j)
{
	uint8_t said[DIGEST_LEN_MAX];
	uint64_t at;
	if (!j->hash) {
		if (!j->pure)
			walk_raise(j->w, FINDING_FMT_MALFORMED, NULL,
			    "no hash record, without which no bootloader takes an image");
		return 0;
	}
	at = j->hash->at;
	j->alg = mcuboot_tlv_hash(j->hash->type);
	int err = walk_digest(j->w, &j->span, j->alg, j->sum);
	if (err)
		return err;
	if (j->hash->length == digest_len(j->alg)) {
		err = load(j, j->hash, said, sizeof said);
		j->hash_fits = !err && memcmp(said, j->sum, digest_len(j->alg)) == 0;
	}
	if (err || j->hash_fits)
		return err;
	/* The tool hashes before it encrypts; an image "encrypted in the clear" fits. */
	j->opaque = (j->m.flags & F_ENCRYPTED) && j->hash->length == digest_len(j->alg);
	if (!j->opaque)
		walk_raise(j->w, FINDING_FMT_INTEGRITY, &at,
		    "the %s of header, body and protected area is another", digest_name(j->alg));
	return 0;
}

/* ---- signatures ---- */

static bool
may_have_signed(const struct trust_key *key, const void *arg)
{
	const struct hint *h = arg;
	uint8_t sum[DIGEST_LEN_MAX];
	if (strcmp(key->key_type, h->key_type) != 0)
		return false;
	if (h->key && EVP_PKEY_eq(key->pkey, h->key) != 1)
		return false;
	return !h->hash || (keyform_mcuboot_hash(key->pkey, h->alg, sum) == 0 &&
	                       memcmp(sum, h->hash, digest_len(h->alg)) == 0);
}

/* A hint of a length that no digest has would match whatever a careless reader compares. */
static int
read_hint(struct job *j, const struct mcuboot_tlv *t, uint8_t hash[DIGEST_LEN_MAX], EVP_PKEY **ret_key,
    struct hint *h)
{
	uint8_t der[KEYFORM_DER_MAX];
	uint64_t at = t->at;
	int err = 0;
	if (t->type == MCUBOOT_PUBKEY) {
		err = load(j, t, der, sizeof der);
		if (!err)
			err = keyform_from_der(view_of(der, t->length), ret_key);
		h->key = err ? NULL : *ret_key;
	} else {
		for (enum digest_alg a = DIGEST_SHA256; a <= DIGEST_SHA512; a++)
			if (digest_len(a) == t->length)
				h->alg = a;
		err = h->alg == DIGEST_NONE ? FG_EFORMAT : load(j, t, hash, DIGEST_LEN_MAX);
		h->hash = err ? NULL : hash;
	}
	if (err != FG_EFORMAT)
		return err;
	walk_raise(j->w, FINDING_FMT_MALFORMED, &at, "%s of %u bytes is none",
	    mcuboot_tlv_name(t->type), t->length);
	return 0;
}

static const struct scheme *
scheme_of(const struct job *j, const struct mcuboot_tlv *t)
{
	for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
		if (schemes[i].signature == t->type && j->hash && schemes[i].hash == j->hash->type)
			return &schemes[i];
	return NULL;
}

/* Old tools filled ECDSA signatures up with zeros to the longest length; others are as long as they say. */
static size_t
without_padding(const uint8_t *sig, size_t n)
{
	size_t der = n > 2 && sig[0] == 0x30 && sig[1] < 0x80 ? 2 + (size_t)sig[1] : n;
	if (der >= n || n > ECDSA_PADDED_MAX)
		return n;
	for (size_t i = der; i < n; i++)
		if (sig[i] != 0)
			return n;
	return der;
}

static int
judge_by_key(struct job *j, const struct mcuboot_tlv *t, const struct mcuboot_tlv *named,
    const struct scheme *s, struct walk_signed *ret)
{
	uint8_t sig[SIGNATURE_MAX], hash[DIGEST_LEN_MAX];
	struct hint h = { .key_type = s->key_type };
	EVP_PKEY *key = NULL;
	struct walk_claim claim = { .scheme = s->name,
		.as = s->as,
		.span = j->span,
		.candidate = may_have_signed,
		.arg = &h };
	int err = load(j, t, sig, sizeof sig);
	if (!err && named)
		err = read_hint(j, named, hash, &key, &h);
	if (!err) {
		size_t n = t->type == MCUBOOT_ECDSA ? without_padding(sig, t->length) : t->length;
		claim.signature = view_of(sig, n);
		claim.embedded = key;
		if (t->type == MCUBOOT_ED25519 && j->pure) {
			claim.scheme = "mcuboot/ed25519-pure";
		} else if (t->type == MCUBOOT_ED25519) {
			claim.have_message = true;
			claim.message = view_of(j->sum, digest_len(j->alg));
		}
		err = walk_keys(j->w, &claim, ret);
	}
	EVP_PKEY_free(key);
	/* What fits is checked to its last byte; of anything else nobody knows what it is. */
	if (!err && walk_verified(j->w, *ret)) {
		record_is_structure(j, t);
		if (h.hash || h.key)
			record_is_structure(j, named);
	}
	return err;
}

/* named is the key record that stands before it, or NULL. */
static int
judge_signature(struct job *j, const struct mcuboot_tlv *t, const struct mcuboot_tlv *named)
{
	static const struct scheme pure = { MCUBOOT_ED25519, 0, "ed25519", TRUST_ED25519,
		"mcuboot/ed25519-pure" };
	const struct scheme *s = j->pure && t->type == MCUBOOT_ED25519 ? &pure : scheme_of(j, t);
	const char *name = mcuboot_tlv_name(t->type);
	char scheme[48];
	struct walk_signed by = { .n = 0 };
	snprintf(scheme, sizeof scheme, "mcuboot/%s", name);
	if (j->opaque) {
		walk_settle(j->w, scheme, SIG_OPAQUE,
		    "it is over the image before encryption, for which the device's key is needed");
		return 0;
	}
	if (t->type == MCUBOOT_ECDSA_P224) {
		walk_settle(j->w, scheme, SIG_WEAK, "P-224, which MCUboot itself gave up");
		return 0;
	}
	if (!s || (j->pure && t->type != MCUBOOT_ED25519)) {
		walk_settle(j->w, scheme, SIG_INVALID, "%s %s: no bootloader has that mix", name,
		    j->pure ? "in pure mode" : j->hash ? mcuboot_tlv_name(j->hash->type) : "without a hash");
		return 0;
	}
	if (t->length > SIGNATURE_MAX) {
		walk_settle(j->w, scheme, SIG_INVALID, "a signature of %u bytes", t->length);
		return 0;
	}
	return judge_by_key(j, t, named, s, &by);
}

/* A signature goes with the last key record before it, which it uses up (bootutil_img_validate). */
static int
judge_signatures(struct job *j)
{
	unsigned mark = walk_mark(j->w);
	const struct mcuboot_tlv *named = NULL;
	int err = 0;
	for (unsigned i = 0; i < j->m.n && !err; i++) {
		const struct mcuboot_tlv *t = &j->m.tlv[i];
		if (t->type == MCUBOOT_KEYHASH || t->type == MCUBOOT_PUBKEY)
			named = t;
		if (!mcuboot_tlv_is_signature(t->type))
			continue;
		err = judge_signature(j, t, named);
		named = NULL;
	}
	j->by = walk_since(j->w, mark);
	return err;
}

/* ---- claims ---- */

static void
version_text(struct mcuboot_version v, char ret[32])
{
	snprintf(ret, 32, "%u.%u.%u+%" PRIu32, v.major, v.minor, v.revision, v.build);
}

static void
fact_hex(struct job *j, enum contents_fact_id id, const char *before, const uint8_t *p, size_t n)
{
	struct walk_signed nobody = { .n = 0 };
	char text[CONTENTS_VALUE_MAX], hex[2 * DIGEST_LEN_MAX + 1];
	hex_encode(p, n < FACT_BYTES_MAX ? n : FACT_BYTES_MAX, hex);
	snprintf(text, sizeof text, "%.16s%.*s", before, 2 * FACT_BYTES_MAX, hex);
	walk_fact(j->w, id, id == CONTENTS_FACT_KEY_HINT ? nobody : j->by, view_str(text));
}

static void
dependency(struct job *j, struct view bytes)
{
	struct reader r;
	char text[96], version[32];
	struct mcuboot_version v;
	reader_init(&r, bytes);
	uint8_t image = reader_u8(&r), slot = reader_u8(&r);
	(void)reader_u16le(&r);
	v.major = reader_u8(&r);
	v.minor = reader_u8(&r);
	v.revision = reader_u16le(&r);
	v.build = reader_u32le(&r);
	version_text(v, version);
	snprintf(text, sizeof text, "image %u%s at least %s", image,
	    slot == 1 ? " (primary slot)" : slot == 2 ? " (secondary slot)" : "", version);
	walk_fact(j->w, CONTENTS_FACT_REQUIRES, j->by, view_str(text));
}

/* Exact lengths of what is read; 0: any. */
static uint16_t
due_length(uint16_t type)
{
	switch (type) {
	case MCUBOOT_SEC_CNT:
	case MCUBOOT_DECOMP_SIZE:
	case MCUBOOT_COMP_DEC_SIZE:
		return 4;
	case MCUBOOT_DEPENDENCY:
		return 12;
	case MCUBOOT_UUID_VID:
	case MCUBOOT_UUID_CID:
		return 16;
	default:
		return 0;
	}
}

/* Only the protected area's words: those of the other are anybody's. */
static int
claim(struct job *j, const struct mcuboot_tlv *t)
{
	uint8_t b[DIGEST_LEN_MAX];
	struct reader r;
	char text[64];
	uint16_t due = due_length(t->type);
	uint64_t at = t->at;
	if (due && t->length != due) {
		walk_raise(j->w, FINDING_FMT_MALFORMED, &at, "%s of %u bytes instead of %u",
		    mcuboot_tlv_name(t->type), t->length, due);
		return 0;
	}
	if (t->length > sizeof b)
		return 0;
	int err = load(j, t, b, sizeof b);
	reader_init(&r, view_of(b, t->length));
	if (err)
		return err;
	switch (t->type) {
	case MCUBOOT_SEC_CNT:
		walk_fact_uint(j->w, CONTENTS_FACT_SECURITY_COUNTER, j->by, reader_u32le(&r));
		break;
	case MCUBOOT_DEPENDENCY:
		dependency(j, view_of(b, t->length));
		break;
	case MCUBOOT_UUID_VID:
		fact_hex(j, CONTENTS_FACT_COMPATIBLE, "vendor ", b, t->length);
		break;
	case MCUBOOT_UUID_CID:
		fact_hex(j, CONTENTS_FACT_COMPATIBLE, "class ", b, t->length);
		break;
	case MCUBOOT_DECOMP_SIZE:
		snprintf(text, sizeof text, "%" PRIu32 " bytes when decompressed", reader_u32le(&r));
		walk_fact(j->w, CONTENTS_FACT_NOTE, j->by, view_str(text));
		break;
	case MCUBOOT_DECOMP_SHA:
		fact_hex(j, CONTENTS_FACT_NOTE, "decompressed ", b, t->length <= 32 ? t->length : 32);
		break;
	default:
		break;
	}
	return 0;
}

static void
flags(struct job *j)
{
	static const struct {
		uint32_t bit;
		const char *word;
	} words[] = { { F_AES128, "encrypted-aes128" }, { F_AES256, "encrypted-aes256" },
		{ F_NON_BOOTABLE, "non-bootable" }, { F_RAM_LOAD, "ram-load" },
		{ F_ROM_FIXED, "rom-fixed" }, { MCUBOOT_F_LZMA1, "lzma1" },
		{ MCUBOOT_F_LZMA2, "lzma2" }, { MCUBOOT_F_ARM_THUMB, "arm-thumb-filter" } };
	char text[64];
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (j->m.flags & words[i].bit)
			walk_fact(j->w, CONTENTS_FACT_TYPE, j->by, view_str(words[i].word));
	if (j->m.flags & (F_RAM_LOAD | F_ROM_FIXED)) {
		snprintf(text, sizeof text, "made for address 0x%08" PRIx32, j->m.load_addr);
		walk_fact(j->w, CONTENTS_FACT_NOTE, j->by, view_str(text));
	}
	if (j->opaque)
		walk_raise(j->w, FINDING_FMT_ENCRYPTED, NULL,
		    "the body of %" PRIu32 " bytes, and with it what hash and signatures are over",
		    j->m.body);
	else if (j->m.flags & F_ENCRYPTED)
		walk_fact(j->w, CONTENTS_FACT_NOTE, j->by,
		    view_str("said to be encrypted, and lies here in the clear"));
	if ((j->m.flags & MCUBOOT_F_LZMA1) && (j->m.flags & MCUBOOT_F_LZMA2))
		walk_raise(j->w, FINDING_FMT_CONFLICT, NULL,
		    "said to be both LZMA1 and LZMA2: a bootloader refuses it, or takes it for what it was built for");
}

static int
claims(struct job *j)
{
	char version[32];
	uint8_t hint[DIGEST_LEN_MAX];
	int err = 0;
	version_text(j->m.version, version);
	walk_fact(j->w, CONTENTS_FACT_VERSION, j->by, view_str(version));
	flags(j);
	for (unsigned i = 0; i < j->m.n && !err; i++) {
		const struct mcuboot_tlv *t = &j->m.tlv[i];
		if (t->guarded)
			err = claim(j, t);
		if (t->type != MCUBOOT_KEYHASH || t->length > sizeof hint || err)
			continue;
		err = load(j, t, hint, sizeof hint);
		if (!err)
			fact_hex(j, CONTENTS_FACT_KEY_HINT, "", hint, t->length);
	}
	if (!err && j->hash_fits)
		fact_hex(j, CONTENTS_FACT_DIGEST, "", j->sum, digest_len(j->alg));
	return err;
}

/* ---- bytes ---- */

/* The heads of the records; without a signature they are as much the sender's as the image. */
static void
structure(struct job *j)
{
	if (!walk_verified(j->w, j->by))
		return;
	walk_structure(j->w, j->m.covered, MCUBOOT_TLV_HEAD);
	for (unsigned i = 0; i < j->m.n; i++) {
		const struct mcuboot_tlv *t = &j->m.tlv[i];
		if ((t == j->hash && j->hash_fits) || (t->type == MCUBOOT_SIG_PURE && j->pure))
			record_is_structure(j, t);
	}
}

/* A bootloader that was built for it starts something that nobody saw here, let alone verified. */
static void
packed_otherwise(struct job *j)
{
	walk_raise(j->w, FINDING_FMT_UNKNOWN_PART, NULL,
	    "the body is compressed in a way that no tool makes; its expanded form, with a hash and"
	    " a signature of its own, was not looked at");
	if (walk_verified(j->w, j->by))
		walk_raise(j->w, FINDING_FMT_INTEGRITY, NULL,
		    "what a bootloader would unpack and start has no signature that was verified");
}

/* Of a packed body there is nothing to say but what comes out of it. */
static int
body(struct job *j)
{
	struct walk_member m = { .name = view_str("body"),
		.at = { j->m.header, j->m.body },
		.by = j->by,
		.inside = true,
		.plain = j->opaque || (j->m.flags & MCUBOOT_F_COMPRESSED) };
	if (!j->opaque && mcuboot_expand_can(&j->m))
		return mcuboot_expand(j->w, &j->m, j->by);
	if (!j->opaque && (j->m.flags & MCUBOOT_F_COMPRESSED))
		packed_otherwise(j);
	return j->m.body ? walk_member(j->w, &m, NULL) : 0;
}

/*
 * What follows the records, up to the next image. The trailer's magic and flags
 * stay unsigned bytes: a device heeds them. So do zeros beside a magic, which on
 * flash that erases to ones are flags of the sender's choice.
 */
static void
tail(struct job *j)
{
	static const char *const names[MCUBOOT_TAIL_FLAGS] = { "image_ok", "copy_done", "swap_info" };
	const struct mcuboot_tail *t = &j->tail;
	struct walk_signed nobody = { .n = 0 };
	uint64_t at = j->m.end, magic = t->trailer ? t->end - MCUBOOT_TAIL_MAGIC_LEN : t->end;
	bool erased = !t->trailer || !t->zeros;
	char text[64];
	if (t->trailer)
		walk_raise(j->w, FINDING_FMT_UNKNOWN_PART, &magic,
		    "the image asks to be swapped in, by a trailer that no signature covers");
	if (t->stray) {
		uint64_t stray = t->stray_at;
		walk_raise(j->w, t->next ? FINDING_FMT_HIDDEN_BYTES : FINDING_FMT_TRAILING_BYTES, &stray,
		    "byte %" PRIu64 " behind the records is neither erased flash nor of the trailer",
		    stray - j->m.end);
		return;
	}
	for (unsigned i = MCUBOOT_TAIL_FLAGS; i-- > 0;) {
		if (!t->flag[i].set)
			continue;
		snprintf(text, sizeof text, "the trailer sets %s to %u", names[i], t->flag[i].value);
		walk_fact(j->w, CONTENTS_FACT_NOTE, nobody, view_str(text));
		if (erased)
			walk_structure(j->w, at, t->flag[i].at - at);
		at = t->flag[i].at + 1;
	}
	if (erased)
		walk_structure(j->w, at, magic - at);
}

/* ---- several images ---- */

/* Where the image that starts at start ends, its tail too: the start of the next, or the end of all. */
static int
extent(const struct source *all, uint64_t start, uint64_t *ret_end)
{
	struct mcuboot_image *m = malloc(sizeof *m);
	struct mcuboot_tail t;
	struct source s;
	int err = m ? source_window(all, start, all->size - start, &s) : FG_ENOMEM;
	if (!err)
		err = mcuboot_tlv_read(&s, m);
	*ret_end = all->size;
	if (!err && !m->bad) {
		err = mcuboot_tail_read(&s, m->end, &t);
		*ret_end = start + t.end;
	}
	free(m);
	return err;
}

/* Each image behind the first is one of its own, with its own signatures. */
static int
followers(struct job *j)
{
	uint64_t start = j->tail.end, end = 0;
	int err = 0;
	for (unsigned n = 2; start < j->w->image->size && !err; n++, start = end) {
		if (n > IMAGES_MAX) {
			walk_raise(j->w, FINDING_FMT_WALK_LIMIT, &start, "more than %u images", IMAGES_MAX);
			walk_raise(j->w, FINDING_FMT_TRAILING_BYTES, &start,
			    "another image follows, whose signatures were not looked at");
			break;
		}
		err = extent(j->w->image, start, &end);
		if (err)
			break;
		err = walk_follower(j->w, n, (struct sig_range){ start, end - start });
	}
	return err;
}

static int
judge(struct job *j)
{
	int err = check_records(j);
	if (!err)
		err = check_hash(j);
	if (!err)
		err = judge_signatures(j);
	if (!err)
		err = claims(j);
	if (!err)
		err = body(j);
	if (!err)
		structure(j);
	return err;
}

int
mcuboot_walk(struct walk *w)
{
	struct job *j = calloc(1, sizeof *j);
	if (!j)
		return FG_ENOMEM;
	j->w = w;
	int err = mcuboot_tlv_read(w->image, &j->m);
	if (!err && j->m.bad) {
		walk_raise(w, j->m.finding, &j->m.where, "%s", j->m.why);
		free(j);
		return 0;
	}
	if (!err)
		err = mcuboot_tail_read(w->image, j->m.end, &j->tail);
	if (!err) {
		j->span = (struct walk_span){ .range = { { 0, j->m.covered } }, .n = 1 };
		err = judge(j);
	}
	if (!err)
		tail(j);
	if (!err && j->tail.next)
		err = followers(j);
	free(j);
	return err;
}
