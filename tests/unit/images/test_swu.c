/* SPDX-License-Identifier: Apache-2.0 */
/*
 * .swu files of tests/vectors/swu.py: verified, changed byte by byte, cut
 * everywhere, re-ordered. T20, T21, T22 of the signature paper. What Debian's
 * swupdate says of more than a hundred variants: tests/integration/test_formats_swu.py.
 */
#include "unit/images/cpio_rig.h"

#include "images/inspect.h"

#define HEADER 110

static struct pki_blob
load(const char *name)
{
	char path[64];
	snprintf(path, sizeof path, "swu/%s", name);
	return pki_load(path);
}

static struct trust *
keys(enum trust_scheme scheme)
{
	char why[SIG_TEXT_MAX];
	struct pki_blob b = pki_load("key/code.pub");
	struct trust *t = trust_new();
	assert_int_equal(trust_add_pem(t, "vendor", pki_view(&b), scheme, why, sizeof why), 0);
	free(b.p);
	return t;
}

static struct report *
walk_file(const char *name, const struct trust *t)
{
	struct pki_blob b = load(name);
	struct report *r = rig_walk(pki_view(&b), FORMAT_SWU, t);
	free(b.p);
	return r;
}

/* Signed bytes and structure are all there is; loose: but for the signature's own, which are the sender's. */
static void
is_whole_but(const struct report *r, bool loose)
{
	assert_int_equal(rig_verified(r), 1);
	if (report_has(r, FINDING_COV_UNSIGNED_BYTES) != loose)
		fail_msg("%s: unsigned bytes", r->signatures.result[0].scheme);
	for (unsigned i = 0; i < r->contents.facts_n; i++)
		assert_true(r->contents.fact[i].sure);
	for (unsigned i = 0; i < r->contents.members_n; i++)
		assert_true(r->contents.member[i].vouch >= CONTENTS_VOUCH_INSIDE);
}

static void
is_whole(const struct report *r)
{
	is_whole_but(r, false);
}

static void
test_cms(void **state)
{
	(void)state;
	static const char *const names[] = { "crc", "newc", "json" };
	struct trust *t = pki_trust("root inter");
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		struct report *r = walk_file(names[i], t);
		rig_told(r, names[i], (enum finding_id[]){ FINDING_LIMIT });
		is_whole(r);
		assert_string_equal(r->signatures.result[0].scheme, "swu/cms-detached");
		assert_string_equal(r->contents.member[1].path, "fw.img");
		assert_true(rig_fact(r, CONTENTS_FACT_VERSION, "1.2.3"));
		report_free(r);
	}
	trust_free(t);
}

/* The intermediate is sent along, and counts for nothing: as swupdate has it since CVE-2026-109399. */
static void
test_chain_is_the_devices(void **state)
{
	(void)state;
	struct trust *t = pki_trust("root");
	struct report *r = walk_file("crc", t);
	pki_outcome(&r->signatures.result[0], SIG_UNTRUSTED, "intermediate sent along");
	report_free(r);
	trust_free(t);
}

static void
test_outcomes(void **state)
{
	(void)state;
	struct trust *t = pki_trust("root inter");
	struct report *r = walk_file("sha1", t);
	pki_outcome(&r->signatures.result[0], SIG_WEAK, "sha1");
	report_free(r);
	r = walk_file("two", t);
	assert_int_equal(r->signatures.n, 2);
	is_whole_but(r, true); /* the second signer's are anybody's */
	report_free(r);
	r = walk_file("unsigned", t);
	assert_int_equal(r->signatures.n, 0);
	assert_true(report_has(r, FINDING_SIG_ABSENT));
	assert_int_equal(r->contents.member[1].vouch, CONTENTS_VOUCH_CHECKED);
	assert_false(r->contents.fact[0].sure);
	report_free(r);
	r = walk_file("pkcs1", t);
	pki_outcome(&r->signatures.result[0], SIG_UNTRUSTED, "raw, without a key for it");
	report_free(r);
	trust_free(t);
	r = walk_file("crc", NULL);
	pki_outcome(&r->signatures.result[0], SIG_UNTRUSTED, "nobody trusted");
	assert_true(report_has(r, FINDING_COV_UNSIGNED_BYTES));
	report_free(r);
}

