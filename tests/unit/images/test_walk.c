/* SPDX-License-Identifier: Apache-2.0 */
/* The frame of walkers, driven as a walker drives it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "crypto/err.h"
#include "images/entail.h"
#include "images/walk.h"
#include "images/walk_internal.h"

#define SIZE 4096

/* A container of SIZE bytes that a test walks by hand. */
struct rig {
	uint8_t bytes[SIZE];
	struct source image;
	struct trust *trust;
	struct trust_policy policy;
	struct report *r;
	struct walk_room room;
	struct walk w;
	EVP_PKEY *key; /* in the trust set */
};

static struct trust *
trusting(EVP_PKEY *key)
{
	char why[200], *pem;
	struct trust *t = trust_new();
	BIO *b = BIO_new(BIO_s_mem());
	assert_int_equal(PEM_write_bio_PUBKEY(b, key), 1);
	long n = BIO_get_mem_data(b, &pem);
	assert_int_equal(trust_add_pem(t, "vendor.pub", view_of(pem, (size_t)n), TRUST_SCHEME_NONE, why,
	    sizeof why), 0);
	BIO_free(b);
	return t;
}

static void
rig_up(struct rig *g)
{
	memset(g, 0, sizeof *g);
	for (size_t i = 0; i < SIZE; i++)
		g->bytes[i] = (uint8_t)(i * 7 + i / 256);
	source_memory(&g->image, view_of(g->bytes, SIZE));
	g->key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	g->trust = trusting(g->key);
	g->policy = (struct trust_policy){ .purpose = TRUST_PURPOSE_FIRMWARE };
	g->r = report_new(REPORT_VERIFY);
	g->r->have_image = true;
	g->r->format = FORMAT_ZIP;
	g->r->size = SIZE;
	g->r->inputs.at = 1767225600;
	snprintf(g->r->inputs.inspector, sizeof g->r->inputs.inspector, "x");
	g->r->contents.walked = true;
	g->room = (struct walk_room){ .r = g->r, .trust = g->trust, .policy = &g->policy };
	g->w = (struct walk){ .room = &g->room, .image = &g->image, .format = FORMAT_ZIP, .placed = true };
}

/* What was found must be a report that its reader takes. */
static void
rig_down(struct rig *g)
{
	struct report *back = report_new(REPORT_KIND_NONE);
	struct report_refusal why;
	struct writer w;
	writer_init(&w, REPORT_MAX);
	assert_int_equal(entail_raise(g->r, false), 0);
	assert_int_equal(report_encode(g->r, REPORT_MAX, &w), 0);
	if (report_parse(writer_view(&w), REPORT_VERIFY, back, &why))
		fail_msg("%s: %s: %s", finding_get(why.finding)->id, why.text, w.p);
	assert_int_equal(back->contents.members_n, g->r->contents.members_n);
	assert_int_equal(back->contents.facts_n, g->r->contents.facts_n);
	writer_free(&w);
	report_free(back);
	report_free(g->r);
	trust_free(g->trust);
	free(g->room.chunk);
	EVP_PKEY_free(g->key);
}

static struct view
sign(EVP_PKEY *key, struct view message, uint8_t *sig, size_t cap)
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	bool ed = EVP_PKEY_is_a(key, "ED25519");
	assert_int_equal(EVP_DigestSignInit(c, NULL, ed ? NULL : EVP_sha256(), NULL, key), 1);
	assert_int_equal(EVP_DigestSign(c, sig, &cap, message.p, message.n), 1);
	EVP_MD_CTX_free(c);
	return view_of(sig, cap);
}

/* Signs [from, from + n) with the trusted key and has it judged. */
static struct walk_signed
signed_range(struct rig *g, uint64_t from, uint64_t n)
{
	uint8_t sig[64];
	struct walk_signed by;
	struct walk_claim claim = { .as = TRUST_ED25519, .span = { .range = { { from, n } }, .n = 1 } };
	claim.signature = sign(g->key, view_of(g->bytes + from, n), sig, sizeof sig);
	assert_int_equal(walk_keys(&g->w, &claim, &by), 0);
	assert_true(walk_verified(&g->w, by));
	return by;
}

