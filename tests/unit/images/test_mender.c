/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Artifacts of mender-artifact(1), made and changed by tests/vectors/mender.py:
 * verified, changed byte by byte, re-ordered, with more and with less in them.
 */
#include "unit/images/cpio_rig.h"

#include "images/mender.h"

#define TOLD(...) (enum finding_id[]){ __VA_ARGS__, FINDING_LIMIT }

static struct pki_blob
load(const char *name)
{
	char path[64];
	snprintf(path, sizeof path, "mender/%s", name);
	return pki_load(path);
}

/* The public halves of the keys that the artifacts are signed with. */
static struct trust *
keys(void)
{
	struct trust *t = trust_new();
	pki_enrol(t, "rsa", pki_load("key/code.pub"));
	pki_enrol(t, "ec", pki_load("key/email.pub"));
	return t;
}

static struct report *
walk_file(const char *name, const struct trust *t)
{
	struct pki_blob b = load(name);
	struct report *r = rig_walk(pki_view(&b), FORMAT_MENDER, t);
	free(b.p);
	return r;
}

static const struct contents_member *
member(const struct report *r, const char *path)
{
	for (unsigned i = 0; i < r->contents.members_n; i++)
		if (strcmp(r->contents.member[i].path, path) == 0)
			return &r->contents.member[i];
	fail_msg("no member %s", path);
	abort();
}

static void
test_genuine(void **state)
{
	(void)state;
	static const struct {
		const char *name, *scheme;
		enum finding_id told;
	} rows[] = {
		{ "rsa", "mender/rsa-pkcs1v15-sha256", FINDING_MEMBER_RUNS },
		{ "ec", "mender/ecdsa-fixed", FINDING_LIMIT },
		{ "stored", "mender/rsa-pkcs1v15-sha256", FINDING_MEMBER_RUNS },
		{ "augmented", "mender/rsa-pkcs1v15-sha256", FINDING_MEMBER_UNLISTED },
	};
	struct trust *t = keys();
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct report *r = walk_file(rows[i].name, t);
		rig_told(r, rows[i].name, TOLD(rows[i].told));
		assert_int_equal(rig_verified(r), 1);
		assert_string_equal(r->signatures.result[0].scheme, rows[i].scheme);
		assert_int_equal(member(r, "data/0000/rootfs.ext4")->vouch, CONTENTS_VOUCH_DIGEST);
		assert_int_equal(member(r, "data/0000/rootfs.ext4")->size, 3000);
		if (rows[i].told != FINDING_MEMBER_UNLISTED)
			assert_false(report_has(r, FINDING_COV_UNSIGNED_BYTES));
		report_free(r);
	}
	trust_free(t);
}

static void
test_facts(void **state)
{
	(void)state;
	struct trust *t = keys();
	struct report *r = walk_file("rsa", t);
	static const struct {
		enum contents_fact_id id;
		const char *value;
	} facts[] = {
		{ CONTENTS_FACT_BUILD, "rel-1" },
		{ CONTENTS_FACT_COMPATIBLE, "dev1" },
		{ CONTENTS_FACT_COMPATIBLE, "dev2" },
		{ CONTENTS_FACT_TYPE, "rootfs-image" },
		{ CONTENTS_FACT_NOTE, "group grp" },
		{ CONTENTS_FACT_NOTE, "provides colour blue" },
		{ CONTENTS_FACT_REQUIRES, "boot 2" },
	};
	for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++)
		if (!rig_fact(r, facts[i].id, facts[i].value))
			fail_msg("%s is not told", facts[i].value);
	for (unsigned i = 0; i < r->contents.facts_n; i++)
		assert_true(r->contents.fact[i].sure);
	assert_true(member(r, "header.tar.gz/scripts/ArtifactInstall_Enter_00")->runs);
	report_free(r);
	r = walk_file("unsigned", t);
	assert_int_equal(r->signatures.n, 0);
	assert_true(report_has(r, FINDING_SIG_ABSENT));
	assert_false(r->contents.fact[0].sure);
	assert_int_equal(member(r, "data/0000/rootfs.ext4")->vouch, CONTENTS_VOUCH_CHECKED);
	report_free(r);
	trust_free(t);
}

/* The first byte behind the header of a member; false where there is no such member. */
static bool
part_at(const struct pki_blob *b, const char *name, uint64_t *ret)
{
	const uint8_t *head = memmem(b->p, b->n, name, strlen(name) + 1);
	*ret = head ? (uint64_t)(head - b->p) + 512 : 0;
	return head != NULL;
}

static bool
is_structure(const struct report *r, uint64_t at)
{
	for (unsigned k = 0; k < r->contents.structure_n; k++) {
		struct sig_range s = r->contents.structure[k];
		if (at >= s.offset && at - s.offset < s.length)
			return true;
	}
	return false;
}