/* The key's record says the scheme; the file says nothing. */
static void
test_raw(void **state)
{
	(void)state;
	static const struct {
		const char *file;
		enum trust_scheme scheme;
		bool fits;
	} raws[] = {
		{ "pkcs1", TRUST_RSA_PKCS1_SHA256, true },
		{ "pkcs1", TRUST_RSA_PSS_SHA256, false },
		{ "pkcs1", TRUST_RSA_PSS_SHA256_LONG, false },
		{ "pss-32", TRUST_RSA_PSS_SHA256, true },
		{ "pss-32", TRUST_RSA_PSS_SHA256_LONG, false },
		{ "pss-max", TRUST_RSA_PSS_SHA256, false },
		{ "pss-max", TRUST_RSA_PSS_SHA256_LONG, true },
		{ "pss-max", TRUST_RSA_PKCS1_SHA256, false },
		{ "crc", TRUST_RSA_PKCS1_SHA256, false },
	};
	for (size_t i = 0; i < sizeof raws / sizeof raws[0]; i++) {
		struct trust *t = keys(raws[i].scheme);
		struct report *r = walk_file(raws[i].file, t);
		if ((rig_verified(r) == 1) != raws[i].fits)
			fail_msg("%s as %s: %s", raws[i].file, trust_scheme_name(raws[i].scheme),
			    r->signatures.result[0].detail);
		if (raws[i].fits)
			is_whole(r);
		report_free(r);
		trust_free(t);
	}
}

static struct trust *
pgp_ring(void)
{
	char why[SIG_TEXT_MAX];
	struct pki_blob b = load("pgp.key");
	struct trust *t = trust_new();
	assert_int_equal(trust_add_pem(t, "vendor", pki_view(&b), TRUST_SCHEME_NONE, why, sizeof why), 0);
	free(b.p);
	return t;
}

/* As a device has it whose swupdate asks GnuPG: one good signature by a key of its ring. */
static void
test_openpgp(void **state)
{
	(void)state;
	static const struct {
		const char *file;
		enum sig_outcome outcome; /* of the last */
		bool loose;               /* it verifies, and brings bytes that nobody signed */
	} rows[] = {
		{ "pgp", SIG_VERIFIED, false },
		{ "pgp-armoured", SIG_VERIFIED, false },
		{ "pgp-two", SIG_VERIFIED, true }, /* the other is a stranger's */
		{ "pgp-header", SIG_VERIFIED, true },
		{ "pgp-version", SIG_VERIFIED, true },
		{ "pgp-loose", SIG_VERIFIED, true },
		{ "pgp-other", SIG_UNTRUSTED, false },
		{ "pgp-changed", SIG_INVALID, false },
		{ "pgp-text", SIG_INVALID, false },
		{ "pgp-sha1", SIG_WEAK, false },
		{ "pgp-cut", SIG_UNTRUSTED, false }, /* no packet any more: a raw signature, by nobody */
		{ "pgp-message", SIG_UNTRUSTED, false },
		{ "crc", SIG_UNTRUSTED, false },
		{ "pkcs1", SIG_UNTRUSTED, false },
	};
	struct trust *t = pgp_ring();
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct report *r = walk_file(rows[i].file, t);
		assert_int_equal(r->signatures.n, strcmp(rows[i].file, "pgp-two") == 0 ? 2 : 1);
		pki_outcome(&r->signatures.result[r->signatures.n - 1], rows[i].outcome, rows[i].file);
		if (rows[i].outcome == SIG_VERIFIED) {
			is_whole_but(r, rows[i].loose);
			assert_string_equal(r->signatures.result[0].scheme, "swu/openpgp");
			assert_int_equal(r->contents.member[1].vouch, CONTENTS_VOUCH_DIGEST);
		}
		/* Words that nobody signed, in a place that readers pass over; a short header is told by its bytes alone. */
		assert_int_equal(report_has(r, FINDING_FMT_UNKNOWN_PART),
		    strcmp(rows[i].file, "pgp-header") == 0 || strcmp(rows[i].file, "pgp-loose") == 0);
		report_free(r);
	}
	trust_free(t);
}

