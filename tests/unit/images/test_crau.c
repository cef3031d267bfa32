/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/images/zip_rig.h"

#include <bzlib.h>
#include <lzma.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "crypto/hex.h"
#include "images/crau.h"

#define BLOCK 512u

/* ---- payloads, put together field by field ---- */

/* What is wrong with one; each is one sentence of update_engine's rules broken. */
enum lie {
	HONEST,
	MAJOR_1,
	MANIFEST_TOO_LONG,
	MANIFEST_OVERFLOWS,
	SIGNATURE_TOO_LONG,
	DATA_OUTSIDE,
	DATA_OVERFLOWS,
	DATA_TWICE,
	DATA_HOLE,
	DATA_CHANGED,
	DATA_WITHOUT_HASH,
	DATA_OTHER_HASH,
	STREAM_LONGER,
	STREAM_SHORTER,
	STREAM_TRAILING,
	BLOCKS_TWICE,
	BLOCKS_BEYOND,
	BLOCKS_OVERFLOW,
	BLOCKS_MISSING,
	BLOCKS_NONE,
	PARTITION_TWICE,
	PARTITION_HASH,
	PARTITION_WITHOUT_INFO,
	PARTITION_SHORT_HASH,
	POSTINSTALL,
	TYPE_UNKNOWN,
	FIELD_UNKNOWN,
	FIELD_TWICE,
	BLOCK_SIZE_ODD,
	OLD_FORM,
	DELTA,
	TRAILING,
	SIGNATURES_OUTSIDE,
	LIES,
};

static void
varint(struct writer *w, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		writer_u8(w, (uint8_t)(v | 0x80));
	writer_u8(w, (uint8_t)v);
}

static void
number(struct writer *w, unsigned field, uint64_t v)
{
	varint(w, field << 3);
	varint(w, v);
}

static void
bytes(struct writer *w, unsigned field, struct view v)
{
	varint(w, field << 3 | 2);
	varint(w, v.n);
	writer_bytes(w, v);
}

static void
message(struct writer *w, unsigned field, struct writer *inner)
{
	assert_int_equal(writer_err(inner), 0);
	bytes(w, field, writer_view(inner));
	writer_free(inner);
}

/* A partition under construction, and the blobs of all of them. */
struct build {
	enum lie lie;
	struct writer blobs, manifest;
	struct writer part; /* fields of the current partition */
	struct writer image;
	unsigned operations;
};

static size_t
pack(enum crau_type type, struct view v, uint8_t *out, size_t cap)
{
	if (type == CRAU_REPLACE_BZ) {
		unsigned n = (unsigned)cap;
		assert_int_equal(BZ2_bzBuffToBuffCompress((char *)out, &n, (char *)(uintptr_t)v.p, (unsigned)v.n, 9, 0, 0),
		    BZ_OK);
		return n;
	}
	if (type == CRAU_REPLACE_XZ) {
		size_t n = 0;
		assert_int_equal(lzma_easy_buffer_encode(6, LZMA_CHECK_CRC32, NULL, v.p, v.n, out, &n, cap), LZMA_OK);
		return n;
	}
	memcpy(out, v.p, v.n);
	return v.n;
}

