/* SPDX-License-Identifier: Apache-2.0 */
/* The outline walk over CMS: lengths, nesting, ends; T5, T8 and T9 at byte level. */
#include "unit/crypto/pki.h"

#include "crypto/cms_ber.h"
#include "crypto/err.h"
#include "crypto/hex.h"

static int
tlv(const char *hex, struct cms_ber_tlv *ret, const char **why)
{
	static uint8_t bytes[256];
	size_t n = strlen(hex) / 2;
	assert_true(hex_decode(view_str(hex), bytes, n));
	return cms_ber_tlv(view_of(bytes, n), 0, ret, why);
}

static void
definite_lengths_in_every_form(void **state)
{
	(void)state;
	static const struct {
		const char *hex;
		size_t offset, n, size;
	} rows[] = {
		{ "0500", 2, 0, 2 },
		{ "040141", 2, 1, 3 },
		{ "04014142", 2, 1, 3 },
		{ "04810141", 3, 1, 4 },
		{ "0482000141", 4, 1, 5 },
		{ "04840000000141", 6, 1, 7 },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct cms_ber_tlv t;
		const char *why = "";
		assert_int_equal(tlv(rows[i].hex, &t, &why), 0);
		assert_int_equal(t.offset, rows[i].offset);
		assert_int_equal(t.body.n, rows[i].n);
		assert_int_equal(t.size, rows[i].size);
		assert_false(t.indefinite);
	}
}

static void
indefinite_lengths_find_their_own_end(void **state)
{
	(void)state;
	static const struct {
		const char *hex;
		size_t n, size;
	} rows[] = {
		{ "30800000", 0, 4 },
		{ "308004014100000500", 3, 7 },
		{ "3080308000000000", 4, 8 },
		/* zeros inside a definite element are not an end */
		{ "3080040200000000", 4, 8 },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct cms_ber_tlv t;
		const char *why = "";
		assert_int_equal(tlv(rows[i].hex, &t, &why), 0);
		assert_true(t.indefinite);
		assert_int_equal(t.body.n, rows[i].n);
		assert_int_equal(t.size, rows[i].size);
	}
}

static void
malformed_elements_are_refused(void **state)
{
	(void)state;
	static const char *const rows[] = {
		"", "04", "0402", "040241", /* cut short */
		"0480", "04800000",	    /* indefinite primitive */
		"1f0100", "3f2001410000",   /* long tags */
		"0485000000000141",	    /* length of more than four bytes */
		"0484ffffffff41",	    /* longer than the input */
		"048300", "0483000001",	    /* length cut short */
		"04ff", "0000", "000041",   /* reserved length, end mark as element */
		"3080", "308000", "30800401", "308004014100", /* no end */
		"30800001410000",			      /* end mark with a body */
		"3080008100",				      /* end mark in the long form */
		"308030800000",				      /* one end for two */
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct cms_ber_tlv t = { .size = 99 };
		const char *why = "";
		if (tlv(rows[i], &t, &why) != FG_EFORMAT)
			fail_msg("\"%s\" was taken", rows[i]);
		assert_true(why[0] != '\0');
		assert_int_equal(t.size, 99);
	}
}

static void
an_offset_past_the_end_is_refused(void **state)
{
	(void)state;
	struct cms_ber_tlv t;
	const char *why = "";
	static const uint8_t null[] = { 0x05, 0x00 };
	assert_int_equal(cms_ber_tlv(view_of(null, 2), 1, &t, &why), FG_EFORMAT);
	assert_int_equal(cms_ber_tlv(view_of(null, 2), 2, &t, &why), FG_EFORMAT);
	assert_int_equal(cms_ber_tlv(view_of(null, 2), SIZE_MAX, &t, &why), FG_EFORMAT);
}

static void
nesting_is_bounded(void **state)
{
	(void)state;
	uint8_t deep[4 * CMS_BER_DEPTH_MAX + 8];
	const char *why = "";
	struct cms_ber_tlv t;
	for (size_t depth = CMS_BER_DEPTH_MAX; depth <= CMS_BER_DEPTH_MAX + 1; depth++) {
		size_t n = 0;
		for (size_t i = 0; i < depth; i++) {
			deep[n++] = 0x30;
			deep[n++] = 0x80;
		}
		memset(deep + n, 0, 2 * depth);
		n += 2 * depth;
		assert_int_equal(cms_ber_tlv(view_of(deep, n), 0, &t, &why),
		    depth <= CMS_BER_DEPTH_MAX ? 0 : FG_EFORMAT);
	}
	assert_string_equal(why, "nested too deeply");
}

static int
walk_file(const char *name, struct cms_ber *ret)
{
	char path[128];
	const char *why = "";
	snprintf(path, sizeof path, "cms/%s.der", name);
	struct pki_blob der = pki_load(path);
	int err = cms_ber_walk(pki_view(&der), ret, &why);
	free(der.p);
	return err;
}

static void
T5_accept_and_reject_by_the_last_byte(void **state)
{
	(void)state;
	struct pki_blob der = pki_load("cms/code.der");
	struct cms_ber found;
	const char *why = "";
	assert_int_equal(cms_ber_walk(pki_view(&der), &found, &why), 0);
	uint8_t *longer = calloc(1, der.n + 1);
	assert_non_null(longer);
	memcpy(longer, der.p, der.n);
	assert_int_equal(cms_ber_walk(view_of(longer, der.n + 1), &found, &why), FG_EFORMAT);
	assert_int_equal(cms_ber_walk(view_of(longer, der.n - 1), &found, &why), FG_EFORMAT);
	free(longer);
	free(der.p);
}