/* The key is the device's: what is asked for and who signed it stay unknown, and are called that. */
static void
test_encrypted_description(void **state)
{
	(void)state;
	static const char *const names[] = { "encrypted", "encrypted-pgp", "encrypted-raw", "enveloped" };
	struct trust *t = pki_trust("root inter");
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		struct report *r = walk_file(names[i], t);
		rig_told(r, names[i], (enum finding_id[]){ FINDING_FMT_ENCRYPTED, FINDING_LIMIT });
		assert_int_equal(r->signatures.n, 1);
		pki_outcome(&r->signatures.result[0], SIG_OPAQUE, names[i]);
		assert_int_equal(r->contents.facts_n, 0);
		assert_int_equal(r->contents.member[1].vouch, CONTENTS_VOUCH_NONE);
		report_free(r);
	}
	trust_free(t);
}

/* T20: the digest is of what is stored, and what comes out is what is shown. */
static void
test_packed(void **state)
{
	(void)state;
	struct trust *t = pki_trust("root inter");
	struct report *r = walk_file("packed", t);
	rig_told(r, "packed", (enum finding_id[]){ FINDING_MEMBER_RUNS, FINDING_LIMIT });
	is_whole(r);
	const struct contents_member *fw = &r->contents.member[1], *script = &r->contents.member[2];
	assert_int_equal(fw->size, 5000);
	assert_false(fw->have_offset);
	assert_false(fw->runs);
	assert_true(script->runs);
	report_free(r);
	trust_free(t);
}

/* T22: nothing here says whether it is newer; version and counters are facts for policy. */
static void
test_facts(void **state)
{
	(void)state;
	struct trust *t = pki_trust("root inter");
	struct report *r = walk_file("crc", t);
	assert_true(rig_fact(r, CONTENTS_FACT_VERSION, "1.2.3"));
	assert_true(rig_fact(r, CONTENTS_FACT_COMPATIBLE, "1.0"));
	assert_true(rig_fact(r, CONTENTS_FACT_NOTE, "sample"));
	report_free(r);
	trust_free(t);
}

/* Offset of the data of the n-th member, and its length. */
static struct sig_range
data_of(struct view v, unsigned n)
{
	size_t at = 0;
	for (;; n--) {
		char size[9] = { 0 }, name[9] = { 0 };
		memcpy(size, v.p + at + 54, 8);
		memcpy(name, v.p + at + 94, 8);
		size_t data = (at + HEADER + strtoul(name, NULL, 16) + 3) & ~(size_t)3;
		size_t len = strtoul(size, NULL, 16);
		if (n == 0)
			return (struct sig_range){ data, len };
		at = (data + len + 3) & ~(size_t)3;
	}
}

/*
 * Any byte changed: what is then still called signed is unchanged. In the
 * description nothing verifies; in the image its digest says so; in the
 * structure it is told, or changes what nobody reads (owner, dates of a header).
 */
static void
mutate(const char *name, const struct trust *t)
{
	struct pki_blob b = load(name);
	struct view v = pki_view(&b);
	struct sig_range text = data_of(v, 0), sig = data_of(v, 1), fw = data_of(v, 2);
	for (size_t i = 0; i < b.n; i += i < text.offset + text.length || i > fw.offset + fw.length ? 1 : i < fw.offset ? 7 : 101) {
		b.p[i] ^= 0x10;
		struct report *r = rig_walk(v, FORMAT_SWU, t);
		bool in_text = i >= text.offset && i < text.offset + text.length;
		bool in_fw = i >= fw.offset && i < fw.offset + fw.length;
		if (in_text)
			assert_int_equal(rig_verified(r), 0);
		if (in_fw)
			assert_true(report_has(r, FINDING_MEMBER_DIGEST));
		for (unsigned k = 0; k < r->signatures.n; k++)
			for (unsigned c = 0; c < r->signatures.result[k].covers_n; c++) {
				struct sig_range range = r->signatures.result[k].covers[c];
				if (r->signatures.result[k].outcome == SIG_VERIFIED &&
				    i >= range.offset && i < range.offset + range.length)
					fail_msg("%s: changed byte %zu is called signed", name, i);
			}
		if (i >= sig.offset && i < sig.offset + sig.length && rig_verified(r))
			assert_int_equal(r->signatures.n, 1); /* an attribute nobody signs, or a certificate nobody needs */
		report_free(r);
		b.p[i] ^= 0x10;
	}
	free(b.p);
}