/* Appends blocks of the partition and the operation that makes them. */
static void
operation(struct build *b, enum crau_type type, uint8_t fill, unsigned blocks)
{
	static uint8_t out[64 * BLOCK], packed[64 * BLOCK];
	struct writer op, extent;
	uint8_t sum[32];
	bool data = type != CRAU_ZERO && type != CRAU_DISCARD, first = b->operations++ == 0;
	uint64_t start = writer_view(&b->image).n / BLOCK, offset = writer_view(&b->blobs).n;
	size_t n = 0;
	for (size_t i = 0; i < blocks * BLOCK; i++)
		out[i] = data ? (uint8_t)(fill + i / 7) : 0;
	writer_bytes(&b->image, view_of(out, blocks * BLOCK));
	if (data) {
		size_t raw = blocks * BLOCK;
		if (b->lie == STREAM_LONGER && type == CRAU_REPLACE_XZ)
			raw += 1;
		if (b->lie == STREAM_SHORTER && type == CRAU_REPLACE_BZ)
			raw -= BLOCK;
		n = pack(type, view_of(out, raw), packed, sizeof packed);
		if (b->lie == STREAM_TRAILING && type == CRAU_REPLACE_BZ)
			packed[n++] = 0;
	}
	if (b->lie == DATA_TWICE && type == CRAU_REPLACE_XZ)
		offset--;
	else if (b->lie == DATA_HOLE && type == CRAU_REPLACE_XZ) {
		writer_u8(&b->blobs, 0);
		offset++;
	}
	digest_sha256(view_of(packed, n), sum);
	if (b->lie == DATA_CHANGED && first)
		packed[0] ^= 1;
	writer_bytes(&b->blobs, view_of(packed, n));
	writer_init(&op, RIG_MAX);
	number(&op, 1, b->lie == TYPE_UNKNOWN && first ? 77 : b->lie == DELTA && first ? CRAU_SOURCE_BSDIFF : type);
	if (data) {
		if (b->lie == DATA_OUTSIDE && first)
			offset += 1 << 20;
		else if (b->lie == DATA_OVERFLOWS && first)
			offset = UINT64_MAX - 10;
		number(&op, 2, offset);
		number(&op, 3, n);
	}
	if (b->lie == DELTA && first) {
		writer_init(&extent, RIG_MAX);
		number(&extent, 1, 0);
		number(&extent, 2, 1);
		message(&op, 4, &extent);
		bytes(&op, 9, view_of(sum, 32));
	}
	writer_init(&extent, RIG_MAX);
	if (b->lie == BLOCKS_TWICE && !first && start > 0 && type == CRAU_REPLACE_BZ)
		start--;
	else if (b->lie == BLOCKS_BEYOND && type == CRAU_ZERO)
		start++;
	else if (b->lie == BLOCKS_OVERFLOW && first)
		start = UINT64_MAX - 1;
	number(&extent, 1, start);
	number(&extent, 2, b->lie == BLOCKS_NONE && first ? 0 : b->lie == BLOCKS_OVERFLOW && first ? 4 : blocks);
	if (!(b->lie == BLOCKS_MISSING && first))
		message(&op, 6, &extent);
	else
		writer_free(&extent);
	if (b->lie == DATA_OTHER_HASH && first)
		sum[0] ^= 1;
	if (data && !(b->lie == DATA_WITHOUT_HASH && first))
		bytes(&op, 8, view_of(sum, b->lie == PARTITION_SHORT_HASH && first ? 31 : 32));
	message(&b->part, 8, &op);
}

static void
begin(struct build *b, const char *name)
{
	writer_init(&b->part, RIG_MAX);
	writer_init(&b->image, RIG_MAX);
	bytes(&b->part, 1, view_str(name));
	if (b->lie == POSTINSTALL)
		number(&b->part, 2, 1);
}

/* Trims the last block, so that the size is no multiple of it. */
static void
end(struct build *b, size_t less)
{
	struct writer info;
	uint8_t sum[32];
	struct view image = view_of(writer_view(&b->image).p, writer_view(&b->image).n - less);
	digest_sha256(image, sum);
	if (b->lie == PARTITION_HASH)
		sum[0] ^= 1;
	if (b->lie == DELTA) {
		writer_init(&info, RIG_MAX);
		number(&info, 1, 512);
		bytes(&info, 2, view_of(sum, 32));
		message(&b->part, 6, &info);
	}
	writer_init(&info, RIG_MAX);
	number(&info, 1, image.n);
	bytes(&info, 2, view_of(sum, 32));
	if (b->lie != PARTITION_WITHOUT_INFO)
		message(&b->part, 7, &info);
	else
		writer_free(&info);
	message(&b->manifest, 13, &b->part);
	writer_free(&b->image);
}

/* ---- keys and signatures ---- */

struct maker {
	EVP_PKEY *key;
	char *pem, *cert; /* the key, and a certificate of it that has expired */
	unsigned length; /* of its signatures in the message, padding and all */
	unsigned version; /* stands beside them, as old generators wrote it; 0: it does not */
};