static struct walk_member
member(const char *name, uint64_t from, uint64_t n)
{
	return (struct walk_member){ .name = view_str(name), .at = { from, n }, .size = n };
}

static void
promise(struct rig *g, struct walk_member *m, struct walk_signed by)
{
	m->alg = DIGEST_SHA256;
	m->by = by;
	assert_int_equal(digest_sha256(view_of(g->bytes + m->at.offset, m->at.length), m->digest), 0);
}

static void
a_signed_digest_carries_a_signature_to_a_member(void **state)
{
	(void)state;
	struct rig g;
	struct walk_seen seen;
	struct coverage c;
	rig_up(&g);
	struct walk_signed by = signed_range(&g, 0, 100);
	struct walk_member m = member("fw.bin", 1000, 500);
	promise(&g, &m, by);
	assert_int_equal(walk_member(&g.w, &m, &seen), 0);
	assert_int_equal(seen.vouch, CONTENTS_VOUCH_DIGEST);
	assert_memory_equal(seen.sha256, m.digest, DIGEST_SHA256_LEN);
	assert_int_equal(report_coverage(g.r, &c), 0);
	assert_int_equal(coverage_signed(&c), 600);
	assert_string_equal(g.r->signatures.result[0].scheme, "zip/ed25519");
	walk_structure(&g.w, 100, 900);
	walk_structure(&g.w, 1500, SIZE - 1500);
	rig_down(&g);
}

static void
what_is_structure_is_told_apart_from_what_is_nothing(void **state)
{
	(void)state;
	struct rig g;
	rig_up(&g);
	signed_range(&g, 0, 1000);
	walk_structure(&g.w, 1000, SIZE - 1000);
	assert_int_equal(entail_raise(g.r, false), 0);
	assert_true(report_has(g.r, FINDING_COV_ENVELOPE));
	assert_false(report_has(g.r, FINDING_COV_UNSIGNED_BYTES));
	assert_false(report_has(g.r, FINDING_FMT_NOT_WALKED));
	rig_down(&g);
	rig_up(&g);
	signed_range(&g, 0, 1000);
	walk_structure(&g.w, 1000, SIZE - 1001);
	assert_int_equal(entail_raise(g.r, false), 0);
	assert_true(report_has(g.r, FINDING_COV_UNSIGNED_BYTES));
	assert_string_equal(g.r->findings[FINDING_COV_UNSIGNED_BYTES].details[0].text, "1 of 4096 bytes in 1 range");
	assert_int_equal(g.r->findings[FINDING_COV_UNSIGNED_BYTES].details[0].offset, SIZE - 1);
	rig_down(&g);
}

static void
a_member_that_is_another_blocks(void **state)
{
	(void)state;
	struct rig g;
	struct walk_seen seen;
	rig_up(&g);
	struct walk_member m = member("fw.bin", 1000, 500);
	promise(&g, &m, signed_range(&g, 0, 100));
	g.bytes[1200] ^= 1;
	assert_int_equal(walk_member(&g.w, &m, &seen), 0);
	assert_int_equal(seen.vouch, CONTENTS_VOUCH_MISMATCH);
	assert_true(report_has(g.r, FINDING_MEMBER_DIGEST));
	assert_int_equal(g.r->signatures.result[0].covers_n, 1);
	rig_down(&g);
}