/* What does not verify is anybody's text, and what it does not vouch for anybody's stream: no part of the form. */
static void
test_structure(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		bool trusted, signature, payload;
	} rows[] = {
		{ "rsa", true, true, true },
		{ "ec", true, true, true },
		{ "rsa", false, false, false },
		{ "ec", false, false, false },
		{ "manifest-changed", true, false, false },
		{ "augmented", true, true, false }, /* files that nobody signed, on purpose */
	};
	struct trust *t = keys();
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct pki_blob b = load(rows[i].name);
		uint64_t signature, payload;
		assert_true(part_at(&b, "manifest.sig", &signature));
		bool packed = part_at(&b, "data/0000.tar.gz", &payload);
		for (unsigned spoilt = 0; spoilt < 2; spoilt++) {
			struct report *r = rig_walk(pki_view(&b), FORMAT_MENDER, rows[i].trusted ? t : NULL);
			assert_int_equal(r->signatures.n, 1);
			if (is_structure(r, signature) != (rows[i].signature && !spoilt) ||
			    (packed && is_structure(r, payload) != (rows[i].payload && !spoilt)))
				fail_msg("%zu, %s: %s", i, rows[i].name, r->signatures.result[0].detail);
			assert_int_equal(report_has(r, FINDING_COV_UNSIGNED_BYTES), !rows[i].payload || spoilt);
			report_free(r);
			b.p[signature] = '-'; /* no base64 any more */
		}
		free(b.p);
	}
	trust_free(t);
}

static void
test_cousins(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		enum finding_id told;
		unsigned verified;
	} rows[] = {
		{ "order", FINDING_FMT_MALFORMED, 1 },
		{ "no-manifest", FINDING_FMT_MALFORMED, 0 },
		{ "extra", FINDING_FMT_UNKNOWN_PART, 1 },
		{ "twice", FINDING_FMT_DUPLICATE, 1 },
		{ "manifest-changed", FINDING_MEMBER_MISSING, 0 },
		{ "payload-extra", FINDING_MEMBER_UNLISTED, 1 },
		{ "payload-link", FINDING_MEMBER_UNLISTED, 1 },
		{ "packed-link", FINDING_MEMBER_UNLISTED, 1 },
		{ "packed-link", FINDING_COV_UNSIGNED_BYTES, 1 }, /* of a packed payload no byte is named: all or nothing */
		{ "no-payload", FINDING_MEMBER_MISSING, 1 },
		{ "xz", FINDING_FMT_UNKNOWN_PART, 1 },
	};
	struct trust *t = keys();
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct report *r = walk_file(rows[i].name, t);
		if (!report_has(r, rows[i].told) || rig_verified(r) != rows[i].verified)
			fail_msg("%s: %s %u", rows[i].name, finding_get(rows[i].told)->id, rig_verified(r));
		report_free(r);
	}
	trust_free(t);
	struct report *r = walk_file("rsa", NULL);
	pki_outcome(&r->signatures.result[0], SIG_UNTRUSTED, "nobody trusted");
	report_free(r);
}

/* What is packed and long is not kept; what its end makes of it is seen all the same. */
static void
test_tailed(void **state)
{
	(void)state;
	struct trust *t = keys();
	struct report *r = walk_file("tailed", t);
	const struct contents_member *m = member(r, "data/0000/rootfs.ext4");
	assert_int_equal(rig_verified(r), 1);
	assert_int_equal(m->format, FORMAT_ZIP);
	assert_int_equal(m->vouch, CONTENTS_VOUCH_DIGEST);
	assert_true(m->walked);
	assert_false(report_has(r, FINDING_FMT_HIDDEN_BYTES)); /* the archive was gone through to its end */
	assert_false(report_has(r, FINDING_FMT_TRAILING_BYTES));
	report_free(r);
	trust_free(t);
}

/* No byte that a verified signature is said to cover can be changed without it being noticed. */
static void
mutate(const char *name, size_t step)
{
	struct trust *t = keys();
	struct pki_blob b = load(name);
	for (size_t i = 0; i < b.n; i += step) {
		b.p[i] ^= 0x04;
		struct report *r = rig_walk(pki_view(&b), FORMAT_MENDER, t);
		for (unsigned k = 0; k < r->signatures.n; k++)
			for (unsigned c = 0; c < r->signatures.result[k].covers_n; c++) {
				struct sig_range range = r->signatures.result[k].covers[c];
				if (r->signatures.result[k].outcome == SIG_VERIFIED && i >= range.offset &&
				    i < range.offset + range.length)
					fail_msg("%s: changed byte %zu is called signed", name, i);
			}
		report_free(r);
		b.p[i] ^= 0x04;
	}
	free(b.p);
	trust_free(t);
}

static void
test_mutate(void **state)
{
	(void)state;
	mutate("rsa", 7);
	mutate("stored", 23);
	mutate("ec", 11);
}

static void
test_cut(void **state)
{
	(void)state;
	struct trust *t = keys();
	struct pki_blob b = load("stored");
	for (size_t n = 0; n + 1024 < b.n; n += 61) {
		uint8_t *exact = malloc(n ? n : 1);
		memcpy(exact, b.p, n);
		struct report *r = rig_walk(view_of(exact, n), FORMAT_MENDER, t);
		assert_true(report_has(r, FINDING_FMT_MALFORMED));
		report_free(r);
		free(exact);
	}
	free(b.p);
	trust_free(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_genuine),
		cmocka_unit_test(test_facts),
		cmocka_unit_test(test_structure),
		cmocka_unit_test(test_cousins),
		cmocka_unit_test(test_tailed),
		cmocka_unit_test(test_mutate),
		cmocka_unit_test(test_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