static void
test_mutate(void **state)
{
	(void)state;
	struct trust *t = pki_trust("root inter");
	mutate("crc", t);
	trust_free(t);
	t = keys(TRUST_RSA_PKCS1_SHA256);
	mutate("pkcs1", t);
	trust_free(t);
	t = pgp_ring();
	mutate("pgp", t);
	trust_free(t);
}

static void
test_cut(void **state)
{
	(void)state;
	struct trust *t = pki_trust("root inter");
	struct pki_blob b = load("crc");
	struct sig_range fw = data_of(pki_view(&b), 2);
	size_t end = (size_t)(fw.offset + fw.length) + HEADER + 11; /* the trailer without its name's NUL, and less */
	for (size_t n = 0; n < end; n += n < 500 || n > fw.offset + fw.length ? 1 : 53) {
		uint8_t *exact = malloc(n ? n : 1);
		memcpy(exact, b.p, n);
		struct report *r = rig_walk(view_of(exact, n), FORMAT_SWU, t);
		assert_true(report_has(r, FINDING_FMT_MALFORMED));
		report_free(r);
		free(exact);
	}
	free(b.p);
	trust_free(t);
}

/* The signature is looked for where the updater looks, and the first member is what it is. */
static void
test_order(void **state)
{
	(void)state;
	static const struct rig_file text = { .name = "sw-description", .data = "version = 1;" },
	                             sig = { .name = "sw-description.sig", .data = "0\x80" },
	                             other = { .name = "a", .data = "x" };
	static const struct rig_file *const orders[][3] = { { &text, &other, &sig }, { &other, &text, &sig },
		{ &sig, &text, &other } };
	for (size_t i = 0; i < 3; i++) {
		struct writer w;
		writer_init(&w, RIG_MAX);
		for (unsigned k = 0; k < 3; k++)
			rig_add(&w, orders[i][k]);
		rig_end(&w);
		struct report *r = rig_walk(writer_view(&w), FORMAT_SWU, NULL);
		assert_true(report_has(r, FINDING_FMT_MALFORMED));
		assert_int_equal(r->signatures.n, 0);
		report_free(r);
		writer_free(&w);
	}
}

static void
test_signature_forms(void **state)
{
	(void)state;
	static char huge[CMS_SIG_MAX + 1];
	memset(huge, '0', sizeof huge);
	static const struct {
		const char *data;
		size_t n;
		enum sig_outcome outcome;
	} forms[] = {
		{ "-----BEGIN PGP SIGNATURE-----", 0, SIG_INVALID },
		{ huge, sizeof huge, SIG_INVALID },
		{ "0\x0b\x06\x09*\x86H\x86\xf7\x0d\x01\x07\x02", 13, SIG_INVALID },
		{ "x", 1, SIG_UNTRUSTED },
	};
	for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
		struct writer w;
		writer_init(&w, RIG_MAX);
		rig_add(&w, &(struct rig_file){ .name = "sw-description", .data = "a = 1;" });
		rig_add(&w, &(struct rig_file){ .name = "sw-description.sig", .data = forms[i].data, .data_n = forms[i].n });
		rig_end(&w);
		struct report *r = rig_walk(writer_view(&w), FORMAT_SWU, NULL);
		assert_int_equal(r->signatures.n, 1);
		pki_outcome(&r->signatures.result[0], forms[i].outcome, forms[i].data);
		report_free(r);
		writer_free(&w);
	}
}

/* T21: a description that its signature does not cover is read all the same, and vouched for by nobody. */
static void
test_unsure(void **state)
{
	(void)state;
	struct trust *t = pki_trust("root inter");
	struct pki_blob b = load("crc");
	uint8_t *at = memmem(b.p, b.n, "1.2.3", 5);
	assert_non_null(at);
	*at = '9';
	struct report *r = rig_walk(pki_view(&b), FORMAT_SWU, t);
	pki_outcome(&r->signatures.result[0], SIG_INVALID, "changed");
	assert_true(rig_fact(r, CONTENTS_FACT_VERSION, "9.2.3"));
	for (unsigned i = 0; i < r->contents.facts_n; i++)
		assert_false(r->contents.fact[i].sure);
	assert_int_equal(r->contents.member[1].vouch, CONTENTS_VOUCH_CHECKED);
	report_free(r);
	free(b.p);
	trust_free(t);
}