static void
a_mismatch_cannot_go_unmentioned(void **state)
{
	(void)state;
	struct rig g;
	enum finding_id missing;
	rig_up(&g);
	g.r->contents.members_n = g.r->contents.members_total = 1;
	g.r->contents.member[0] = (struct contents_member){ .path = "x", .format = FORMAT_RAW,
		.vouch = CONTENTS_VOUCH_MISMATCH };
	walk_structure(&g.w, 0, SIZE);
	report_raise(g.r, FINDING_SIG_ABSENT, FINDING_WARNING, NULL, "none");
	assert_int_equal(entail_missing(g.r, false, &missing), 0);
	assert_int_equal(missing, FINDING_MEMBER_DIGEST);
	rig_down(&g);
}

static void
an_unverified_signature_vouches_for_nothing(void **state)
{
	(void)state;
	struct rig g;
	struct walk_seen seen;
	rig_up(&g);
	EVP_PKEY *other = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	uint8_t sig[64];
	struct walk_signed by;
	struct walk_claim claim = { .as = TRUST_ED25519, .span = { .range = { { 0, 100 } }, .n = 1 }, .embedded = other };
	claim.signature = sign(other, view_of(g.bytes, 100), sig, sizeof sig);
	assert_int_equal(walk_keys(&g.w, &claim, &by), 0);
	assert_int_equal(g.r->signatures.result[0].outcome, SIG_UNTRUSTED); /* sound, under a key that came along */
	assert_false(walk_verified(&g.w, by));
	struct walk_member m = member("fw.bin", 1000, 500);
	promise(&g, &m, by);
	assert_int_equal(walk_member(&g.w, &m, &seen), 0);
	assert_int_equal(seen.vouch, CONTENTS_VOUCH_CHECKED);
	m = member("raw.bin", 2000, 500);
	m.inside = true;
	m.by = by;
	assert_int_equal(walk_member(&g.w, &m, &seen), 0);
	assert_int_equal(seen.vouch, CONTENTS_VOUCH_NONE);
	walk_fact(&g.w, CONTENTS_FACT_VERSION, by, view_str("1\x1b.0"));
	assert_false(g.r->contents.fact[0].sure);
	assert_string_equal(g.r->contents.fact[0].value, "1<1B>.0");
	sig[3] ^= 1;
	assert_int_equal(walk_keys(&g.w, &claim, &by), 0);
	assert_int_equal(g.r->signatures.result[1].outcome, SIG_INVALID);
	EVP_PKEY_free(other);
	rig_down(&g);
}

/* A walker prescribes its own scheme, whatever the record of an RSA key says. */
static void
the_format_prescribes_the_scheme(void **state)
{
	(void)state;
	struct rig g;
	uint8_t sig[256];
	size_t n = sizeof sig;
	struct walk_signed by;
	rig_up(&g);
	trust_free(g.trust);
	EVP_PKEY *rsa = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
	g.room.trust = g.trust = trusting(rsa);
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pc;
	assert_int_equal(EVP_DigestSignInit(c, &pc, EVP_sha256(), NULL, rsa), 1);
	assert_true(EVP_PKEY_CTX_set_rsa_padding(pc, RSA_PKCS1_PSS_PADDING) > 0);
	assert_true(EVP_PKEY_CTX_set_rsa_pss_saltlen(pc, 32) > 0);
	assert_int_equal(EVP_DigestSign(c, sig, &n, g.bytes + 10, 90), 1);
	EVP_MD_CTX_free(c);
	struct walk_claim claim = { .as = TRUST_RSA_PSS_SHA256, .signature = view_of(sig, n),
		.span = { .range = { { 10, 40 }, { 50, 50 } }, .n = 2 } };
	assert_int_equal(walk_keys(&g.w, &claim, &by), 0);
	assert_true(walk_verified(&g.w, by));
	assert_int_equal(g.r->signatures.result[0].covers_n, 1); /* what meets is one range */
	claim.as = TRUST_SCHEME_NONE; /* now the record decides: PKCS#1 v1.5 */
	assert_int_equal(walk_keys(&g.w, &claim, &by), 0);
	assert_int_equal(g.r->signatures.result[1].outcome, SIG_INVALID);
	claim.as = TRUST_ED25519; /* no key of that kind */
	assert_int_equal(walk_keys(&g.w, &claim, &by), 0);
	assert_int_equal(g.r->signatures.result[2].outcome, SIG_UNTRUSTED);
	EVP_PKEY_free(rsa);
	rig_down(&g);
}

