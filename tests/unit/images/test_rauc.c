/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RAUC bundles: some 130 of them, good and bad, which tests/vectors/rauc.py had
 * the genuine tool judge. What it refuses is never acceptable here; where this
 * walker refuses more, the case is named.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/err.h"
#include "images/rauc.h"
#include "tests/unit/images/walk_rig.h"

#define NONE FINDING_LIMIT

static struct view
anchors(bool crl)
{
	struct view pem[4] = { rig_made("cert", "root.pem") };
	if (crl) {
		pem[1] = rig_made("cert", "crl-root.pem");
		pem[2] = rig_made("cert", "crl-inter.pem");
	}
	struct view set = rig_trust(pem);
	for (unsigned i = 0; i < 3; i++)
		rig_drop(pem[i]);
	return set;
}

/* As RAUC was set up for that case: "email" (its default purpose), "code", "crl", "crl-less", "code-crl". */
static struct report *
verify_as(struct view img, const char *settings)
{
	struct inspect_job job = { 0 };
	struct source s;
	bool code = strncmp(settings, "code", 4) == 0, crl = strstr(settings, "crl") != NULL;
	struct view trust = anchors(crl && strcmp(settings, "crl-less") != 0);
	struct report *r = report_new(REPORT_KIND_NONE), *back = report_new(REPORT_KIND_NONE);
	struct report_refusal why;
	struct writer w;
	inspect_defaults(&job);
	source_memory(&s, img);
	job.image = &s;
	job.have_trust = true;
	job.trust = trust;
	job.at = RIG_NOW;
	job.policy.purpose = code ? TRUST_PURPOSE_CODE_SIGNING : TRUST_PURPOSE_EMAIL;
	job.policy.require_revocation = crl;
	assert_int_equal(inspect_verify(&job, r), 0);
	writer_init(&w, REPORT_MAX);
	assert_int_equal(report_encode(r, REPORT_MAX, &w), 0);
	if (report_parse(writer_view(&w), REPORT_VERIFY, back, &why))
		fail_msg("%s: %s: %s", finding_get(why.finding)->id, why.text, w.p);
	writer_free(&w);
	report_free(r);
	rig_drop(trust);
	return back;
}

/* ---- against the genuine tool ---- */

enum { PLAIN = 1, VERITY = 2, CRYPT = 4, BOTH = 3 };

/*
 * What must come out ('a'cceptable, 'r'eview, 'b'locked), and what must be among
 * the findings. stricter: RAUC takes it without a word, here somebody has to look
 * or nobody gets it, on purpose.
 */