/*
 * Junk behind the inner elements, outer lengths mended: OpenSSL's decoder and
 * ours must both be asked about such a file, and ours says no.
 */
static void
T5_reject_junk_inside(void **state)
{
	(void)state;
	/* ContentInfo { signedData, [0] { SignedData, junk } } and { ..., junk } */
	static const char *const rows[] = {
		"301306092a864886f70d010702a00630000500",
		"301406092a864886f70d010702a003300100"
		"05000500",
		"300d06092a864886f70d0107020500",
		"300b06092a864886f70d010702",
		"3000",
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		uint8_t bytes[64];
		struct cms_ber found;
		const char *why = "";
		size_t n = strlen(rows[i]) / 2;
		assert_true(hex_decode(view_str(rows[i]), bytes, n));
		assert_int_equal(cms_ber_walk(view_of(bytes, n), &found, &why), FG_EFORMAT);
	}
}

static void
T8_accept_and_find_the_content(void **state)
{
	(void)state;
	static const char *const names[] = { "attached", "attached-noattr", "attached-stream" };
	struct pki_blob lf = pki_load("data/lf");
	for (size_t i = 0; i < 3; i++) {
		char path[128];
		struct cms_ber found;
		const char *why = "";
		snprintf(path, sizeof path, "cms/%s.der", names[i]);
		struct pki_blob der = pki_load(path);
		assert_int_equal(cms_ber_walk(pki_view(&der), &found, &why), 0);
		assert_true(found.attached);
		assert_true(view_equal(found.content, pki_view(&lf)));
		assert_ptr_equal(found.content.p, der.p + found.content_offset);
		assert_int_equal(found.signers, 1);
		assert_int_equal(found.certificates, 2);
		free(der.p);
	}
	struct cms_ber found;
	assert_int_equal(walk_file("code", &found), 0);
	assert_false(found.attached);
	free(lf.p);
}

static void
T8_reject_content_in_pieces(void **state)
{
	(void)state;
	struct pki_blob der = pki_load("cms/attached-stream.der");
	struct cms_ber found;
	const char *why = "";
	/* 24 80 04 08 "a=1\nb=2\n" 00 00 becomes 24 80 04 03 ... 04 03 ... 00 00 */
	static const uint8_t whole[] = { 0x24, 0x80, 0x04, 0x08, 'a', '=', '1', '\n', 'b', '=', '2',
		'\n' };
	static const uint8_t pieces[] = { 0x24, 0x80, 0x04, 0x03, 'a', '=', '1', 0x04, 0x03, 'b',
		'=', '2' };
	uint8_t *at = memmem(der.p, der.n, whole, sizeof whole);
	assert_non_null(at);
	memcpy(at, pieces, sizeof pieces);
	assert_int_equal(cms_ber_walk(pki_view(&der), &found, &why), FG_EFORMAT);
	assert_string_equal(why, "content in more than one piece");
	free(der.p);
}

static void
T9_accept_and_reject_by_the_number_of_signers(void **state)
{
	(void)state;
	struct cms_ber found;
	assert_int_equal(walk_file("two", &found), 0);
	assert_int_equal(found.signers, 2);
	assert_int_equal(walk_file("seventeen", &found), 0);
	assert_int_equal(found.signers, 17);
	assert_int_equal(walk_file("certs-only", &found), 0); /* cms_open refuses it */
	assert_int_equal(found.signers, 0);
}

static void
versions_must_fit(void **state)
{
	(void)state;
	struct cms_ber found;
	const char *why = "";
	assert_int_equal(walk_file("keyid", &found), 0);
	struct pki_blob der = pki_load("cms/nocerts.der");
	assert_int_equal(der.p[23], 0x02); /* SignedData's version */
	der.p[25] = 3;
	assert_int_equal(cms_ber_walk(pki_view(&der), &found, &why), FG_EFORMAT);
	der.p[25] = 1;
	assert_int_equal(der.p[62], 0x02); /* the signer's version */
	der.p[64] = 3;
	assert_int_equal(cms_ber_walk(pki_view(&der), &found, &why), FG_EFORMAT);
	der.p[64] = 1;
	der.p[40] ^= 3; /* sha256 announced as sha384 */
	assert_int_equal(cms_ber_walk(pki_view(&der), &found, &why), FG_EFORMAT);
	free(der.p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(definite_lengths_in_every_form),
		cmocka_unit_test(indefinite_lengths_find_their_own_end),
		cmocka_unit_test(malformed_elements_are_refused),
		cmocka_unit_test(an_offset_past_the_end_is_refused),
		cmocka_unit_test(nesting_is_bounded),
		cmocka_unit_test(T5_accept_and_reject_by_the_last_byte),
		cmocka_unit_test(T5_reject_junk_inside),
		cmocka_unit_test(T8_accept_and_find_the_content),
		cmocka_unit_test(T8_reject_content_in_pieces),
		cmocka_unit_test(T9_accept_and_reject_by_the_number_of_signers),
		cmocka_unit_test(versions_must_fit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