/* Salt of another length (T15) and a key under which anything verifies (T17): each says so itself. */
static void
why_a_bare_signature_is_none(void **state)
{
	(void)state;
	struct rig g;
	uint8_t sig[256], identity[32] = { 1 };
	size_t n = sizeof sig;
	rig_up(&g);
	trust_free(g.trust);
	EVP_PKEY *rsa = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
	g.room.trust = g.trust = trusting(rsa);
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pc;
	assert_int_equal(EVP_DigestSignInit(c, &pc, EVP_sha256(), NULL, rsa), 1);
	assert_true(EVP_PKEY_CTX_set_rsa_padding(pc, RSA_PKCS1_PSS_PADDING) > 0);
	assert_true(EVP_PKEY_CTX_set_rsa_pss_saltlen(pc, 20) > 0);
	assert_int_equal(EVP_DigestSign(c, sig, &n, g.bytes, 100), 1);
	EVP_MD_CTX_free(c);
	struct walk_claim claim = { .as = TRUST_RSA_PSS_SHA256, .signature = view_of(sig, n),
		.span = { .range = { { 0, 100 } }, .n = 1 } };
	assert_int_equal(walk_keys(&g.w, &claim, NULL), 0);
	assert_int_equal(g.r->signatures.result[0].outcome, SIG_INVALID);
	assert_int_equal(g.r->signatures.result[0].reasons, SIG_REASON_PSS_SALT);

	EVP_PKEY *low = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, identity, sizeof identity);
	memset(sig, 0, sizeof sig);
	sig[0] = 1;
	claim = (struct walk_claim){ .as = TRUST_ED25519, .signature = view_of(sig, 64),
		.span = { .range = { { 0, 100 } }, .n = 1 }, .embedded = low };
	assert_int_equal(walk_keys(&g.w, &claim, NULL), 0);
	assert_int_not_equal(g.r->signatures.result[1].outcome, SIG_VERIFIED);
	assert_int_equal(g.r->signatures.result[1].reasons, SIG_REASON_LOW_ORDER);
	assert_int_equal(entail_raise(g.r, false), 0);
	assert_true(report_has(g.r, FINDING_SIG_LOW_ORDER) && report_has(g.r, FINDING_SIG_PSS_SALT));
	EVP_PKEY_free(low);
	EVP_PKEY_free(rsa);
	rig_down(&g);
}

static void
names_that_lead_out_are_told(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		bool bad;
	} cases[] = { { "a", false }, { "a/b.c", false }, { "a..b/..c/d..", false }, { "", true }, { "/a", true },
		{ "../a", true }, { "a/../b", true }, { "a/..", true }, { "a\\..\\b", true }, { "\\a", true },
		{ "a\nb", true }, { "a/./b", false } };
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct rig g;
		rig_up(&g);
		struct walk_member m = member(cases[i].name, 0, 10);
		assert_int_equal(walk_member(&g.w, &m, NULL), 0);
		if (report_has(g.r, FINDING_MEMBER_UNSAFE_NAME) != cases[i].bad)
			fail_msg("\"%s\"", cases[i].name);
		rig_down(&g);
	}
}

/* A packed member of any number of bytes, all the same. */
struct flow {
	uint64_t left;
	int end; /* what follows them */
};

static long
flow_read(void *arg, void *buf, size_t n)
{
	struct flow *f = arg;
	size_t some = f->left < n ? (size_t)f->left : n;
	memset(buf, 'z', some);
	f->left -= some;
	return some ? (long)some : f->end;
}

