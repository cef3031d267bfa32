/* SPDX-License-Identifier: Apache-2.0 */
/* Files that carry signify's signature in front; signify itself makes and judges them in tests/integration/test_detached.py. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "crypto/base64.h"
#include "crypto/ed25519.h"
#include "crypto/minisign.h"
#include "unit/images/walk_rig.h"

#define COMMENT "untrusted comment: verify with vendor.pub\n"
#define LISTED "SHA256 (fw.bin) = 0000000000000000000000000000000000000000000000000000000000000000\n"

static const uint8_t seed[ED25519_SEED_LEN] = { 7 }, keynum[TRUST_KEYNUM_LEN] = { 1, 2, 3, 4, 5, 6, 7, 8 };

/* "Ed", the key's number and the rest, as a line under a comment. */
static void
lines(struct writer *w, const char *comment, const uint8_t *rest, size_t n)
{
	uint8_t record[128];
	memcpy(record, "Ed", 2);
	memcpy(record + 2, keynum, sizeof keynum);
	memcpy(record + 10, rest, n);
	writer_text(w, comment);
	base64_encode(view_of(record, 10 + n), w);
	writer_text(w, "\n");
}

static struct view
taken(struct writer *w)
{
	size_t n;
	uint8_t *p = writer_take(w, &n);
	return view_of(p, n);
}

static struct view
vendor(void)
{
	uint8_t key[ED25519_KEY_LEN];
	struct writer w;
	writer_init(&w, 1000);
	assert_int_equal(ed25519_public(seed, key), 0);
	lines(&w, "untrusted comment: vendor public key\n", key, sizeof key);
	struct view pems[] = { taken(&w), { 0 } }, trust = rig_trust(pems);
	rig_drop(pems[0]);
	return trust;
}

static struct view
file(const char *comment, const char *content)
{
	uint8_t sig[ED25519_SIG_LEN];
	struct writer w;
	writer_init(&w, 4000);
	assert_int_equal(ed25519_sign(seed, view_str(content), sig), 0);
	lines(&w, comment, sig, sizeof sig);
	writer_text(&w, content);
	return taken(&w);
}

static void
good_and_bad(void **state)
{
	(void)state;
	static const struct {
		const char *comment, *content, *signatures, *findings;
	} table[] = {
		{ COMMENT, "firmware", "minisign/signify-embedded verified", "" },
		{ COMMENT, LISTED, "minisign/signify-embedded verified", "" },
		{ COMMENT, "", "", "COV-UNSIGNED-BYTES FMT-UNKNOWN-PART SIG-ABSENT" },
		/* Whatever people would read there is signed by nobody. */
		{ "untrusted comment: verify with $(reboot).pub\n", "firmware", "minisign/signify-embedded verified",
			"COV-UNSIGNED-BYTES FMT-UNKNOWN-PART" },
		{ "untrusted comment: \n", "firmware", "minisign/signify-embedded verified", "COV-UNSIGNED-BYTES FMT-UNKNOWN-PART" },
	};
	struct view trust = vendor();
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		char is[RIG_TEXT_MAX], told[RIG_TEXT_MAX];
		struct view img = file(table[i].comment, table[i].content);
		struct report *r = rig_verify(img, trust);
		rig_signatures(r, is);
		rig_findings(r, told);
		if (strcmp(is, table[i].signatures) != 0 || strcmp(told, table[i].findings) != 0)
			fail_msg("%zu: [%s] [%s]", i, is, told);
		report_free(r);
		rig_drop(img);
	}
	rig_drop(trust);
}

static void
a_list_of_checksums_is_claimed(void **state)
{
	(void)state;
	struct view trust = vendor(), img = file(COMMENT, LISTED);
	struct report *r = rig_verify(img, trust);
	assert_int_equal(r->contents.facts_n, 1);
	assert_true(r->contents.fact[0].sure);
	assert_memory_equal(r->contents.fact[0].value, LISTED, strlen(LISTED) - 1);
	report_free(r);
	rig_drop(img);
	rig_drop(trust);
}

/* None but those of the comment's file name, of which any is as good. */
static void
no_byte_may_change(void **state)
{
	(void)state;
	struct view trust = vendor(), img = file(COMMENT, LISTED "firmware");
	size_t from = strlen("untrusted comment: verify with "), to = strlen(COMMENT) - strlen(".pub\n");
	rig_flip_range(img, trust, 0, from);
	rig_flip_range(img, trust, to, img.n);
	rig_cut_everywhere(img, trust, 1);
	for (size_t i = from; i < to; i++) {
		rig_bytes(img)[i] ^= 0x10;
		struct report *r = rig_inspect(img, trust);
		assert_false(rig_covered(r, i));
		report_free(r);
		rig_bytes(img)[i] ^= 0x10;
	}
	rig_drop(img);
	rig_drop(trust);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_and_bad),
		cmocka_unit_test(a_list_of_checksums_is_claimed),
		cmocka_unit_test(no_byte_may_change),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