static const struct expected {
	const char *name; /* behind "plain-" and so on */
	unsigned formats;
	char verdict;
	enum finding_id finding;
	bool stricter;
} table[] = {
	{ "good", BOTH, 'a', NONE, false },
	{ "by-hand", BOTH, 'a', NONE, false },
	{ "other-vendor", BOTH, 'b', FINDING_SIG_UNTRUSTED, false },
	{ "self-signed", BOTH, 'b', FINDING_SIG_UNTRUSTED, false },
	{ "no-intermediate", BOTH, 'b', FINDING_SIG_UNTRUSTED, false },
	{ "expired", BOTH, 'b', FINDING_SIG_EXPIRED, false },
	{ "not-yet", BOTH, 'b', FINDING_SIG_EXPIRED, false },
	{ "tls-purpose", BOTH, 'b', FINDING_SIG_UNTRUSTED, false },
	{ "code-purpose", BOTH, 'b', FINDING_SIG_UNTRUSTED, false },
	{ "code-as-code", BOTH, 'a', NONE, false },
	{ "email-as-code", BOTH, 'b', FINDING_SIG_UNTRUSTED, false },
	{ "crl-good", BOTH, 'a', NONE, false },
	{ "crl-missing", BOTH, 'b', FINDING_SIG_UNTRUSTED, false },
	{ "revoked", BOTH, 'b', FINDING_SIG_REVOKED, false },
	{ "revoked-no-crl", BOTH, 'a', NONE, false },
	{ "two-good", BOTH, 'b', FINDING_FMT_MALFORMED, false },
	{ "second-stranger", BOTH, 'b', FINDING_FMT_MALFORMED, false },
	{ "flip-super", PLAIN, 'b', FINDING_SIG_INVALID, false },
	{ "flip-data", PLAIN, 'b', FINDING_SIG_INVALID, false },
	{ "flip-inodes", PLAIN, 'b', FINDING_SIG_INVALID, false },
	{ "flip-listing", PLAIN, 'b', FINDING_SIG_INVALID, false },
	{ "flip-payload-end", PLAIN, 'b', FINDING_SIG_INVALID, false },
	{ "flip-cms-head", BOTH, 'b', FINDING_SIG_INVALID, false },
	{ "flip-cms-signature", BOTH, 'b', FINDING_SIG_INVALID, false },
	{ "flip-length", BOTH, 'r', FINDING_FMT_UNKNOWN_PART, false },
	{ "cut-last", BOTH, 'r', FINDING_FMT_UNKNOWN_PART, false },
	{ "cut-length", BOTH, 'r', FINDING_FMT_UNKNOWN_PART, false },
	{ "cut-half", BOTH, 'r', FINDING_SIG_ABSENT, false },
	{ "cut-payload", PLAIN, 'b', FINDING_SIG_INVALID, false },
	{ "append-byte", BOTH, 'r', FINDING_FMT_UNKNOWN_PART, false },
	{ "append-block", BOTH, 'r', FINDING_FMT_UNKNOWN_PART, false },
	{ "append-to-payload", PLAIN, 'b', FINDING_SIG_INVALID, false },
	{ "append-in-cms", BOTH, 'b', FINDING_SIG_INVALID, true },
	{ "length-0", BOTH, 'r', FINDING_FMT_UNKNOWN_PART, false },
	{ "length-short", BOTH, 'r', FINDING_FMT_UNKNOWN_PART, false },
	{ "length-long", BOTH, 'r', FINDING_FMT_UNKNOWN_PART, false },
	{ "length-64k", BOTH, 'r', FINDING_FMT_UNKNOWN_PART, false },
	{ "length-huge", BOTH, 'r', FINDING_FMT_UNKNOWN_PART, false },
	{ "no-signer", BOTH, 'b', FINDING_SIG_INVALID, false },
	{ "flip-super", VERITY, 'b', FINDING_FMT_INTEGRITY, false },
	{ "flip-data", VERITY, 'b', FINDING_FMT_INTEGRITY, false },
	{ "flip-inodes", VERITY, 'b', FINDING_FMT_INTEGRITY, false },
	{ "flip-listing", VERITY, 'b', FINDING_FMT_INTEGRITY, false },
	{ "flip-payload-end", VERITY, 'b', FINDING_FMT_INTEGRITY, false },
	{ "cut-payload", VERITY, 'b', FINDING_FMT_INTEGRITY, false },
	{ "append-to-payload", VERITY, 'b', FINDING_FMT_INTEGRITY, false },
	{ "meta-group", BOTH, 'a', NONE, false },
	{ "comment", BOTH, 'a', NONE, false },
	{ "unknown-key", BOTH, 'r', FINDING_FMT_UNKNOWN_PART, false },
	{ "unknown-group", BOTH, 'r', FINDING_FMT_UNKNOWN_PART, false },
	{ "double-key", BOTH, 'b', FINDING_FMT_DUPLICATE, false },
	{ "double-group", BOTH, 'b', FINDING_FMT_DUPLICATE, true },
	{ "no-pair", BOTH, 'b', FINDING_FMT_MALFORMED, false },
	{ "translated-key", BOTH, 'b', FINDING_FMT_MALFORMED, true },
	{ "empty-value", BOTH, 'b', FINDING_FMT_MALFORMED, true },
	{ "bad-escape", BOTH, 'b', FINDING_FMT_MALFORMED, true },
	{ "unknown-hook", BOTH, 'r', FINDING_FMT_UNKNOWN_PART, false },
	{ "hook-without-file", BOTH, 'b', FINDING_FMT_MALFORMED, false },
	{ "hook", BOTH, 'r', FINDING_MEMBER_RUNS, true },
	{ "handler", BOTH, 'r', FINDING_MEMBER_RUNS, true },
	{ "handler-missing", BOTH, 'b', FINDING_MEMBER_MISSING, true },
	{ "extra-file", BOTH, 'r', FINDING_MEMBER_UNLISTED, true },
	{ "image-missing", BOTH, 'b', FINDING_MEMBER_MISSING, true },
	{ "image-link", BOTH, 'b', FINDING_MEMBER_MISSING, true },
	{ "image-above", BOTH, 'b', FINDING_MEMBER_UNSAFE_NAME, true },
	{ "sha-wrong", BOTH, 'b', FINDING_MEMBER_DIGEST, true },
	{ "sha-missing", BOTH, 'b', FINDING_MEMBER_NO_DIGEST, false },
	{ "sha-capitals", BOTH, 'b', FINDING_MEMBER_NO_DIGEST, true },
	{ "size-wrong", BOTH, 'b', FINDING_MEMBER_DIGEST, true },
	{ "size-missing", BOTH, 'b', FINDING_FMT_MALFORMED, false },
	{ "size-signed", BOTH, 'b', FINDING_FMT_MALFORMED, false },
	{ "two-digests", BOTH, 'b', FINDING_FMT_CONFLICT, true },
	{ "casync", BOTH, 'r', FINDING_FMT_WALK_LIMIT, true },
	{ "unaligned", PLAIN, 'b', FINDING_FMT_MALFORMED, true },
	{ "hidden-block", PLAIN, 'r', FINDING_FMT_UNKNOWN_PART, true },
	{ "no-manifest", PLAIN, 'b', FINDING_MEMBER_MISSING, false },
	{ "says-verity", PLAIN, 'b', FINDING_FMT_CONFLICT, true },
	{ "with-tree", PLAIN, 'b', FINDING_FMT_MALFORMED, false },
	{ "sha1", BOTH, 'b', FINDING_SIG_WEAK, true },
	{ "attached", PLAIN, 'b', FINDING_FMT_MALFORMED, false },
	{ "no-attributes", PLAIN, 'a', NONE, false },
	{ "flip-tree", VERITY, 'b', FINDING_FMT_INTEGRITY, false },
	{ "tree-padding", VERITY, 'b', FINDING_FMT_INTEGRITY, false },
	{ "other-salt", VERITY, 'b', FINDING_FMT_INTEGRITY, false },
	{ "other-root", VERITY, 'b', FINDING_FMT_INTEGRITY, false },
	{ "hidden-block", VERITY, 'b', FINDING_FMT_HIDDEN_BYTES, true },
	{ "size-unaligned", VERITY, 'b', FINDING_FMT_MALFORMED, false },
	{ "size-0", VERITY, 'b', FINDING_FMT_MALFORMED, false },
	{ "size-less", VERITY, 'b', FINDING_FMT_INTEGRITY, false },
	{ "size-huge", VERITY, 'b', FINDING_FMT_MALFORMED, false },
	{ "no-root", VERITY, 'b', FINDING_FMT_MALFORMED, false },
	{ "says-plain", VERITY, 'b', FINDING_FMT_MALFORMED, false },
	{ "version-changed", VERITY, 'b', FINDING_SIG_INVALID, false },
	{ "inner-differs", VERITY, 'b', FINDING_FMT_CONFLICT, true },
	{ "no-inner", VERITY, 'a', NONE, false },
	{ "deep", VERITY, 'a', NONE, false },
	{ "good", CRYPT, 'r', FINDING_FMT_ENCRYPTED, true },
	{ "flip", CRYPT, 'b', FINDING_FMT_INTEGRITY, false },
	{ "encrypted", CRYPT, 'b', FINDING_SIG_UNSUPPORTED_SCHEME, false },
};