static struct maker rsa, ec, other;

static void
maker_new(struct maker *m, EVP_PKEY *key)
{
	BIO *b = BIO_new(BIO_s_mem());
	char *p;
	m->key = key;
	PEM_write_bio_PUBKEY(b, key);
	long n = BIO_get_mem_data(b, &p);
	m->pem = strndup(p, (size_t)n);
	m->length = (unsigned)EVP_PKEY_get_size(key);
	BIO_free(b);
	X509 *x = X509_new();
	b = BIO_new(BIO_s_mem());
	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 9);
	ASN1_TIME_set(X509_getm_notBefore(x), RIG_NOW - 4000L * 86400);
	ASN1_TIME_set(X509_getm_notAfter(x), RIG_NOW - 100L * 86400);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC, (const unsigned char *)"OTA", -1, -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(x));
	X509_set_pubkey(x, key);
	assert_true(X509_sign(x, key, EVP_sha256()) > 0);
	PEM_write_bio_X509(b, x);
	n = BIO_get_mem_data(b, &p);
	m->cert = strndup(p, (size_t)n);
	X509_free(x);
	BIO_free(b);
}

static int
setup(void **state)
{
	(void)state;
	maker_new(&rsa, EVP_RSA_gen(2048));
	maker_new(&ec, EVP_EC_gen("P-256"));
	maker_new(&other, EVP_RSA_gen(2048));
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	struct maker *all[] = { &rsa, &ec, &other };
	for (unsigned i = 0; i < 3; i++) {
		EVP_PKEY_free(all[i]->key);
		free(all[i]->pem);
		free(all[i]->cert);
	}
	return 0;
}

/* One Signature message over a and then b. */
static void
sign(struct writer *w, const struct maker *m, struct view a, struct view b)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t sig[1024] = { 0 };
	size_t n = sizeof sig;
	struct writer one;
	assert_int_equal(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, m->key), 1);
	EVP_DigestSignUpdate(ctx, a.p, a.n);
	EVP_DigestSignUpdate(ctx, b.p, b.n);
	assert_int_equal(EVP_DigestSignFinal(ctx, sig, &n), 1);
	EVP_MD_CTX_free(ctx);
	writer_init(&one, RIG_MAX);
	if (m->version)
		number(&one, 1, m->version);
	bytes(&one, 2, view_of(sig, m->length));
	varint(&one, 3 << 3 | 5);
	rig_u32(&one, (uint32_t)n);
	message(w, 1, &one);
}

/* Signatures by up to two makers; how long they are does not depend on what they are over. */
static void
signatures(struct writer *w, const struct maker *const by[2], struct view a, struct view b)
{
	writer_init(w, RIG_MAX);
	for (unsigned i = 0; i < 2; i++)
		if (by[i])
			sign(w, by[i], a, b);
}

struct form {
	enum lie lie;
	const struct maker *metadata[2], *payload[2];
};

