/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "images/continuity.h"
#include "images/report.h"

#define NOW 1767225600 /* 2026-01-01 */

/* A whole report with one verified signature by key, and what it claims. */
static struct report *
report(uint8_t key, const char *type, enum digest_alg digest)
{
	struct report *r = report_new(REPORT_WHOLE);
	struct sig_result *s = &r->signatures.result[0];
	r->have_image = true;
	r->inputs.at = NOW;
	r->signatures.n = 1;
	s->outcome = SIG_VERIFIED;
	s->digest = digest;
	memset(s->signer.spki_sha256, key, DIGEST_SHA256_LEN);
	snprintf(s->signer.key_type, sizeof s->signer.key_type, "%s", type);
	snprintf(s->scheme, sizeof s->scheme, "%s", type);
	return r;
}

static void
claim(struct report *r, enum contents_fact_id id, const char *path, const char *value, bool sure)
{
	struct contents_fact *f = &r->contents.fact[r->contents.facts_n++];
	*f = (struct contents_fact){ .id = id, .sure = sure };
	snprintf(f->path, sizeof f->path, "%s", path);
	snprintf(f->value, sizeof f->value, "%s", value);
}

static struct continuity_mark
mark_of(struct report *r, uint8_t name)
{
	struct continuity_mark m;
	uint8_t digest[DIGEST_SHA256_LEN];
	memset(digest, name, sizeof digest);
	continuity_mark(r, digest, &m);
	report_free(r);
	return m;
}

/* Exactly these findings (FINDING_LIMIT: none) must have been raised. */
static void
expect(struct report *r, const struct continuity_mark *past, unsigned n, enum finding_id a, enum finding_id b)
{
	continuity_raise(r, past, n);
	assert_true(r->inputs.have_history);
	assert_int_equal(r->inputs.history_n, n);
	for (unsigned i = 0; i < n; i++)
		assert_memory_equal(r->inputs.history[i], past[i].report, DIGEST_SHA256_LEN);
	for (unsigned i = 0; i < FINDING_LIMIT; i++)
		if (report_has(r, (enum finding_id)i) != (i == a || i == b))
			fail_msg("%s", finding_get((enum finding_id)i)->id);
	report_free(r);
}

#define NONE FINDING_LIMIT

static void
the_first_release_is_told(void **state)
{
	(void)state;
	expect(report(1, "ec-p256", DIGEST_SHA256), NULL, 0, FINDING_CONT_FIRST, NONE);
}

static void
signers(void **state)
{
	(void)state;
	struct continuity_mark past[3] = {
		mark_of(report(1, "ec-p256", DIGEST_SHA256), 11),
		mark_of(report(2, "ec-p256", DIGEST_SHA256), 12),
		mark_of(report_new(REPORT_WHOLE), 13), /* unsigned */
	};
	expect(report(1, "ec-p256", DIGEST_SHA256), past, 3, NONE, NONE);
	expect(report(2, "ec-p256", DIGEST_SHA256), past, 3, NONE, NONE); /* one before the last will do */
	expect(report(3, "ec-p256", DIGEST_SHA256), past, 3, FINDING_CONT_NEW_SIGNER, NONE);
	/* Several keys: one that is known is enough. */
	struct report *r = report(3, "ec-p256", DIGEST_SHA256);
	r->signatures.result[1] = r->signatures.result[0];
	memset(r->signatures.result[1].signer.spki_sha256, 2, DIGEST_SHA256_LEN);
	r->signatures.n = 2;
	expect(r, past, 3, NONE, NONE);
	/* A signature of something inside is none of the image, and one that is not verified is none at all. */
	r = report(1, "ec-p256", DIGEST_SHA256);
	snprintf(r->signatures.result[0].where, sizeof r->signatures.result[0].where, "inner");
	expect(r, past, 3, FINDING_CONT_SIGNATURE_LOST, NONE);
	r = report(1, "ec-p256", DIGEST_SHA256);
	r->signatures.result[0].outcome = SIG_UNTRUSTED;
	expect(r, past, 3, FINDING_CONT_SIGNATURE_LOST, NONE);
	/* Where none was signed before, there is nothing to hold it to. */
	expect(report(9, "ec-p256", DIGEST_SHA256), &past[2], 1, NONE, NONE);
}