static bool
is_structure(const struct report *r, uint64_t at)
{
	for (unsigned i = 0; i < r->contents.structure_n; i++) {
		struct sig_range s = r->contents.structure[i];
		if (at >= s.offset && at - s.offset < s.length)
			return true;
	}
	return false;
}

/* A signature is structure once it verified, a header and name where the description spells the name. */
static void
test_structure_is_known(void **state)
{
	(void)state;
	static const char name[] = "anything that somebody wants to bring along";
	struct trust *t = pki_trust("root inter");
	struct pki_blob b = load("crc");
	struct view v = pki_view(&b);
	struct sig_range sig = data_of(v, 1), fw = data_of(v, 2);
	size_t head = (size_t)(sig.offset + sig.length + 3) & ~(size_t)3;
	struct report *r = rig_walk(v, FORMAT_SWU, t);
	assert_true(is_structure(r, sig.offset));
	assert_true(is_structure(r, head));
	report_free(r);
	r = rig_walk(v, FORMAT_SWU, NULL);
	assert_false(is_structure(r, sig.offset));
	report_free(r);

	size_t end = (size_t)(fw.offset + fw.length + 3) & ~(size_t)3;
	struct writer w;
	writer_init(&w, RIG_MAX);
	writer_bytes(&w, view_of(b.p, end));
	rig_add(&w, &(struct rig_file){ .name = name });
	writer_bytes(&w, view_of(b.p + end, b.n - end));
	r = rig_walk(writer_view(&w), FORMAT_SWU, t);
	rig_told(r, "unlisted", (enum finding_id[]){ FINDING_MEMBER_UNLISTED, FINDING_LIMIT });
	assert_int_equal(rig_verified(r), 1);
	assert_false(is_structure(r, end));
	assert_false(is_structure(r, end + HEADER));
	report_free(r);
	writer_free(&w);
	free(b.p);
	trust_free(t);
}

/* Owners, times and inodes differ from build to build; a mode that lends rights, or a device, does not. */
static void
test_header_fields(void **state)
{
	(void)state;
	static const struct {
		unsigned at;
		const char *value;
		bool told;
	} fields[] = {
		{ 6, "0012ABCD", false },  /* inode */
		{ 14, "000081ED", false }, /* mode 0755 */
		{ 14, "000089A4", true },  /* set-user-id */
		{ 14, "000083A4", true },  /* sticky */
		{ 14, "ABCD81A4", true },
		{ 22, "000003E8", false }, /* owner */
		{ 30, "000003E8", false },
		{ 38, "00000002", false }, /* links */
		{ 46, "6789ABCD", false }, /* time */
		{ 62, "00000008", false }, /* device that the file was on */
		{ 70, "00000001", false },
		{ 78, "00000001", true }, /* device that it is */
		{ 86, "00000001", true },
	};
	struct trust *t = pki_trust("root inter");
	struct pki_blob b = load("crc");
	struct sig_range sig = data_of(pki_view(&b), 1);
	size_t head = (size_t)(sig.offset + sig.length + 3) & ~(size_t)3;
	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
		uint8_t before[8];
		memcpy(before, b.p + head + fields[i].at, 8);
		memcpy(b.p + head + fields[i].at, fields[i].value, 8);
		struct report *r = rig_walk(pki_view(&b), FORMAT_SWU, t);
		rig_told(r, fields[i].value,
		    (enum finding_id[]){ fields[i].told ? FINDING_FMT_UNKNOWN_PART : FINDING_LIMIT, FINDING_LIMIT });
		is_whole(r);
		report_free(r);
		memcpy(b.p + head + fields[i].at, before, 8);
	}
	free(b.p);
	trust_free(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cms),
		cmocka_unit_test(test_chain_is_the_devices),
		cmocka_unit_test(test_outcomes),
		cmocka_unit_test(test_raw),
		cmocka_unit_test(test_openpgp),
		cmocka_unit_test(test_encrypted_description),
		cmocka_unit_test(test_packed),
		cmocka_unit_test(test_facts),
		cmocka_unit_test(test_mutate),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_signature_forms),
		cmocka_unit_test(test_unsure),
		cmocka_unit_test(test_structure_is_known),
		cmocka_unit_test(test_header_fields),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