/* The whole payload into w. */
static void
make(struct writer *w, const struct form *f)
{
	struct build b = { .lie = f->lie };
	struct writer sig;
	struct view none = view_of("", 0);
	writer_init(&b.blobs, RIG_MAX);
	writer_init(&b.manifest, RIG_MAX);
	number(&b.manifest, 3, f->lie == BLOCK_SIZE_ODD ? 513 : BLOCK);
	if (f->lie == FIELD_TWICE)
		number(&b.manifest, 3, BLOCK);
	begin(&b, "boot");
	operation(&b, CRAU_REPLACE, 1, 1);
	operation(&b, CRAU_REPLACE_BZ, 2, 3);
	operation(&b, CRAU_ZERO, 0, 2);
	end(&b, 0);
	begin(&b, f->lie == PARTITION_TWICE ? "boot" : "system");
	operation(&b, CRAU_REPLACE_XZ, 3, 20);
	operation(&b, CRAU_DISCARD, 0, 1);
	operation(&b, CRAU_REPLACE, 5, 1);
	end(&b, f->lie == BLOCKS_BEYOND ? 0 : 100);
	number(&b.manifest, 14, 1766000000);
	bytes(&b.manifest, 18, view_str("2026-01-05"));
	if (f->lie == FIELD_UNKNOWN)
		number(&b.manifest, 99, 1);
	if (f->lie == OLD_FORM)
		bytes(&b.manifest, 9, none);
	signatures(&sig, f->payload, none, none);
	size_t sig_n = writer_view(&sig).n;
	writer_free(&sig);
	if (f->payload[0]) {
		number(&b.manifest, 4, writer_view(&b.blobs).n);
		number(&b.manifest, 5, f->lie == SIGNATURES_OUTSIDE ? sig_n + 1 : sig_n);
	}
	signatures(&sig, f->metadata, none, none);
	size_t meta_n = writer_view(&sig).n, manifest_n = writer_view(&b.manifest).n;
	writer_free(&sig);
	writer_init(w, RIG_MAX);
	rig_put(w, "CrAU", 4);
	writer_u64(w, f->lie == MAJOR_1 ? 1 : 2);
	writer_u64(w, f->lie == MANIFEST_TOO_LONG    ? 1 << 20
	              : f->lie == MANIFEST_OVERFLOWS ? UINT64_MAX - 8
	                                             : manifest_n);
	writer_u32(w, f->lie == SIGNATURE_TOO_LONG ? UINT32_MAX : (uint32_t)meta_n);
	writer_bytes(w, writer_view(&b.manifest));
	struct view head = writer_view(w);
	uint8_t *copy = malloc(head.n); /* the writer moves while it is written to */
	memcpy(copy, head.p, head.n);
	head.p = copy;
	signatures(&sig, f->metadata, head, none);
	writer_bytes(w, writer_view(&sig));
	writer_free(&sig);
	writer_bytes(w, writer_view(&b.blobs));
	signatures(&sig, f->payload, head, writer_view(&b.blobs));
	writer_bytes(w, writer_view(&sig));
	writer_free(&sig);
	if (f->lie == TRAILING)
		writer_u8(w, 0);
	free(copy);
	writer_free(&b.blobs);
	writer_free(&b.manifest);
	assert_int_equal(writer_err(w), 0);
}

static struct report *
look(const struct form *f, const char *pem)
{
	struct writer w;
	make(&w, f);
	struct report *r = rig_inspect(writer_view(&w), pem, false);
	writer_free(&w);
	return r;
}

static bool
says(const struct report *r, enum contents_fact_id id, const char *value, bool sure)
{
	for (unsigned i = 0; i < r->contents.facts_n; i++)
		if (r->contents.fact[i].id == id && strstr(r->contents.fact[i].value, value))
			return r->contents.fact[i].sure == sure;
	return false;
}

/* ---- tests ---- */

static void
verified(void **state)
{
	(void)state;
	const struct maker *who[] = { &rsa, &ec };
	for (unsigned i = 0; i < 2; i++) {
		struct form f = { .metadata = { who[i] }, .payload = { who[i] } };
		struct report *r = look(&f, who[i]->pem);
		rig_clean(r);
		assert_int_equal(report_verified(r), 2);
		assert_string_equal(r->signatures.result[0].scheme,
		    i ? "android-payload/metadata-ecdsa-der" : "android-payload/metadata-rsa-pkcs1v15-sha256");
		assert_string_equal(r->signatures.result[1].scheme,
		    i ? "android-payload/payload-ecdsa-der" : "android-payload/payload-rsa-pkcs1v15-sha256");
		assert_false(report_has(r, FINDING_COV_UNSIGNED_BYTES));
		assert_false(report_has(r, FINDING_FMT_UNKNOWN_PART));
		assert_int_equal(r->contents.members_total, 2);
		assert_int_equal(rig_member(r, "boot")->size, 6 * BLOCK);
		assert_int_equal(rig_member(r, "boot")->vouch, CONTENTS_VOUCH_DIGEST);
		assert_int_equal(rig_member(r, "system")->size, 22 * BLOCK - 100);
		assert_int_equal(rig_member(r, "system")->vouch, CONTENTS_VOUCH_DIGEST);
		assert_true(says(r, CONTENTS_FACT_TYPE, "full, minor version 0", true));
		assert_true(says(r, CONTENTS_FACT_TIMESTAMP, "1766000000", true));
		assert_true(says(r, CONTENTS_FACT_NOTE, "2026-01-05", true));
		assert_true(says(r, CONTENTS_FACT_DIGEST, "system ", true));
		assert_false(report_has(r, FINDING_FMT_DELTA));
		report_free(r);
		/* Nobody trusts another maker's key, and a key of another kind was not tried. */
		r = look(&f, other.pem);
		assert_int_equal(report_verified(r), 0);
		assert_int_equal(r->signatures.result[0].outcome, i ? SIG_UNTRUSTED : SIG_INVALID);
		assert_true(says(r, CONTENTS_FACT_TIMESTAMP, "1766000000", false));
		assert_int_equal(rig_member(r, "boot")->vouch, CONTENTS_VOUCH_CHECKED);
		report_free(r);
	}
}

