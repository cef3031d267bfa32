/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signature files beside an image, through the whole verify stage: no byte of the
 * image and none of the signature may change. The tools that make them judge
 * them too in tests/integration/test_detached.py.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "crypto/base64.h"
#include "crypto/ed25519.h"
#include "crypto/minisign.h"
#include "unit/crypto/sshtool.h"
#include "unit/images/walk_rig.h"

#define COMMENT "untrusted comment: said by nobody\n"
#define TRUSTED "timestamp:1700000000\tfile:fw.bin"

static const uint8_t seed[ED25519_SEED_LEN] = { 7 }, keynum[TRUST_KEYNUM_LEN] = { 1, 2, 3, 4, 5, 6, 7, 8 };
static char image[] = "firmware, byte for byte";

static void
line_under(struct writer *w, const char *comment, const char *alg, const uint8_t *rest, size_t n)
{
	uint8_t record[128];
	memcpy(record, alg, 2);
	memcpy(record + 2, keynum, sizeof keynum);
	memcpy(record + 10, rest, n);
	writer_text(w, comment);
	base64_encode(view_of(record, 10 + n), w);
	writer_text(w, "\n");
}

static void
line(struct writer *w, const char *alg, const uint8_t *rest, size_t n)
{
	line_under(w, COMMENT, alg, rest, n);
}

static struct view
taken(struct writer *w)
{
	size_t n;
	uint8_t *p = writer_take(w, &n);
	return view_of(p, n);
}

/* "ED": minisign hashed, "Ed": as before that or, without a trusted comment, signify. */
static struct view
of_minisign(const char *alg, bool trusted)
{
	uint8_t sum[DIGEST_LEN_MAX], sig[ED25519_SIG_LEN], all[ED25519_SIG_LEN + sizeof TRUSTED], global[ED25519_SIG_LEN];
	struct view m = view_str(image);
	struct writer w;
	writer_init(&w, 4000);
	if (alg[1] == 'D') {
		assert_int_equal(digest_bytes(DIGEST_BLAKE2B512, m, sum), 0);
		m = view_of(sum, 64);
	}
	assert_int_equal(ed25519_sign(seed, m, sig), 0);
	line(&w, alg, sig, sizeof sig);
	if (trusted) {
		memcpy(all, sig, sizeof sig);
		memcpy(all + sizeof sig, TRUSTED, strlen(TRUSTED));
		assert_int_equal(ed25519_sign(seed, view_of(all, sizeof sig + strlen(TRUSTED)), global), 0);
		writer_text(&w, "trusted comment: " TRUSTED "\n");
		base64_encode(view_of(global, sizeof global), &w);
		writer_text(&w, "\n");
	}
	return taken(&w);
}

static struct view
trust_in(struct view key)
{
	struct view pems[] = { key, { 0 } };
	return rig_trust(pems);
}

static struct report *
beside(struct view img, struct view sig, struct view trust)
{
	struct inspect_job job = { 0 };
	struct source s, t;
	struct report *r = report_new(REPORT_KIND_NONE);
	inspect_defaults(&job);
	source_memory(&s, img);
	source_memory(&t, sig);
	job.image = &s;
	job.signature = &t;
	job.have_trust = true;
	job.trust = trust;
	job.at = RIG_NOW;
	assert_int_equal(inspect_verify(&job, r), 0);
	return r;
}

/* As a profile asks: verified, and in the form that has that name in a report. */
static bool
verifies(struct view img, struct view sig, struct view trust, const char *scheme)
{
	struct report *r = beside(img, sig, trust);
	bool verified = report_verified(r) > 0;
	if (!verified)
		assert_int_equal(report_verdict(r), REPORT_BLOCKED);
	verified = verified && strcmp(r->signatures.result[0].scheme, scheme) == 0;
	report_free(r);
	return verified;
}