static const struct expected *
expected(const char *name)
{
	static const char *const prefixes[] = { "plain-", "verity-", "crypt-" };
	for (unsigned k = 0; k < 3; k++) {
		size_t n = strlen(prefixes[k]);
		for (size_t i = 0; strncmp(name, prefixes[k], n) == 0 && i < sizeof table / sizeof table[0]; i++)
			if (table[i].formats & 1u << k && strcmp(table[i].name, name + n) == 0)
				return &table[i];
	}
	return NULL;
}

static void
one_as_rauc_says(const char *name, const char *settings, bool yes)
{
	char file[200], findings[RIG_TEXT_MAX];
	const struct expected *e = expected(name);
	snprintf(file, sizeof file, "%s.raucb", name);
	if (!e)
		fail_msg("%s is in no table", name);
	struct view img = rig_made("rauc", file);
	struct report *r = verify_as(img, settings);
	char verdict = report_verdict_name(report_verdict(r))[0];
	rig_findings(r, findings);
	if (verdict != e->verdict || (e->finding != NONE && !report_has(r, e->finding)))
		fail_msg("%s: %c: %s", name, verdict, findings);
	if (!yes && verdict == 'a')
		fail_msg("%s: RAUC refuses it, and nobody has to look", name);
	if (e->stricter != (yes && verdict != 'a'))
		fail_msg("%s: RAUC says %s, we say %c: is that on purpose?", name, yes ? "yes" : "no", verdict);
	report_free(r);
	rig_drop(img);
}