/* A device is given a certificate; its key counts as that certificate does, dates and all (T11). */
static void
by_certificate(void **state)
{
	(void)state;
	const struct maker *who[] = { &rsa, &ec };
	for (unsigned i = 0; i < 4; i++) {
		struct form f = { .metadata = { who[i / 2] }, .payload = { who[i / 2] } };
		bool ignore = i % 2;
		struct writer w;
		make(&w, &f);
		struct report *r = rig_inspect(writer_view(&w), who[i / 2]->cert, ignore);
		for (unsigned k = 0; k < 2; k++) {
			const struct sig_result *s = &r->signatures.result[k];
			assert_int_equal(s->outcome, ignore ? SIG_VERIFIED : SIG_EXPIRED);
			assert_int_equal(s->revocation, SIG_REVOCATION_NOT_CHECKED);
			assert_string_equal(s->signer.subject, "CN=OTA");
		}
		report_free(r);
		r = rig_inspect(writer_view(&w), other.cert, true);
		assert_int_equal(report_verified(r), 0);
		report_free(r);
		writer_free(&w);
	}
}

/* Signed by nobody, it is never called verified, however well its hashes fit. */
static void
unsigned_payload(void **state)
{
	(void)state;
	struct form f = { .lie = HONEST };
	struct report *r = look(&f, rsa.pem);
	assert_int_equal(report_verified(r), 0);
	rig_has(r, FINDING_SIG_ABSENT);
	rig_has(r, FINDING_COV_UNSIGNED_BYTES);
	assert_int_equal(rig_member(r, "boot")->vouch, CONTENTS_VOUCH_CHECKED);
	assert_true(says(r, CONTENTS_FACT_NOTE, "no signature of its own", false));
	report_free(r);
}

/* The metadata's signature carries the operations' hashes, so it is enough for the bytes. */
static void
one_of_the_two(void **state)
{
	(void)state;
	struct form f = { .metadata = { &rsa } };
	struct report *r = look(&f, rsa.pem);
	rig_clean(r);
	assert_int_equal(report_verified(r), 1);
	assert_false(report_has(r, FINDING_COV_UNSIGNED_BYTES));
	report_free(r);
	f = (struct form){ .payload = { &rsa } };
	r = look(&f, rsa.pem);
	rig_clean(r);
	assert_int_equal(report_verified(r), 1);
	report_free(r);
	/* Two makers where one key should be: a device that checks both takes neither. */
	f = (struct form){ .metadata = { &rsa }, .payload = { &other } };
	r = look(&f, rsa.pem);
	rig_has(r, FINDING_FMT_CONFLICT);
	report_free(r);
}