static void
strength(void **state)
{
	(void)state;
	static const struct {
		const char *type;
		enum digest_alg digest;
		unsigned bits;
	} cases[] = { { "rsa-2048", DIGEST_SHA256, 112 }, { "rsa-3072", DIGEST_SHA256, 128 }, { "rsa-3071", DIGEST_SHA512, 112 },
		{ "rsa-7680", DIGEST_SHA256, 128 }, { "rsa-8192", DIGEST_SHA512, 192 }, { "rsa-1024", DIGEST_SHA256, 80 },
		{ "ec-p256", DIGEST_SHA256, 128 }, { "ec-p384", DIGEST_SHA384, 192 }, { "ec-p384", DIGEST_SHA256, 128 },
		{ "ed25519", DIGEST_NONE, 128 }, { "ed25519", DIGEST_SHA512, 128 }, { "ec-p256", DIGEST_SHA1, 0 },
		{ "dsa-2048", DIGEST_SHA256, 0 }, { "", DIGEST_NONE, 0 } };
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_int_equal(continuity_strength(cases[i].type, cases[i].digest), cases[i].bits);
	struct continuity_mark past[2] = {
		mark_of(report(1, "rsa-3072", DIGEST_SHA256), 11),
		mark_of(report(1, "ec-p384", DIGEST_SHA384), 12), /* only the release before counts: the fleet went on since */
	};
	expect(report(1, "ec-p256", DIGEST_SHA256), past, 2, NONE, NONE);
	expect(report(1, "ec-p384", DIGEST_SHA384), past, 2, NONE, NONE);
	expect(report(1, "rsa-2048", DIGEST_SHA256), past, 2, FINDING_CONT_WEAKER, NONE);
	expect(report(5, "rsa-2048", DIGEST_SHA256), past, 2, FINDING_CONT_WEAKER, FINDING_CONT_NEW_SIGNER);
}

static void
numbers(void **state)
{
	(void)state;
	static const struct {
		enum contents_fact_id id;
		const char *path, *value;
		bool sure;
		enum finding_id told;
	} cases[] = {
		{ CONTENTS_FACT_SECURITY_COUNTER, "", "7", true, NONE },
		{ CONTENTS_FACT_SECURITY_COUNTER, "", "8", true, NONE },
		{ CONTENTS_FACT_SECURITY_COUNTER, "", "6", true, FINDING_CONT_COUNTER_BACK },
		{ CONTENTS_FACT_SECURITY_COUNTER, "", "6", false, FINDING_CONT_COUNTER_BACK }, /* nobody signed it */
		{ CONTENTS_FACT_SECURITY_COUNTER, "other", "6", true, NONE }, /* of another part */
		{ CONTENTS_FACT_SECURITY_COUNTER, "in", "", true, NONE }, /* an inner part got another name */
		{ CONTENTS_FACT_TIMESTAMP, "", "", true, FINDING_CONT_DATE_BACK }, /* from before there was one */
		{ CONTENTS_FACT_SECURITY_COUNTER, "in", "2", true, FINDING_CONT_COUNTER_BACK },
		{ CONTENTS_FACT_SECURITY_COUNTER, "", "06", true, FINDING_CONT_COUNTER_BACK }, /* no number */
		{ CONTENTS_FACT_SECURITY_COUNTER, "", "99999999999999999999999", true, FINDING_CONT_COUNTER_BACK },
		{ CONTENTS_FACT_TIMESTAMP, "", "1000", true, NONE },
		{ CONTENTS_FACT_TIMESTAMP, "", "999", true, FINDING_CONT_DATE_BACK },
		{ CONTENTS_FACT_VERSION, "", "1", true, NONE },
	};
	struct report *a = report(1, "ec-p256", DIGEST_SHA256), *b = report(1, "ec-p256", DIGEST_SHA256);
	claim(a, CONTENTS_FACT_SECURITY_COUNTER, "", "5", true); /* a rollback that was approved */
	claim(a, CONTENTS_FACT_VERSION, "", "9", true);
	claim(a, CONTENTS_FACT_SECURITY_COUNTER, "", "70", false);
	claim(b, CONTENTS_FACT_SECURITY_COUNTER, "", "7", true);
	claim(b, CONTENTS_FACT_SECURITY_COUNTER, "in", "3", true);
	claim(b, CONTENTS_FACT_TIMESTAMP, "", "1000", true);
	struct continuity_mark past[2] = { mark_of(a, 11), mark_of(b, 12) };
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct report *r = report(1, "ec-p256", DIGEST_SHA256);
		/* What the case says nothing about is as it was. */
		static const struct {
			enum contents_fact_id id;
			const char *path, *value;
		} rest[] = { { CONTENTS_FACT_SECURITY_COUNTER, "", "7" }, { CONTENTS_FACT_SECURITY_COUNTER, "in", "3" },
			{ CONTENTS_FACT_TIMESTAMP, "", "1000" } };
		for (size_t k = 0; k < 3; k++)
			if (rest[k].id != cases[i].id || strcmp(rest[k].path, cases[i].path) != 0)
				claim(r, rest[k].id, rest[k].path, rest[k].value, true);
		claim(r, cases[i].id, cases[i].path, cases[i].value, cases[i].sure);
		expect(r, past, 2, cases[i].told, NONE);
	}
}