static void
as_rauc_says(void **state)
{
	(void)state;
	struct view judged = rig_made("rauc", "judged");
	char *text = strndup((const char *)judged.p, judged.n), *rest = text, *line;
	unsigned n = 0, cases = 0;
	while ((line = strsep(&rest, "\n")) && *line) {
		const char *name = strsep(&line, "\t"), *settings = strsep(&line, "\t");
		one_as_rauc_says(name, settings, strcmp(line, "yes\tyes") == 0);
		n++;
	}
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
		cases += table[i].formats == BOTH ? 2 : 1;
	assert_int_equal(n, cases); /* each was made and judged */
	free(text);
	rig_drop(judged);
}

/* ---- what is told ---- */

static const struct contents_member *
member(const struct report *r, const char *path)
{
	for (unsigned i = 0; i < r->contents.members_n; i++)
		if (strcmp(r->contents.member[i].path, path) == 0)
			return &r->contents.member[i];
	fail_msg("%s is not listed", path);
	abort();
}

static const struct contents_fact *
fact(const struct report *r, enum contents_fact_id id)
{
	const struct contents_fact *f = rig_fact(r, id, 0);
	if (!f) {
		fail_msg("no claim of kind %s", contents_fact_name(id));
		abort();
	}
	return f;
}

static void
members_facts_and_coverage(void **state)
{
	(void)state;
	static const char *const names[] = { "plain-good.raucb", "verity-good.raucb" };
	for (unsigned k = 0; k < 2; k++) {
		struct view img = rig_made("rauc", names[k]);
		struct report *r = verify_as(img, "email");
		struct coverage c;
		assert_int_equal(report_verified(r), 1);
		assert_int_equal(member(r, "rootfs.img")->vouch, CONTENTS_VOUCH_DIGEST);
		assert_int_equal(member(r, "app.img")->vouch, CONTENTS_VOUCH_DIGEST);
		assert_int_equal(member(r, "manifest.raucm")->vouch, CONTENTS_VOUCH_INSIDE);
		assert_true(member(r, "rootfs.img") > member(r, "manifest.raucm")); /* images last */
		assert_string_equal(fact(r, CONTENTS_FACT_VERSION)->value, "2026.01-1");
		assert_string_equal(fact(r, CONTENTS_FACT_COMPATIBLE)->value, "Test Gateway");
		assert_string_equal(fact(r, CONTENTS_FACT_BUILD)->value, "20260101");
		assert_string_equal(fact(r, CONTENTS_FACT_TYPE)->value, k ? "verity" : "plain");
		assert_true(fact(r, CONTENTS_FACT_VERSION)->sure);
		assert_int_equal(rig_fact(r, CONTENTS_FACT_DIGEST, 0) != NULL, k == 1);
		/* All but the signature, and the tree that was checked, is signed. */
		assert_int_equal(report_coverage(r, &c), 0);
		assert_true(rig_covered(r, 0) && rig_covered(r, 20000));
		assert_false(rig_covered(r, img.n - 1));
		assert_false(report_has(r, FINDING_COV_UNSIGNED_BYTES));
		assert_true(report_has(r, FINDING_COV_ENVELOPE));
		report_free(r);
		rig_drop(img);
	}
}

/* Anybody may have written a signature that does not verify, and the length of it. */
static void
signatures_that_are_no_structure(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		unsigned verified;
		bool structure;
	} cases[] = {
		{ "plain-good", 1, true },
		{ "verity-good", 1, true },
		{ "crypt-good", 1, true },
		{ "plain-two-good", 1, false }, /* to RAUC's eyes; the second certificate is for no purpose of ours */
		{ "verity-two-good", 1, false },
		{ "plain-second-stranger", 1, false },
		{ "verity-second-stranger", 1, false },
		{ "plain-other-vendor", 0, false },
		{ "verity-other-vendor", 0, false },
		{ "plain-flip-cms-signature", 0, false },
		{ "verity-flip-cms-signature", 0, false },
		{ "plain-append-in-cms", 0, false },
		{ "verity-append-in-cms", 0, false },
		{ "plain-no-signer", 0, false },
		{ "crypt-encrypted", 0, false },
	};
	for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char file[64];
		snprintf(file, sizeof file, "%s.raucb", cases[i].name);
		struct view img = rig_made("rauc", file);
		struct report *r = verify_as(img, "email");
		if (report_verified(r) != cases[i].verified)
			fail_msg("%s: %u verified", cases[i].name, report_verified(r));
		for (size_t k = 1; k <= 9; k += 8) /* the length, and the signature before it */
			if (rig_structure(r, img.n - k) != cases[i].structure)
				fail_msg("%s: byte %zu from the end", cases[i].name, k);
		if (!cases[i].structure && !report_has(r, FINDING_COV_UNSIGNED_BYTES))
			fail_msg("%s: nothing is unsigned", cases[i].name);
		report_free(r);
		rig_drop(img);
	}
}