/* As in key rotation: any one is enough, and the other is not called broken. */
static void
several(void **state)
{
	(void)state;
	const struct maker *pairs[][2] = { { &rsa, &ec }, { &ec, &rsa }, { &rsa, &other }, { &other, &rsa } };
	for (unsigned i = 0; i < 4; i++) {
		struct form f = { .metadata = { pairs[i][0], pairs[i][1] }, .payload = { pairs[i][0], pairs[i][1] } };
		struct report *r = look(&f, rsa.pem);
		rig_clean(r);
		assert_int_equal(report_verified(r), 2);
		rig_has(r, FINDING_COV_UNSIGNED_BYTES); /* where the other stands there may be anything */
		assert_int_equal(r->signatures.n, 4);
		for (unsigned k = 0; k < 4; k++)
			assert_true(r->signatures.result[k].outcome == SIG_VERIFIED ||
			            r->signatures.result[k].outcome == SIG_UNTRUSTED);
		report_free(r);
	}
}

/* Nothing says what the version beside a signature has to be: whoever handled the file could have written it. */
static void
a_version_beside_a_signature_is_nobodys(void **state)
{
	struct form f = { .metadata = { &rsa }, .payload = { &rsa } };
	(void)state;
	rsa.version = 1;
	struct report *r = look(&f, rsa.pem);
	rsa.version = 0;
	rig_clean(r);
	assert_int_equal(report_verified(r), 2);
	rig_has(r, FINDING_COV_UNSIGNED_BYTES);
	report_free(r);
}

static void
lies(void **state)
{
	(void)state;
	static const enum finding_id want[LIES] = {
		[HONEST] = FINDING_LIMIT,
		[MAJOR_1] = FINDING_FMT_MALFORMED,
		[MANIFEST_TOO_LONG] = FINDING_FMT_MALFORMED,
		[MANIFEST_OVERFLOWS] = FINDING_FMT_MALFORMED,
		[SIGNATURE_TOO_LONG] = FINDING_FMT_MALFORMED,
		[DATA_OUTSIDE] = FINDING_FMT_MALFORMED,
		[DATA_OVERFLOWS] = FINDING_FMT_MALFORMED,
		[DATA_TWICE] = FINDING_FMT_CONFLICT,
		[DATA_HOLE] = FINDING_FMT_HIDDEN_BYTES,
		[DATA_CHANGED] = FINDING_MEMBER_DIGEST,
		[DATA_WITHOUT_HASH] = FINDING_MEMBER_NO_DIGEST,
		[DATA_OTHER_HASH] = FINDING_MEMBER_DIGEST,
		[STREAM_LONGER] = FINDING_FMT_MALFORMED,
		[STREAM_SHORTER] = FINDING_FMT_MALFORMED,
		[STREAM_TRAILING] = FINDING_FMT_MALFORMED,
		[BLOCKS_TWICE] = FINDING_FMT_CONFLICT,
		[BLOCKS_BEYOND] = FINDING_FMT_MALFORMED,
		[BLOCKS_OVERFLOW] = FINDING_FMT_MALFORMED,
		[BLOCKS_MISSING] = FINDING_FMT_MALFORMED,
		[BLOCKS_NONE] = FINDING_FMT_MALFORMED,
		[PARTITION_TWICE] = FINDING_FMT_DUPLICATE,
		[PARTITION_HASH] = FINDING_MEMBER_DIGEST,
		[PARTITION_WITHOUT_INFO] = FINDING_MEMBER_NO_DIGEST,
		[PARTITION_SHORT_HASH] = FINDING_FMT_MALFORMED,
		[POSTINSTALL] = FINDING_MEMBER_RUNS,
		[TYPE_UNKNOWN] = FINDING_FMT_MALFORMED,
		[FIELD_UNKNOWN] = FINDING_FMT_UNKNOWN_PART,
		[FIELD_TWICE] = FINDING_FMT_DUPLICATE,
		[BLOCK_SIZE_ODD] = FINDING_FMT_MALFORMED,
		[OLD_FORM] = FINDING_FMT_MALFORMED,
		[DELTA] = FINDING_FMT_DELTA,
		[TRAILING] = FINDING_FMT_TRAILING_BYTES,
		[SIGNATURES_OUTSIDE] = FINDING_SIG_INVALID,
	};
	/* Well signed each: a signature does not make a broken payload right. */
	for (unsigned i = 0; i < LIES; i++) {
		struct form f = { .lie = (enum lie)i, .metadata = { &rsa }, .payload = { &rsa } };
		struct writer w;
		struct source s;
		static const struct trust_policy policy = { .purpose = TRUST_PURPOSE_FIRMWARE };
		struct report *r = report_new(REPORT_VERIFY);
		struct trust *t = trust_new();
		char why[SIG_TEXT_MAX];
		trust_add_pem(t, "maker", view_str(rsa.pem), TRUST_SCHEME_NONE, why, sizeof why);
		make(&w, &f);
		source_memory(&s, writer_view(&w));
		r->have_image = true;
		r->format = FORMAT_ANDROID_PAYLOAD;
		r->size = s.size;
		assert_int_equal(walk_image(&s, FORMAT_ANDROID_PAYLOAD, t, &policy, RIG_NOW, r), 0);
		if (want[i] == FINDING_SIG_INVALID) {
			assert_int_equal(r->signatures.result[1].outcome, SIG_INVALID);
		} else if (want[i] != FINDING_LIMIT && !report_has(r, want[i])) {
			rig_show(r);
			fail_msg("lie %u: no %s", i, finding_get(want[i])->id);
		} else if (want[i] == FINDING_LIMIT) {
			rig_clean(r);
		}
		report_free(r);
		trust_free(t);
		writer_free(&w);
	}
}