static void
packed_members_are_bounded_and_told(void **state)
{
	(void)state;
	static const struct {
		uint64_t comes, said;
		int end;
		enum finding_id told;
		unsigned listed;
	} cases[] = {
		{ 1000, 1000, 0, FINDING_LIMIT, 1 },
		{ 1000, UINT64_MAX, 0, FINDING_LIMIT, 1 },
		{ 1000, 1001, 0, FINDING_FMT_MALFORMED, 0 },
		{ 1000, 1000, FG_EFORMAT, FINDING_FMT_MALFORMED, 0 },
		{ (uint64_t)17 << 20, UINT64_MAX, 0, FINDING_FMT_WALK_LIMIT, 1 }, /* out of 100 bytes: a bomb */
		{ WALK_EXPANDED_MAX + 1, UINT64_MAX, 0, FINDING_FMT_WALK_LIMIT, 0 },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct rig g;
		struct flow f = { cases[i].comes, cases[i].end };
		rig_up(&g);
		if (cases[i].comes > WALK_EXPANDED_MAX) { /* most of it was used up by members before */
			g.room.expanded = WALK_EXPANDED_MAX - 1000;
			f.left = 1001;
		}
		struct walk_member m = member("packed", 0, 100);
		m.read = flow_read;
		m.arg = &f;
		m.size = cases[i].said;
		assert_int_equal(walk_member(&g.w, &m, NULL), 0);
		assert_int_equal(g.r->contents.members_n, cases[i].listed);
		for (unsigned k = 0; k < FINDING_LIMIT; k++)
			if (report_has(g.r, (enum finding_id)k) != (k == cases[i].told))
				fail_msg("case %zu: %s", i, finding_get((enum finding_id)k)->id);
		rig_down(&g);
	}
	/* A reader's local failure is one here too. */
	struct rig g;
	struct flow f = { 10, FG_ENOMEM };
	rig_up(&g);
	struct walk_member m = member("packed", 0, 100);
	m.read = flow_read;
	m.arg = &f;
	m.size = UINT64_MAX;
	assert_int_equal(walk_member(&g.w, &m, NULL), FG_ENOMEM);
	rig_down(&g);
}

/* Letters, with something at their start and at their end, as often as they are asked for. */
struct twice {
	const char *head, *tail;
	size_t head_n, tail_n;
	uint64_t size, at;
	unsigned agains;
	uint64_t shorter; /* the second time */
	size_t step;
};

static long
twice_read(void *arg, void *buf, size_t n)
{
	struct twice *t = arg;
	uint8_t *p = buf;
	uint64_t end = t->size - (t->agains ? t->shorter : 0);
	n = n < t->step ? n : t->step;
	n = n < end - t->at ? n : (size_t)(end - t->at);
	memset(buf, 'n', n);
	for (size_t i = 0; i < n && t->at + i < t->head_n; i++)
		p[i] = (uint8_t)t->head[t->at + i];
	for (size_t i = n; i > 0 && t->size - (t->at + i - 1) <= t->tail_n; i--)
		p[i - 1] = (uint8_t)t->tail[t->tail_n - (t->size - (t->at + i - 1))];
	t->at += n;
	return (long)n;
}

static int
twice_again(void *arg)
{
	struct twice *t = arg;
	t->agains++;
	t->at = 0;
	return 0;
}

/* What a report says of it, with and without a reader that can begin again. */
static char *
said_of(struct twice t, bool again, uint64_t said, unsigned agains)
{
	struct rig g;
	struct writer w;
	rig_up(&g);
	g.room.kept = WALK_KEEP_MAX - (3 << 19);
	struct walk_member m = member("packed", 0, SIZE);
	m.read = twice_read;
	m.again = again ? twice_again : NULL;
	m.arg = &t;
	m.size = said;
	assert_int_equal(walk_member(&g.w, &m, NULL), 0);
	assert_int_equal(t.agains, agains);
	assert_int_equal(entail_raise(g.r, false), 0);
	writer_init(&w, REPORT_MAX);
	assert_int_equal(report_encode(g.r, REPORT_MAX, &w), 0);
	writer_u8(&w, 0);
	char *text = strdup((const char *)w.p);
	writer_free(&w);
	rig_down(&g);
	return text;
}