static void
certificates_that_end_soon(void **state)
{
	(void)state;
	static const struct {
		int64_t end;
		bool told;
	} cases[] = { { 0, false }, { NOW, false }, { NOW + 1, true }, { NOW + CONTINUITY_ENDS_SOON - 1, true },
		{ NOW + CONTINUITY_ENDS_SOON, false } };
	struct continuity_mark past = mark_of(report(1, "ec-p256", DIGEST_SHA256), 11);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct report *r = report(1, "ec-p256", DIGEST_SHA256);
		r->signatures.result[0].signer.not_after = cases[i].end;
		expect(r, &past, 1, cases[i].told ? FINDING_CONT_CERT_ENDS : NONE, NONE);
	}
}

static void
a_report_without_an_image_has_nothing_to_compare(void **state)
{
	(void)state;
	struct continuity_mark past = mark_of(report(1, "ec-p256", DIGEST_SHA256), 11);
	expect(report_new(REPORT_WHOLE), &past, 1, NONE, NONE);
}

/* A delta's target against its base: only what goes back is told. */
static void
against(const char *fact_was, const char *fact_is, enum contents_fact_id id, bool sure, enum finding_id want)
{
	struct report *base = report(1, "ec-p256", DIGEST_SHA256), *r = report(1, "ec-p256", DIGEST_SHA256);
	if (fact_was)
		claim(base, id, "", fact_was, sure);
	if (fact_is)
		claim(r, id, "", fact_is, sure);
	continuity_base(r, base);
	for (unsigned i = 0; i < FINDING_LIMIT; i++)
		if (report_has(r, (enum finding_id)i) != (i == want))
			fail_msg("%s after %s: %s", fact_is, fact_was, finding_get((enum finding_id)i)->id);
	assert_false(r->inputs.have_history);
	report_free(base);
	report_free(r);
}

static void
a_target_against_its_base(void **state)
{
	static const struct {
		const char *was, *is;
		bool older;
	} versions[] = { { "1.2.3", "1.2.2", true }, { "1.2.3", "1.2.3", false }, { "1.2.9", "1.2.10", false },
		{ "1.2.10", "1.2.9", true }, { "1.2.3+4", "1.2.3+3", true }, { "2", "1", true }, { "1.2.3", "1.2", false },
		{ "1.2.3", "1.2.x", false }, { "1.2.3", "", false }, { "1.2.", "1.1.", false }, { "v2", "v1", false },
		{ "1.99999999999999999999", "1.0", false }, { "1.1.1.1.1.1", "1.1.1.1.1.0", true },
		{ "1.1.1.1.1.1.1", "1.1.1.1.1.1.0", false } };
	(void)state;
	for (size_t i = 0; i < sizeof versions / sizeof versions[0]; i++)
		for (int sure = 0; sure < 2; sure++)
			against(versions[i].was, versions[i].is, CONTENTS_FACT_VERSION, sure,
			    versions[i].older ? FINDING_META_DOWNGRADE : NONE);
	against("5", "4", CONTENTS_FACT_SECURITY_COUNTER, true, FINDING_CONT_COUNTER_BACK);
	against("5", NULL, CONTENTS_FACT_SECURITY_COUNTER, true, FINDING_CONT_COUNTER_BACK);
	against("5", "5", CONTENTS_FACT_SECURITY_COUNTER, true, NONE);
	against("5", "4", CONTENTS_FACT_SECURITY_COUNTER, false, NONE);
	against("5", "4", CONTENTS_FACT_TIMESTAMP, true, FINDING_CONT_DATE_BACK);
	against(NULL, "4", CONTENTS_FACT_TIMESTAMP, true, NONE);
}