/* Operations over the same bytes: nobody hashes these over and over, nor unpacks from them. */
static void
overlap(void **state)
{
	(void)state;
	struct form f = { .lie = DATA_TWICE, .metadata = { &rsa }, .payload = { &rsa } };
	struct report *r = look(&f, rsa.pem);
	rig_has(r, FINDING_FMT_CONFLICT);
	assert_false(report_has(r, FINDING_MEMBER_DIGEST));
	assert_int_equal(r->contents.members_total, 0);
	report_free(r);
}

static void
delta(void **state)
{
	(void)state;
	struct form f = { .lie = DELTA, .metadata = { &rsa }, .payload = { &rsa } };
	struct report *r = look(&f, rsa.pem);
	rig_clean(r);
	rig_has(r, FINDING_FMT_DELTA);
	assert_true(says(r, CONTENTS_FACT_REQUIRES, "boot ", true));
	assert_true(says(r, CONTENTS_FACT_DIGEST, "boot ", true));
	assert_true(says(r, CONTENTS_FACT_NOTE, "1 of 1 operations", true));
	assert_int_equal(r->contents.members_total, 1); /* system is whole all the same */
	report_free(r);
}

/* One byte changed anywhere: what verifies does not cover it, or all of it was told. */
static void
every_byte(void **state)
{
	(void)state;
	struct form f = { .metadata = { &ec }, .payload = { &ec } };
	struct writer w;
	make(&w, &f);
	/* Densely where decoders decide, in header, manifest and signatures; a sample of the packed bytes. */
	for (size_t i = 0; i < w.n; i += i < w.n / 3 || i > w.n - 200 ? 1 : 7) {
		w.p[i] ^= 0x10;
		struct report *r = rig_inspect(writer_view(&w), ec.pem, false);
		for (unsigned k = 0; k < r->signatures.n; k++) {
			const struct sig_result *s = &r->signatures.result[k];
			for (unsigned c = 0; c < s->covers_n && s->outcome == SIG_VERIFIED; c++)
				if (i >= s->covers[c].offset && i < s->covers[c].offset + s->covers[c].length)
					fail_msg("byte %zu may change under %s", i, s->scheme);
		}
		bool known = r->format == FORMAT_ANDROID_PAYLOAD;
		if (known ? report_verdict(r) != REPORT_BLOCKED : report_verified(r) > 0) {
			rig_show(r);
			fail_msg("byte %zu may change", i);
		}
		report_free(r);
		w.p[i] ^= 0x10;
	}
	for (size_t n = 4; n < w.n; n += 1 + n / 50) {
		struct report *r = rig_inspect(view_of(w.p, n), ec.pem, false);
		assert_true(report_verified(r) < 2);
		if (r->format == FORMAT_ANDROID_PAYLOAD)
			assert_int_equal(report_verdict(r), REPORT_BLOCKED);
		report_free(r);
	}
	writer_free(&w);
}