/* Only what may have to be walked is kept; what is said does not depend on it. */
static void
what_is_not_walked_is_not_kept(void **state)
{
	(void)state;
	static const char eocd[] = "PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
	static const char cpio[] = "070701000000010000000000000000000000010000000000000000000000000000000000000000000000000000000b00000000TRAILER!!!";
	static const struct {
		const char *head, *tail;
		size_t head_n, tail_n;
		uint64_t size;
		unsigned agains;
	} rows[] = {
		{ "", "", 0, 0, 100, 0 },
		{ "", eocd, 0, 22, 100, 0 },
		{ "", "", 0, 0, FORMAT_HEAD, 0 },
		{ "", "", 0, 0, FORMAT_HEAD + 1, 0 },
		{ "", eocd, 0, 22, FORMAT_HEAD + 1, 0 }, /* too short for anything to be saved */
		{ "", eocd, 0, 22, FORMAT_HEAD + 300000, 1 },
		{ "", eocd, 0, 22, (1 << 20) + 300000, 1 },                /* the end makes a zip of it */
		{ "", "", 0, 0, (1 << 20) + 300777, 0 },
		{ "BSDIFF40", "", 8, 0, (1 << 20) + 300000, 0 },           /* nothing walks it, and it is told */
		{ "7z\xbc\xaf\x27\x1c", "", 6, 0, (1 << 20) + 300000, 0 },  /* likewise */
		{ "\x7f" "ELF\1\1\1", "", 7, 0, (1 << 20) + 300000, 0 },   /* what it is stands further in */
		{ cpio, "", sizeof cpio - 1, 0, (1 << 20) + 300000, 0 },   /* walked */
		{ "\x1f\x8b\x08", "", 3, 0, (1 << 20) + 300000, 0 },
		{ "", eocd, 0, 22, (1 << 20) + 700000, 0 },                /* too long either way */
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct twice t = { rows[i].head, rows[i].tail, rows[i].head_n, rows[i].tail_n, .size = rows[i].size,
			.step = i % 2 ? SIZE_MAX : 100001 };
		for (unsigned known = 0; known < 2; known++) {
			uint64_t said = known ? t.size : UINT64_MAX;
			char *once = said_of(t, false, said, 0), *again = said_of(t, true, said, rows[i].agains);
			assert_string_equal(once, again);
			free(once);
			free(again);
		}
	}
}