/* Whether a module with the one refuses the other, and by which words. */
static void
refuses(const char *has, const char *older, enum contents_fact_id id, enum format_id format, const char *word)
{
	struct report *now = report(1, "ec-p256", DIGEST_SHA256), *then = report(1, "ec-p256", DIGEST_SHA256);
	char why[200] = "";
	now->format = then->format = format;
	if (has)
		claim(now, id, "boot", has, false); /* signed or not: a module believes it */
	claim(now, CONTENTS_FACT_SECURITY_COUNTER, "other", "9", true); /* of which the older one says nothing */
	if (older)
		claim(then, id, "boot", older, true);
	assert_int_equal(continuity_refuses(now, then, why, sizeof why), word != NULL);
	assert_string_equal(why, word ? word : "");
	report_free(now);
	report_free(then);
}

static void
what_a_module_keeps_from_it(void **state)
{
	const enum contents_fact_id counter = CONTENTS_FACT_SECURITY_COUNTER, date = CONTENTS_FACT_TIMESTAMP;
	(void)state;
	refuses("5", "3", counter, FORMAT_MCUBOOT, "security-counter of boot 3 after 5");
	refuses("5", "5", counter, FORMAT_MCUBOOT, NULL);
	refuses("5", "6", counter, FORMAT_MCUBOOT, NULL);
	refuses("5", NULL, counter, FORMAT_MCUBOOT, NULL);
	refuses(NULL, "3", counter, FORMAT_MCUBOOT, NULL);
	refuses("5", "x", counter, FORMAT_MCUBOOT, NULL);
	refuses("10", "9", counter, FORMAT_SUIT, "security-counter of boot 9 after 10"); /* numbers, no words */
	refuses("1700000001", "1700000000", date, FORMAT_ANDROID_OTA, "timestamp of boot 1700000000 after 1700000001");
	refuses("1700000001", "1700000000", date, FORMAT_RAUC_BUNDLE, NULL); /* nobody compares it */
	refuses("5", "0", CONTENTS_FACT_ROLLBACK_INDEX, FORMAT_ANDROID_OTA, "rollback-index of boot 0 after 5");
	refuses("5", "5", CONTENTS_FACT_ROLLBACK_INDEX, FORMAT_ANDROID_OTA, NULL);
	refuses("5", NULL, CONTENTS_FACT_ROLLBACK_INDEX, FORMAT_ANDROID_OTA, NULL);
	/* Of several the highest counts, on both sides. */
	struct report *now = report(1, "ec-p256", DIGEST_SHA256), *then = report(1, "ec-p256", DIGEST_SHA256);
	char why[100];
	claim(now, counter, "", "2", true);
	claim(now, counter, "", "4", true);
	claim(then, counter, "", "4", true);
	claim(then, counter, "", "1", true);
	assert_false(continuity_refuses(now, then, why, sizeof why));
	claim(now, counter, "", "5", true);
	assert_true(continuity_refuses(now, then, why, sizeof why));
	assert_string_equal(why, "security-counter 4 after 5");
	report_free(now);
	report_free(then);
}

