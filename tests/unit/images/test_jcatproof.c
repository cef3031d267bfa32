/* SPDX-License-Identifier: Apache-2.0 */
/* Jcat files beside an image (tests/vectors/jcat.py). What jcat-tool says of them: tests/integration/test_formats_fwupd.py. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/mman.h>
#include <unistd.h>

#include "unit/images/walk_rig.h"

#define ED "jcat/ed25519 "
#define FREE "COV-UNSIGNED-BYTES "

static struct view
vendor(void)
{
	struct view pems[] = { rig_made("cert", "root.pem"), rig_made("key", "ed25519.pub"), rig_made("jcat", "vendor.key"),
		{ NULL, 0 } };
	struct view trust = rig_trust(pems);
	for (size_t i = 0; pems[i].p; i++)
		rig_drop(pems[i]);
	return trust;
}

static struct report *
judge_source(const struct source *img, const struct source *sig, struct view trust, enum inspect_scheme scheme)
{
	struct inspect_job job = { 0 };
	struct report *r = report_new(REPORT_KIND_NONE);
	inspect_defaults(&job);
	job.image = img;
	job.signature = sig;
	job.have_trust = true;
	job.trust = trust;
	job.at = RIG_NOW;
	job.scheme = scheme;
	assert_int_equal(inspect_verify(&job, r), 0);
	return r;
}

static struct report *
judge(struct view img, struct view sig, struct view trust, enum inspect_scheme scheme)
{
	struct source s, beside;
	source_memory(&s, img);
	source_memory(&beside, sig);
	return judge_source(&s, &beside, trust, scheme);
}

static void
check_all(const struct rig_expected *e, size_t n)
{
	struct view trust = vendor(), img = rig_made("jcat", "firmware.bin");
	for (; n > 0; n--, e++) {
		char file[64], signatures[RIG_TEXT_MAX], findings[RIG_TEXT_MAX];
		snprintf(file, sizeof file, "%s.jcat", e->name);
		struct view sig = rig_made("jcat", file);
		struct report *r = judge(img, sig, trust, INSPECT_AUTO);
		rig_signatures(r, signatures);
		rig_findings(r, findings);
		if (strcmp(signatures, e->signatures) != 0 || !rig_is(findings, e->findings))
			fail_msg("%s: [%s] [%s]", e->name, signatures, findings);
		for (unsigned i = 0; i < r->signatures.n; i++) {
			assert_int_equal(r->signatures.result[i].covers_n, 1);
			assert_int_equal(r->signatures.result[i].covers[0].length, img.n);
		}
		report_free(r);
		rig_drop(sig);
	}
	rig_drop(img);
	rig_drop(trust);
}
#define CHECK_ALL(table) check_all(table, sizeof table / sizeof *table)

static void
sound_files_vouch_for_the_image(void **state)
{
	static const struct rig_expected table[] = {
		{ "pkcs7", "jcat/pkcs7 verified", "" },
		{ "gpg", "jcat/openpgp verified", "" },
		{ "ed25519", ED "verified", "" },
		{ "all", "jcat/pkcs7 verified, jcat/openpgp verified, " ED "verified", "" },
		{ "sha512", ED "verified", "" },
		{ "sums", ED "verified", "" },
		{ "target", ED "verified", "" },
		{ "of-many", ED "verified", "" },
		/* Nobody signs a name, and the image has none here. */
		{ "other-name", ED "verified", "" },
		{ "twice", ED "verified", "" },
		{ "words", ED "verified", "" },
		{ "unknown-kind", ED "verified", "FMT-UNKNOWN-PART" },
		{ "one-of-two", ED "verified, jcat/pkcs7 untrusted", "SIG-UNTRUSTED" },
	};
	(void)state;
	CHECK_ALL(table);
}

static void
everything_else_does_not(void **state)
{
	static const struct rig_expected table[] = {
		{ "sum-alone", "jcat invalid", FREE "SIG-INVALID!" },
		{ "sha1-alone", "jcat invalid", FREE "SIG-INVALID!" },
		{ "no-sum", "jcat invalid", FREE "SIG-INVALID!" },
		{ "other-image", "jcat invalid", FREE "SIG-INVALID!" },
		{ "renamed", "jcat invalid", FREE "SIG-INVALID!" },
		{ "wrong-sum", "jcat invalid", FREE "MEMBER-DIGEST! SIG-INVALID!" },
		{ "signature-of-another", ED "untrusted", FREE "SIG-UNTRUSTED!" }, /* a bare key's: nothing says whose */
		{ "other-vendor", "jcat/pkcs7 untrusted", FREE "SIG-UNTRUSTED!" },
		{ "expired", "jcat/pkcs7 expired", FREE "SIG-EXPIRED!" },
		{ "target-sha1", "jcat invalid", FREE "FMT-UNKNOWN-PART SIG-INVALID!" },
		{ "behind", "jcat invalid", FREE "SIG-INVALID!" },
		{ "cut", "jcat invalid", FREE "SIG-INVALID!" },
		{ "bomb", "jcat invalid", FREE "SIG-INVALID!" },
	};
	(void)state;
	CHECK_ALL(table);
}