/* The second time is no other thing than the first. */
static void
what_comes_again_is_the_same(void **state)
{
	(void)state;
	struct rig g;
	struct twice t = { "", "PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 0, 22, .size = 2 << 20, .shorter = 1, .step = SIZE_MAX };
	struct walk_member m = member("packed", 0, SIZE);
	rig_up(&g);
	m.read = twice_read;
	m.again = twice_again;
	m.arg = &t;
	m.size = t.size;
	assert_int_equal(walk_member(&g.w, &m, NULL), FG_EIO);
	assert_int_equal(t.agains, 1);
	g.r->contents.members_n = 0; /* nobody reports after a local failure */
	g.r->contents.members_total = 0;
	rig_down(&g);
	/* And it counts among what was unpacked. */
	t = (struct twice){ "", t.tail, 0, 22, .size = 2 << 20, .step = SIZE_MAX };
	rig_up(&g);
	g.room.expanded = WALK_EXPANDED_MAX - t.size;
	assert_int_equal(walk_member(&g.w, &m, NULL), 0);
	assert_int_equal(t.agains, 0);
	assert_true(report_has(g.r, FINDING_FMT_WALK_LIMIT));
	rig_down(&g);
}

/* Thousands of empty ones take no fresh memory each. */
static void
members_share_a_chunk(void **state)
{
	(void)state;
	struct rig g;
	const uint8_t *first = NULL;
	rig_up(&g);
	for (unsigned i = 0; i < 3; i++) {
		struct flow f = { i * 100, 0 };
		struct walk_member m = member("packed", 0, 0);
		m.read = flow_read;
		m.arg = &f;
		m.size = i * 100;
		assert_int_equal(walk_member(&g.w, &m, NULL), 0);
		assert_non_null(g.room.chunk);
		assert_true(!first || first == g.room.chunk);
		first = g.room.chunk;
	}
	assert_int_equal(g.r->contents.members_n, 3);
	rig_down(&g);
}

static void
lists_end_where_the_report_does(void **state)
{
	(void)state;
	struct rig g;
	rig_up(&g);
	for (unsigned i = 0; i < CONTENTS_MEMBERS_MAX + 10; i++) {
		char name[20];
		snprintf(name, sizeof name, "%u", i);
		struct walk_member m = member(name, i, 1);
		m.plain = true;
		assert_int_equal(walk_member(&g.w, &m, NULL), 0);
	}
	assert_int_equal(g.r->contents.members_n, CONTENTS_MEMBERS_MAX);
	assert_int_equal(g.r->contents.members_total, CONTENTS_MEMBERS_MAX + 10);
	for (unsigned i = 0; i <= CONTENTS_FACTS_MAX; i++)
		walk_fact_uint(&g.w, CONTENTS_FACT_VERSION, (struct walk_signed){ 0 }, i);
	assert_int_equal(g.r->contents.facts_n, CONTENTS_FACTS_MAX);
	assert_true(report_has(g.r, FINDING_FMT_WALK_LIMIT));
	g.room.members = WALK_MEMBERS_MAX;
	struct walk_member m = member("late", 0, 1);
	struct walk_seen seen;
	assert_int_equal(walk_member(&g.w, &m, &seen), 0);
	assert_int_equal(seen.vouch, CONTENTS_VOUCH_NONE);
	assert_int_equal(g.r->contents.members_total, CONTENTS_MEMBERS_MAX + 10);
	rig_down(&g);
}

/* A signature of something inside says nothing about the whole. */
static void
a_signature_inside_is_none_of_the_image(void **state)
{
	(void)state;
	struct rig g;
	rig_up(&g);
	snprintf(g.w.path, sizeof g.w.path, "inner.swu");
	signed_range(&g, 0, 100);
	assert_string_equal(g.r->signatures.result[0].where, "inner.swu");
	assert_int_equal(report_verified(g.r), 0);
	assert_int_equal(entail_raise(g.r, true), 0);
	assert_true(report_has(g.r, FINDING_SIG_ABSENT));
	assert_int_equal(g.r->findings[FINDING_SIG_ABSENT].severity, FINDING_BLOCK);
	rig_down(&g);
}

static void
more_signatures_than_fit_are_told(void **state)
{
	(void)state;
	struct rig g;
	rig_up(&g);
	for (unsigned i = 0; i < SIG_SIGNERS_MAX; i++)
		walk_settle(&g.w, "zip/raw", SIG_INVALID, "number %u", i);
	assert_false(g.r->signatures.overflow);
	walk_settle(&g.w, "zip/raw", SIG_INVALID, "one more");
	assert_true(g.r->signatures.overflow);
	uint8_t sig[64] = { 0 };
	struct walk_signed by;
	struct walk_claim claim = { .as = TRUST_ED25519, .signature = view_of(sig, 64), .span = { .range = { { 0, 1 } }, .n = 1 } };
	assert_int_equal(walk_keys(&g.w, &claim, &by), 0);
	assert_int_equal(by.n, 0);
	assert_false(walk_verified(&g.w, by));
	rig_down(&g);
}

/* The image's own digest answers for what begins where it begins, and for nothing else. */
static void
a_span_from_the_start_is_hashed_with_the_image(void **state)
{
	(void)state;
	static const struct {
		struct sig_range range[2];
		unsigned n;
		enum digest_alg alg;
		uint64_t base, at; /* how far the image's digest is afterwards */
		bool packed;
	} table[] = {
		{ { { 1, 100 } }, 1, DIGEST_SHA256, 0, 0, false },
		{ { { 0, 100 } }, 1, DIGEST_SHA384, 0, 0, false },
		{ { { 0, 100 }, { 100, 50 } }, 2, DIGEST_SHA256, 0, 0, false },
		{ { { 0, 100 } }, 1, DIGEST_SHA256, 50, 0, false },
		{ { { 0, 100 } }, 1, DIGEST_SHA256, 0, 0, true },
		{ { { 0, 100 } }, 1, DIGEST_SHA256, 0, 100, false },
		{ { { 0, 100 } }, 1, DIGEST_SHA256, 0, 100, false },
		{ { { 0, 99 } }, 1, DIGEST_SHA256, 0, 100, false },
		{ { { 0, SIZE } }, 1, DIGEST_SHA256, 0, SIZE, false },
	};
	struct rig g;
	struct whole whole;
	rig_up(&g);
	assert_int_equal(whole_open(&whole, &g.image), 0);
	g.room.whole = &whole;
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		struct source inner;
		struct walk_span span = { .n = table[i].n };
		struct walk w = g.w;
		uint8_t bytes[2 * SIZE], got[DIGEST_LEN_MAX], want[DIGEST_LEN_MAX];
		size_t n = 0;
		memcpy(span.range, table[i].range, sizeof table[i].range);
		assert_int_equal(source_window(&g.image, table[i].base, SIZE - table[i].base, &inner), 0);
		w.image = &inner;
		w.base = table[i].base;
		w.placed = !table[i].packed;
		for (unsigned k = 0; k < span.n; k++) {
			memcpy(bytes + n, g.bytes + w.base + span.range[k].offset, (size_t)span.range[k].length);
			n += (size_t)span.range[k].length;
		}
		assert_int_equal(digest_bytes(table[i].alg, view_of(bytes, n), want), 0);
		assert_int_equal(walk_digest(&w, &span, table[i].alg, got), 0);
		assert_memory_equal(got, want, digest_len(table[i].alg));
		assert_int_equal(whole.at, table[i].at);
	}
	struct walk_span beyond = { .range = { { 0, SIZE + 1 } }, .n = 1 };
	uint8_t got[DIGEST_LEN_MAX];
	assert_int_equal(walk_digest(&g.w, &beyond, DIGEST_SHA256, got), FG_EFORMAT);
	whole_close(&whole);
	rig_down(&g);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_signed_digest_carries_a_signature_to_a_member),
		cmocka_unit_test(what_is_structure_is_told_apart_from_what_is_nothing),
		cmocka_unit_test(a_member_that_is_another_blocks),
		cmocka_unit_test(a_mismatch_cannot_go_unmentioned),
		cmocka_unit_test(an_unverified_signature_vouches_for_nothing),
		cmocka_unit_test(the_format_prescribes_the_scheme),
		cmocka_unit_test(why_a_bare_signature_is_none),
		cmocka_unit_test(names_that_lead_out_are_told),
		cmocka_unit_test(packed_members_are_bounded_and_told),
		cmocka_unit_test(what_is_not_walked_is_not_kept),
		cmocka_unit_test(what_comes_again_is_the_same),
		cmocka_unit_test(members_share_a_chunk),
		cmocka_unit_test(lists_end_where_the_report_does),
		cmocka_unit_test(a_signature_inside_is_none_of_the_image),
		cmocka_unit_test(more_signatures_than_fit_are_told),
		cmocka_unit_test(a_span_from_the_start_is_hashed_with_the_image),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