/* A bundle of that version, for a module whose settings ask for one; "-": it gives none. manifest: it could be read. */
static void
below(const char *least, const char *version, bool manifest, enum format_id has, enum format_id format, const char *word)
{
	struct report *now = report(1, "ec-p256", DIGEST_SHA256), *then = report(1, "ec-p256", DIGEST_SHA256);
	char why[200] = "";
	now->format = has;
	then->format = format;
	claim(now, CONTENTS_FACT_VERSION, "", "2.0", true);
	if (least)
		claim(now, CONTENTS_FACT_LEAST_VERSION, "rootfs", least, false);
	if (manifest)
		claim(then, CONTENTS_FACT_COMPATIBLE, "", "thing", true);
	claim(then, CONTENTS_FACT_VERSION, "inner", "0.1", true); /* of something else in it */
	if (strcmp(version, "-") != 0)
		claim(then, CONTENTS_FACT_VERSION, "", version, true);
	assert_int_equal(continuity_refuses(now, then, why, sizeof why), word != NULL);
	assert_string_equal(why, word ? word : "");
	report_free(now);
	report_free(then);
}

static void
the_least_version_of_rauc(void **state)
{
	const enum format_id rauc = FORMAT_RAUC_BUNDLE;
	(void)state;
	below("1.4", "1.3.9", true, rauc, rauc, "version 1.3.9, and least-version of rootfs is 1.4");
	below("1.4", "1.4.0", true, rauc, rauc, NULL);
	below("1.4", "1.10", true, rauc, rauc, NULL);
	below("1.4", "-", true, rauc, rauc, "no version, and least-version of rootfs is 1.4");
	below("1.4", "winter", true, rauc, rauc, "version winter, and least-version of rootfs is 1.4");
	below("winter", "1.3", true, rauc, rauc, NULL); /* RAUC would not start with it */
	below("winter", "-", true, rauc, rauc, NULL);
	below(NULL, "1.3", true, rauc, rauc, NULL);
	below("1.4", "-", false, rauc, rauc, NULL); /* an encrypted one: nobody knows */
	below("1.4", "1.3", true, FORMAT_SWU, rauc, NULL);
	below("1.4", "1.3", true, rauc, FORMAT_SWU, NULL);
}

/* An index goes with its partition: one that is not carried has not gone back. */
static void
rollback_indexes(void **state)
{
	(void)state;
	static const struct {
		const char *path, *value;
		bool sure;
		enum finding_id told;
	} cases[] = { { "vbmeta", "4", true, FINDING_CONT_COUNTER_BACK }, { "vbmeta", "5", true, NONE }, { "vbmeta", "6", true, NONE },
		{ "vbmeta", "4", false, NONE }, { "vbmeta_system", "4", true, NONE }, { NULL, NULL, false, NONE } };
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct report *was = report(1, "ec-p256", DIGEST_SHA256), *r = report(1, "ec-p256", DIGEST_SHA256);
		struct report *base = report(1, "ec-p256", DIGEST_SHA256), *target = report(1, "ec-p256", DIGEST_SHA256);
		claim(was, CONTENTS_FACT_ROLLBACK_INDEX, "vbmeta", "5", true);
		claim(base, CONTENTS_FACT_ROLLBACK_INDEX, "vbmeta", "5", true);
		if (cases[i].path) {
			claim(r, CONTENTS_FACT_ROLLBACK_INDEX, cases[i].path, cases[i].value, cases[i].sure);
			claim(target, CONTENTS_FACT_ROLLBACK_INDEX, cases[i].path, cases[i].value, cases[i].sure);
		}
		struct continuity_mark past = mark_of(was, 11);
		expect(r, &past, 1, cases[i].told, NONE);
		continuity_base(target, base);
		assert_int_equal(report_has(target, FINDING_CONT_COUNTER_BACK), cases[i].told != NONE);
		report_free(target);
		report_free(base);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_release_is_told),
		cmocka_unit_test(signers),
		cmocka_unit_test(strength),
		cmocka_unit_test(numbers),
		cmocka_unit_test(certificates_that_end_soon),
		cmocka_unit_test(a_report_without_an_image_has_nothing_to_compare),
		cmocka_unit_test(a_target_against_its_base),
		cmocka_unit_test(what_a_module_keeps_from_it),
		cmocka_unit_test(the_least_version_of_rauc),
		cmocka_unit_test(rollback_indexes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
