/* SPDX-License-Identifier: Apache-2.0 */
/* Known answers of cose-wg/Examples where they are there; traps of section 1.9 by hand. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/cbor.h"
#include "crypto/cose.h"
#include "crypto/err.h"
#include "crypto/hex.h"

static struct view
bytes_of(const char *hex)
{
	size_t n = strlen(hex) / 2;
	uint8_t *p = malloc(n ? n : 1);
	char *low = strdup(hex);
	for (char *c = low; *c; c++)
		*c = *c >= 'A' && *c <= 'F' ? (char)(*c + 32) : *c;
	assert_true(hex_decode(view_str(low), p, n));
	free(low);
	return view_of(p, n);
}

static void
drop(struct view v)
{
	free((void *)(uintptr_t)v.p);
}

/* What sign-pass-02 of the group signs, from its published intermediate. */
static void
what_is_signed_is_what_the_group_says(void **state)
{
	(void)state;
	struct view v = bytes_of("D28443A10126A10442313154546869732069732074686520636F6E74656E742E5840"
	    "6520BBAF2081D7E0ED0F95F76EB0733D667005F7467CEC4B87B9381A6BA1EDE8E00DF29F32A37230F39A842A54821FDD223092819D7728EFB9D3A0080B75380B");
	struct view want = bytes_of("846A5369676E61747572653143A101264054546869732069732074686520636F6E74656E742E");
	struct cose c;
	const char *why = "";
	struct writer w;
	writer_init(&w, 1000);
	if (cose_parse(v, &c, &why))
		fail_msg("%s", why);
	assert_int_equal(c.n, 1);
	assert_int_equal(c.signature[0].alg, -7);
	assert_int_equal(c.signature[0].as, TRUST_ECDSA_FIXED);
	assert_int_equal(c.signature[0].signature.n, 64);
	assert_true(view_is(c.signature[0].kid, "11"));
	assert_true(view_is(c.payload, "This is the content."));
	cose_tbs(&c.signature[0], c.payload, &w);
	assert_true(view_equal(writer_view(&w), want));
	/* Every shorter one is none, and so is a longer one. */
	for (size_t n = 0; n < v.n; n++)
		assert_int_equal(cose_parse(view_of(v.p, n), &c, &why), FG_EFORMAT);
	writer_free(&w);
	drop(v);
	drop(want);
}

static void
what_is_refused_says_why(void **state)
{
	(void)state;
	static const struct {
		const char *hex, *why;
	} cases[] = {
		{ "D28441A0A201260442313140404100", "protected header" }, /* sign-pass-01: the algorithm stands unprotected */
		{ "D28440A0F64100", "names no algorithm" },
		{ "D903E68443A10126A0F64100", "no kind of signature" }, /* sign-fail-01: tag 998 */
		{ "8443A10126A0F64100", "no tag" },
		{ "D28443A10126A0F6410000", "bytes after" },
		{ "D28444A2012601A0F64100", "protected header is no map" },
		{ "D28445A201260126A0F64100", "twice" },
		{ "D28446A20126028100A0F64100", "critical" },
		{ "D2845FA10126FFA0F64100", "no byte string" }, /* of unknown length */
		{ "D2845803A10126A0F64100", "no byte string" }, /* not the shortest head */
		{ "D28343A10126A0F6", "array of four" },
		{ "D8628440A0F680", "no signature" },
		{ "D28443A10126A0634100", "malformed" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct cose c;
		const char *why = "";
		struct view v = bytes_of(cases[i].hex);
		assert_int_equal(cose_parse(v, &c, &why), FG_EFORMAT);
		if (!strstr(why, cases[i].why))
			fail_msg("%s: %s", cases[i].hex, why);
		drop(v);
	}
	struct view mac = bytes_of("D18443A10105A0F64100");
	struct cose c;
	const char *why;
	assert_int_equal(cose_parse(mac, &c, &why), 0);
	assert_true(c.mac && c.n == 0);
	drop(mac);
}

static void
several_signers(void **state)
{
	(void)state;
	struct view v = bytes_of("D8628440A04568656C6C6F828343A10126A104413141018343A10127A04102");
	struct view want = bytes_of("85695369676E61747572654043A10127404568656C6C6F");
	struct cose c;
	const char *why = "";
	struct writer w;
	writer_init(&w, 1000);
	if (cose_parse(v, &c, &why))
		fail_msg("%s", why);
	assert_int_equal(c.n, 2);
	assert_int_equal(c.signature[0].as, TRUST_ECDSA_FIXED);
	assert_int_equal(c.signature[1].as, TRUST_ED25519);
	assert_string_equal(cose_alg_name(c.signature[1].alg), "EdDSA");
	cose_tbs(&c.signature[1], c.payload, &w);
	assert_true(view_equal(writer_view(&w), want));
	writer_free(&w);
	drop(v);
	drop(want);
}

static void
heads_have_one_form(void **state)
{
	(void)state;
	static const struct {
		const char *hex;
		bool good;
	} cases[] = { { "00", true }, { "17", true }, { "1818", true }, { "1817", false }, { "190100", true }, { "1900ff", false },
		{ "1a00010000", true }, { "1a0000ffff", false }, { "1b0000000100000000", true }, { "1b00000000ffffffff", false },
		{ "1c", false }, { "1f", false }, { "18", false }, { "4100", true }, { "42ff", false }, { "8100", true }, { "81", false },
		{ "9f00ff", false }, { "a10001", true }, { "a100", false }, { "f6", true }, { "f97c00", true }, { "fa00000000", true },
		{ "fb0000000000000000", true }, { "fb00000000000000", false }, { "c100", true }, { "c1", false }, { "f8ff", true },
		{ "f818", false }, { "8181818181818100", true }, { "818181818181818181818100", false } };
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct view v = bytes_of(cases[i].hex);
		struct reader r;
		reader_init(&r, v);
		struct view got = cbor_skip(&r);
		if (reader_end(&r) != cases[i].good || (cases[i].good && got.n != v.n))
			fail_msg("%s", cases[i].hex);
		drop(v);
	}
	struct view v = bytes_of("3b7fffffffffffffff");
	struct reader r;
	reader_init(&r, v);
	assert_true(cbor_int(&r) == INT64_MIN && reader_end(&r));
	drop(v);
	v = bytes_of("3b8000000000000000");
	reader_init(&r, v);
	(void)cbor_int(&r);
	assert_true(r.bad);
	drop(v);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_signed_is_what_the_group_says),
		cmocka_unit_test(what_is_refused_says_why),
		cmocka_unit_test(several_signers),
		cmocka_unit_test(heads_have_one_form),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