/* In a package whose own signature stands behind it, an unsigned payload's partitions are vouched for. */
static void
under_a_package(void **state)
{
	(void)state;
	struct form f = { .lie = HONEST };
	struct writer w, outer;
	struct source s;
	static const struct trust_policy policy = { .purpose = TRUST_PURPOSE_FIRMWARE };
	make(&w, &f);
	struct rig_entry e = { .name = "payload.bin", .text = (const char *)w.p, .text_n = w.n };
	rig_zip(&outer, &e, 1, "");
	struct report *r = report_new(REPORT_VERIFY);
	struct trust *t = trust_new();
	source_memory(&s, writer_view(&outer));
	r->signatures.n = 1;
	r->signatures.result[0] =
	    (struct sig_result){ .outcome = SIG_VERIFIED, .covers = { { 0, s.size } }, .covers_n = 1 };
	assert_int_equal(walk_image(&s, FORMAT_ZIP, t, &policy, RIG_NOW, r), 0);
	assert_int_equal(rig_member(r, "payload.bin/boot")->vouch, CONTENTS_VOUCH_INSIDE);
	assert_true(says(r, CONTENTS_FACT_TIMESTAMP, "1766000000", true));
	report_free(r);
	trust_free(t);
	writer_free(&w);
	writer_free(&outer);
}

/* ---- AOSP's own samples: unsigned both ---- */

static void
aosp(void **state)
{
	(void)state;
	char folder[400];
	const char *shared = getenv("FG_SHARED");
	size_t n = 0;
	snprintf(folder, sizeof folder, "%s/vectors/android-payload", shared ? shared : "");
	uint8_t *full = rig_file(folder, "full_payload.bin", &n);
	if (!full) {
		print_message("no vectors in %s\n", folder);
		skip();
	}
	struct report *r = rig_inspect(view_of(full, n), rsa.pem, false);
	assert_int_equal(r->format, FORMAT_ANDROID_PAYLOAD);
	assert_int_equal(report_verified(r), 0);
	rig_has(r, FINDING_SIG_ABSENT);
	assert_false(report_has(r, FINDING_FMT_MALFORMED) || report_has(r, FINDING_MEMBER_DIGEST) ||
	             report_has(r, FINDING_FMT_HIDDEN_BYTES) || report_has(r, FINDING_FMT_UNKNOWN_PART));
	/* Expanded, both partitions hash to what the generator wrote down. */
	assert_int_equal(rig_member(r, "kernel")->vouch, CONTENTS_VOUCH_CHECKED);
	assert_int_equal(rig_member(r, "root")->vouch, CONTENTS_VOUCH_CHECKED);
	report_free(r);
	free(full);
	uint8_t *small = rig_file(folder, "delta_payload.bin", &n);
	assert_non_null(small);
	r = rig_inspect(view_of(small, n), rsa.pem, false);
	assert_int_equal(report_verified(r), 0);
	rig_has(r, FINDING_FMT_DELTA);
	assert_false(report_has(r, FINDING_FMT_MALFORMED) || report_has(r, FINDING_MEMBER_DIGEST) ||
	             report_has(r, FINDING_FMT_HIDDEN_BYTES) || report_has(r, FINDING_FMT_UNKNOWN_PART));
	assert_true(says(r, CONTENTS_FACT_REQUIRES, "kernel ", false));
	report_free(r);
	free(small);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verified),
		cmocka_unit_test(by_certificate),
		cmocka_unit_test(unsigned_payload),
		cmocka_unit_test(one_of_the_two),
		cmocka_unit_test(several),
		cmocka_unit_test(a_version_beside_a_signature_is_nobodys),
		cmocka_unit_test(lies),
		cmocka_unit_test(overlap),
		cmocka_unit_test(delta),
		cmocka_unit_test(every_byte),
		cmocka_unit_test(under_a_package),
		cmocka_unit_test(aosp),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