/* Every byte of both; [from, to) of the signature file is what its form leaves to anybody. */
static void
flip_both(struct view img, struct view sig, struct view trust, const char *scheme, size_t from, size_t to)
{
	assert_true(verifies(img, sig, trust, scheme));
	for (size_t i = 0; i < img.n; i++) {
		rig_bytes(img)[i] ^= 0x10;
		if (verifies(img, sig, trust, scheme))
			fail_msg("byte %zu of the image was changed and is verified", i);
		rig_bytes(img)[i] ^= 0x10;
	}
	assert_false(verifies(view_of(img.p, img.n - 1), sig, trust, scheme));
	for (size_t i = 0; i < sig.n; i++) {
		if (i >= from && i < to)
			continue;
		for (unsigned bit = 1; bit < 256; bit <<= 3) { /* 1, 8, 64 */
			rig_bytes(sig)[i] ^= (uint8_t)bit;
			if (verifies(img, sig, trust, scheme))
				fail_msg("byte %zu of the signature was changed by %u and is verified", i, bit);
			rig_bytes(sig)[i] ^= (uint8_t)bit;
		}
	}
	for (size_t n = 0; n + 1 < sig.n; n++) /* the last line end may be missing */
		if (verifies(img, view_of(sig.p, n), trust, scheme))
			fail_msg("%zu of %zu bytes of the signature verify", n, sig.n);
}

static void
minisign_and_signify(void **state)
{
	(void)state;
	static const struct {
		const char *alg;
		bool trusted;
		const char *scheme;
	} forms[] = {
		{ "ED", true, "minisign-blake2b512" },
		{ "Ed", true, "minisign-legacy" }, /* without its trusted comment it is one of signify, and called that */
		{ "Ed", false, "signify" },
	};
	uint8_t key[ED25519_KEY_LEN];
	struct view img = view_of((const uint8_t *)image, strlen(image));
	assert_int_equal(ed25519_public(seed, key), 0);
	for (size_t i = 0; i < 3; i++) {
		struct writer w;
		writer_init(&w, 1000);
		/* A key counts in the form of the tool that wrote its comment. */
		line_under(&w, strcmp(forms[i].scheme, "signify") == 0 ? "untrusted comment: vendor public key\n" : COMMENT, "Ed", key,
		    sizeof key);
		struct view pub = taken(&w), trust = trust_in(pub), sig = of_minisign(forms[i].alg, forms[i].trusted);
		flip_both(img, sig, trust, forms[i].scheme, strlen(MINISIGN_START), strlen(COMMENT) - 1);
		rig_drop(sig);
		rig_drop(pub);
		rig_drop(trust);
	}
}

static void
openssh(void **state)
{
	(void)state;
	struct sshtool t;
	sshtool_open(&t);
	if (!t.have) {
		sshtool_close(&t);
		skip();
	}
	struct view img = view_of((const uint8_t *)image, strlen(image));
	sshtool_put(&t, "fw", img);
	assert_int_equal(sshtool_run(&t, NULL, "-q -t ed25519 -N '' -f key"), 0);
	assert_int_equal(sshtool_run(&t, NULL, "-Y sign -q -n file -f key fw"), 0);
	struct view trust = trust_in(sshtool_get(&t, "key.pub")), text = sshtool_get(&t, "fw.sig");
	struct writer w;
	writer_init(&w, SSHTOOL_FILE_MAX);
	writer_bytes(&w, text);
	struct view sig = taken(&w);
	flip_both(img, sig, trust, "sshsig-ed25519", 0, 0);
	rig_drop(sig);
	rig_drop(trust);
	sshtool_close(&t);
}

static void
cms(void **state)
{
	(void)state;
	struct view root = rig_made("cert", "root.pem"), trust = trust_in(root), sig = rig_made("cms", "code.der"),
		img = rig_made("data", "firmware");
	assert_true(verifies(img, sig, trust, "cms-detached"));
	for (size_t i = 0; i < img.n; i += img.n / 50 + 1) { /* of its own bytes: crypto/test_cms.c */
		rig_bytes(img)[i] ^= 0x10;
		assert_false(verifies(img, sig, trust, "cms-detached"));
		rig_bytes(img)[i] ^= 0x10;
	}
	rig_drop(img);
	rig_drop(sig);
	rig_drop(trust);
	rig_drop(root);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(minisign_and_signify),
		cmocka_unit_test(openssh),
		cmocka_unit_test(cms),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