/* Bytes that this process read so far. */
static unsigned long
bytes_read(void)
{
	unsigned long n = 0;
	FILE *f = fopen("/proc/self/io", "re");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "rchar: %lu", &n), 1);
	fclose(f);
	return n;
}

/* Signatures of two more kinds over the same bytes, by the same digest. */
static void
more_signatures_cost_no_more_passes(void **state)
{
	static const char *const names[] = { "ed25519.jcat", "all.jcat" };
	struct view trust = vendor(), img = rig_made("jcat", "firmware.bin");
	unsigned long cost[2];
	int fd = memfd_create("image", MFD_CLOEXEC);
	(void)state;
	assert_int_equal(write(fd, img.p, img.n), img.n);
	for (unsigned i = 0; i < 2; i++) {
		struct view sig = rig_made("jcat", names[i]);
		struct source s, beside;
		assert_int_equal(source_open(&s, fd), 0);
		source_memory(&beside, sig);
		unsigned long before = bytes_read();
		struct report *r = judge_source(&s, &beside, trust, INSPECT_AUTO);
		cost[i] = bytes_read() - before;
		assert_int_equal(r->signatures.n, i == 0 ? 1 : 3);
		report_free(r);
		rig_drop(sig);
	}
	assert_true(cost[0] >= img.n);
	assert_true(cost[1] < cost[0] + img.n / 2);
	close(fd);
	rig_drop(img);
	rig_drop(trust);
}

/* Any byte of the image or of the Jcat file: never another image under the same word. */
static void
no_changed_byte_is_vouched_for(void **state)
{
	struct view trust = vendor(), img = rig_made("jcat", "firmware.bin"), sig = rig_made("jcat", "ed25519.jcat");
	(void)state;
	for (size_t i = 0; i < img.n; i += 997) {
		rig_bytes(img)[i] ^= 1;
		struct report *r = judge(img, sig, trust, INSPECT_JCAT);
		assert_int_equal(report_verdict(r), REPORT_BLOCKED);
		report_free(r);
		rig_bytes(img)[i] ^= 1;
	}
	rig_bytes(img)[0] ^= 1;
	for (size_t i = 0; i < sig.n; i++) {
		rig_bytes(sig)[i] ^= 1;
		struct report *r = judge(img, sig, trust, INSPECT_JCAT);
		assert_int_equal(report_verdict(r), REPORT_BLOCKED);
		report_free(r);
		rig_bytes(sig)[i] ^= 1;
	}
	rig_drop(sig);
	rig_drop(img);
	rig_drop(trust);
}

/* What a profile asks for is asked for: another kind of file is not taken in its place. */
static void
a_profile_says_which_kind(void **state)
{
	struct view trust = vendor(), img = rig_made("jcat", "firmware.bin"), sig = rig_made("jcat", "ed25519.jcat");
	static const enum inspect_scheme others[] = { INSPECT_CMS_DETACHED, INSPECT_OPENPGP, INSPECT_RAW, INSPECT_MINISIGN, INSPECT_TUF };
	(void)state;
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		struct report *r = judge(img, sig, trust, others[i]);
		assert_int_equal(r->signatures.n, 1);
		assert_int_not_equal(r->signatures.result[0].outcome, SIG_VERIFIED);
		report_free(r);
	}
	struct report *r = judge(img, view_of(img.p, 64), trust, INSPECT_JCAT);
	assert_string_equal(r->signatures.result[0].scheme, "jcat");
	assert_int_equal(r->signatures.result[0].outcome, SIG_INVALID);
	report_free(r);
	r = judge(img, view_of(img.p, 0), trust, INSPECT_JCAT);
	assert_int_equal(r->signatures.result[0].outcome, SIG_INVALID);
	report_free(r);
	rig_drop(sig);
	rig_drop(img);
	rig_drop(trust);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sound_files_vouch_for_the_image),
		cmocka_unit_test(everything_else_does_not),
		cmocka_unit_test(more_signatures_cost_no_more_passes),
		cmocka_unit_test(no_changed_byte_is_vouched_for),
		cmocka_unit_test(a_profile_says_which_kind),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