/* The signed manifest goes on being sure when the data are not its own; nothing in these is vouched for. */
static void
data_that_are_not_the_manifests(void **state)
{
	(void)state;
	struct view img = rig_made("rauc", "verity-flip-tree.raucb");
	struct report *r = verify_as(img, "email");
	assert_int_equal(report_verified(r), 1);
	assert_true(fact(r, CONTENTS_FACT_VERSION)->sure);
	assert_false(fact(r, CONTENTS_FACT_TIMESTAMP)->sure);
	assert_int_equal(member(r, "rootfs.img")->vouch, CONTENTS_VOUCH_CHECKED);
	assert_int_equal(member(r, "manifest.raucm")->vouch, CONTENTS_VOUCH_NONE);
	assert_false(rig_covered(r, 0));
	report_free(r);
	rig_drop(img);
}

static void
no_byte_can_be_changed(void **state)
{
	(void)state;
	struct view img = rig_made("rauc", "small.raucb"), trust = anchors(false);
	struct report *r = rig_verify(img, trust);
	assert_int_equal(report_verdict(r), REPORT_ACCEPTABLE);
	report_free(r);
	rig_flip_every_byte(img, trust, 23);
	rig_cut_everywhere(img, trust, 331);
	rig_drop(trust);
	rig_drop(img);
}

/* ---- known answers ---- */

static void
golden_bundles(void **state)
{
	(void)state;
	static const struct {
		const char *file;
		enum sig_outcome outcome;
	} golden[] = {
		{ "rauc/good-bundle.raucb", SIG_VERIFIED },
		{ "rauc/good-verity-bundle.raucb", SIG_VERIFIED },
		{ "rauc/invalid-sig-bundle.raucb", SIG_INVALID },
	};
	struct view pems[3] = { rig_genuine("rauc/root-ca.pem"), rig_genuine("rauc/dev-ca.pem") };
	if (!pems[0].p || !pems[1].p)
		skip();
	struct view trust = rig_trust(pems);
	for (unsigned i = 0; i < sizeof golden / sizeof golden[0]; i++) {
		struct view img = rig_genuine(golden[i].file);
		struct report *r = rig_verify(img, trust);
		assert_int_equal(r->signatures.n, 1);
		assert_int_equal(r->signatures.result[0].outcome, golden[i].outcome);
		assert_int_equal(report_verdict(r), REPORT_BLOCKED); /* anybody has that key */
		assert_int_equal(report_has(r, FINDING_SIG_KEY_PUBLISHED), golden[i].outcome == SIG_VERIFIED);
		if (golden[i].outcome == SIG_VERIFIED)
			assert_int_equal(r->findings[FINDING_MEMBER_UNLISTED].count, 3);
		report_free(r);
		rig_drop(img);
	}
	rig_drop(trust);
	rig_drop(pems[0]);
	rig_drop(pems[1]);
}

/* In the root file system, whether anything walks it or not; the words are signed. */
static void
the_least_version_of_what_is_installed(void **state)
{
	(void)state;
	static const char *const rows[][2] = { { "least-squashfs.raucb", "rootfs.squashfs/etc/rauc/system.conf" },
		{ "least-ext4.raucb", "rootfs.ext4" } };
	for (size_t i = 0; i < 2; i++) {
		struct view img = rig_made("rauc", rows[i][0]);
		struct report *r = verify_as(img, "email");
		unsigned n = 0;
		for (unsigned k = 0; k < r->contents.facts_n; k++) {
			const struct contents_fact *f = &r->contents.fact[k];
			if (f->id != CONTENTS_FACT_LEAST_VERSION)
				continue;
			assert_string_equal(f->path, rows[i][1]);
			assert_string_equal(f->value, "1.4.2");
			assert_true(f->sure);
			n++;
		}
		assert_int_equal(n, 1);
		report_free(r);
		rig_drop(img);
	}
	struct view img = rig_made("rauc", "small.raucb");
	struct report *r = verify_as(img, "email");
	for (unsigned k = 0; k < r->contents.facts_n; k++)
		assert_int_not_equal(r->contents.fact[k].id, CONTENTS_FACT_LEAST_VERSION);
	report_free(r);
	rig_drop(img);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_rauc_says),
		cmocka_unit_test(members_facts_and_coverage),
		cmocka_unit_test(signatures_that_are_no_structure),
		cmocka_unit_test(data_that_are_not_the_manifests),
		cmocka_unit_test(no_byte_can_be_changed),
		cmocka_unit_test(the_least_version_of_what_is_installed),
		cmocka_unit_test(golden_bundles),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
