/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bundles of TUF metadata by tests/vectors/tuf.py, as the verify stage judges
 * them: each rule of the client's way kept and broken.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/images/walk_rig.h"

#include "images/tufproof.h"

#define MADE "tuf"
#define VERIFIED_2 "tuf verified, tuf verified"
#define UPTANE_VERIFIED "uptane-director verified, uptane-image verified, uptane-image verified"

/* Anchors as "name=file name=file" of tests/vectors; the name counts (director). */
static struct view
trust_of(const char *anchors)
{
	char list[128], *rest = list;
	struct writer w;
	size_t n = 0;
	snprintf(list, sizeof list, "%s", anchors);
	writer_init(&w, TRUSTSET_MAX);
	trustset_begin(&w);
	for (char *word; (word = strsep(&rest, " ")) != NULL;) {
		char *file = strchr(word, '='), path[96];
		if (!file)
			continue;
		*file++ = '\0';
		snprintf(path, sizeof path, "anchor/%s.json", file);
		struct view json = rig_made(MADE, path);
		trustset_add(&w, word, TRUST_SCHEME_NONE, json);
		rig_drop(json);
	}
	trustset_end(&w);
	uint8_t *p = writer_take(&w, &n);
	assert_non_null(p);
	return view_of(p, n);
}

/* The verify stage, through the report's text and its strict reader. */
static struct report *
judge_at(struct view img, struct view bundle, struct view trust, enum inspect_scheme scheme, int64_t at)
{
	struct inspect_job job = { 0 };
	struct source s, sig;
	struct report *r = report_new(REPORT_KIND_NONE), *back = report_new(REPORT_KIND_NONE);
	struct report_refusal why;
	struct writer w;
	inspect_defaults(&job);
	source_memory(&s, img);
	source_memory(&sig, bundle);
	job.image = &s;
	job.signature = &sig;
	job.have_trust = true;
	job.trust = trust;
	job.at = at;
	job.scheme = scheme;
	job.require_signature = true;
	assert_int_equal(inspect_verify(&job, r), 0);
	writer_init(&w, REPORT_MAX);
	assert_int_equal(report_encode(r, REPORT_MAX, &w), 0);
	if (report_parse(writer_view(&w), REPORT_VERIFY, back, &why))
		fail_msg("%s: %s: %s", finding_get(why.finding)->id, why.text, w.p);
	writer_free(&w);
	report_free(r);
	return back;
}

static struct report *
judge(const char *name, const char *anchors, enum inspect_scheme scheme)
{
	char file[96];
	snprintf(file, sizeof file, "%s.tar", name);
	struct view img = rig_made(MADE, "fw.bin"), bundle = rig_made(MADE, file), trust = trust_of(anchors);
	struct report *r = judge_at(img, bundle, trust, scheme, RIG_NOW);
	rig_drop(img);
	rig_drop(bundle);
	rig_drop(trust);
	return r;
}

/* The first counter: the list that names the image. */
static const struct contents_fact *
counter(const struct report *r)
{
	const struct contents_fact *f = rig_fact(r, CONTENTS_FACT_SECURITY_COUNTER, 0);
	if (!f) {
		fail_msg("no counter is told");
		abort();
	}
	return f;
}

struct row {
	const char *name, *anchors, *signatures, *findings;
	const char *words; /* in the sentence of the first signature */
};

static void
table(const struct row *rows, size_t n, enum inspect_scheme scheme)
{
	unsigned wrong = 0;
	for (size_t i = 0; i < n; i++) {
		char signatures[RIG_TEXT_MAX], findings[RIG_TEXT_MAX];
		const char *anchors = rows[i].anchors ? rows[i].anchors : "root.json=root";
		struct report *r = judge(rows[i].name, anchors, scheme);
		rig_signatures(r, signatures);
		bool sound = strstr(rows[i].signatures, "verified") != NULL;
		/* Where nothing is verified all bytes are unsigned: said once, here. */
		assert_int_equal(report_has(r, FINDING_COV_UNSIGNED_BYTES), !sound);
		r->findings[FINDING_COV_UNSIGNED_BYTES].count = 0;
		rig_findings(r, findings);
		bool words = !rows[i].words || strstr(r->signatures.result[0].detail, rows[i].words);
		if (strcmp(signatures, rows[i].signatures) != 0 || strcmp(findings, rows[i].findings) != 0 || !words ||
		    (report_verified(r) > 0) != sound) {
			print_error("%s: %s\n  findings %s\n  %s\n", rows[i].name, signatures, findings,
			    r->signatures.result[0].detail);
			wrong++;
		}
		report_free(r);
	}
	assert_int_equal(wrong, 0);
}

#define TABLE(scheme, ...) \
	do { \
		static const struct row rows[] = { __VA_ARGS__ }; \
		table(rows, sizeof rows / sizeof rows[0], scheme); \
	} while (0)

static void
sound_repositories_prove_the_image(void **state)
{
	(void)state;
	TABLE(INSPECT_TUF, { "plain", NULL, VERIFIED_2, "", NULL }, { "rotated-twice", NULL, VERIFIED_2, "", NULL },
	    { "consistent", NULL, VERIFIED_2, "", NULL }, { "delegated", NULL, "tuf verified", "", NULL },
	    { "hash-bin", NULL, "tuf verified", "", NULL }, { "role-names", NULL, "tuf verified", "", NULL }, { "cycle-sound", NULL, "tuf verified", "", NULL },
	    { "new-key-ids", "r=new-key-ids", VERIFIED_2, "", NULL }, { "unicode", NULL, VERIFIED_2, "", NULL },
	    { "expired-old-root", NULL, VERIFIED_2, "", NULL }, { "sha512-only", NULL, VERIFIED_2, "", NULL },
	    { "second-name", NULL, VERIFIED_2, "", NULL }, { "folder", NULL, VERIFIED_2, "", NULL },
	    /* Among several pins the one that leads there. */
	    { "plain", "a=forked b=director c=root", VERIFIED_2, "", NULL });
}

static void
thresholds_count_different_keys(void **state)
{
	(void)state;
	TABLE(INSPECT_TUF,
	    { "one-of-two", NULL, "tuf untrusted", "SIG-THRESHOLD! SIG-UNTRUSTED!", "1 of 2 keys" },
	    { "twice-under-one-id", NULL, "tuf invalid", "FMT-MALFORMED! SIG-INVALID!", "two signatures under one key id" },
	    { "twice-under-two-ids", "r=twice-under-two-ids", "tuf untrusted", "SIG-THRESHOLD! SIG-UNTRUSTED!",
	        "1 of 2 keys that are needed signed it; signatures by a key that was counted: 1" },
	    { "misnamed-key", "r=misnamed-key", "tuf untrusted", "SIG-THRESHOLD! SIG-UNTRUSTED!", "not the key's digest" },
	    { "unknown-scheme", "r=unknown-scheme", "tuf untrusted", "SIG-THRESHOLD! SIG-UNTRUSTED!", "kind or strength" },
	    { "threshold-zero", NULL, "tuf invalid", "FMT-MALFORMED! SIG-INVALID!", "threshold below 1" },
	    { "stranger", NULL, "tuf untrusted", "SIG-THRESHOLD! SIG-UNTRUSTED!", "timestamp: 0 of 1" },
	    { "root-by-new-only", NULL, "tuf untrusted", "SIG-THRESHOLD! SIG-UNTRUSTED!", "by the keys of root 1" },
	    { "root-by-old-only", NULL, "tuf untrusted", "SIG-THRESHOLD! SIG-UNTRUSTED!", "by its own keys" },
	    { "root-by-one-old", NULL, "tuf untrusted", "SIG-THRESHOLD! SIG-UNTRUSTED!", "1 of 2 keys" });
}

static void
versions_and_digests_bind_the_files_together(void **state)
{
	(void)state;
	TABLE(INSPECT_TUF,
	    { "root-gap", NULL, "tuf invalid", "MEMBER-MISSING! SIG-INVALID!", "root 3 is there, but not root 2" },
	    { "root-ahead", NULL, "tuf invalid", "MEMBER-MISSING! SIG-INVALID!", "root 3 is there, but not root 2" },
	    { "root-repeated", NULL, "tuf invalid", "META-ROLLBACK! SIG-INVALID!", "has version 1, where 2 is due" },
	    { "root-jumps", NULL, "tuf invalid", "FMT-CONFLICT! SIG-INVALID!", "has version 9, where 3 is due" },
	    { "mixed-by-digest", NULL, "tuf invalid", "MEMBER-DIGEST! SIG-INVALID!", "snapshot has another sha256" },
	    { "snapshot-back", NULL, "tuf invalid", "META-ROLLBACK! SIG-INVALID!", "snapshot has version 4, where 5" },
	    { "targets-back", NULL, "tuf invalid", "META-ROLLBACK! SIG-INVALID!", "targets has version 4, where 5" },
	    { "targets-ahead", NULL, "tuf invalid", "FMT-CONFLICT! SIG-INVALID!", "targets has version 4, where 3" },
	    { "wrong-length", NULL, "tuf invalid", "FMT-CONFLICT! SIG-INVALID!", "snapshot has" },
	    { "unknown-digest", NULL, "tuf invalid", "FMT-MALFORMED! SIG-INVALID!", "none is known" },
	    { "plain", "r=forked", "tuf untrusted", "SIG-UNTRUSTED!", "not the one that is pinned" },
	    { "plain", "director.json=root", "tuf untrusted", "SIG-UNTRUSTED!", "holds no root metadata" },
	    { "no-timestamp", NULL, "tuf invalid", "MEMBER-MISSING! SIG-INVALID!", "timestamp.json is not there" });
}

static void
what_is_over_proves_nothing(void **state)
{
	(void)state;
	TABLE(INSPECT_TUF,
	    { "expired-root", "r=expired-root", "tuf expired", "META-EXPIRED! SIG-EXPIRED!", "root was valid until 2025-06-01" },
	    { "expired-timestamp", NULL, "tuf expired", "META-EXPIRED! SIG-EXPIRED!", "timestamp was valid" },
	    { "expired-snapshot", NULL, "tuf expired", "META-EXPIRED! SIG-EXPIRED!", "snapshot was valid" },
	    { "expired-targets", NULL, "tuf expired", "META-EXPIRED! SIG-EXPIRED!", "targets was valid" },
	    { "expired-now", NULL, "tuf expired", "META-EXPIRED! SIG-EXPIRED!", "2026-01-01T00:00:00Z" },
	    { "expired-role", NULL, "tuf expired", "META-EXPIRED! SIG-EXPIRED!", "role role2 was valid" });
}

static void
the_image_must_be_the_one_that_is_listed(void **state)
{
	(void)state;
	TABLE(INSPECT_TUF, { "unlisted", NULL, "tuf invalid", "SIG-INVALID!", "no role lists an image" },
	    { "lying-length", NULL, "tuf invalid", "MEMBER-DIGEST! SIG-INVALID!", "another length" },
	    { "lying-sha512", NULL, "tuf invalid", "MEMBER-DIGEST! SIG-INVALID!", "another length or digest" },
	    { "md5-only", NULL, "tuf weak", "SIG-WEAK! SIG-WEAK-DIGEST", "neither SHA-256 nor SHA-512" });
}

static void
delegations_prove_what_was_delegated(void **state)
{
	(void)state;
	TABLE(INSPECT_TUF,
	    { "outside-its-paths", NULL, "tuf invalid", "SIG-INVALID!", "no role to which modem/fw-1.2.bin is delegated" },
	    { "outside-its-bin", NULL, "tuf invalid", "SIG-INVALID!", "no role to which" },
	    { "shadowed", NULL, "tuf invalid", "FMT-CONFLICT! SIG-INVALID!", "another image under that name" },
	    { "terminated", NULL, "tuf invalid", "SIG-INVALID!", "no role to which" },
	    { "terminated-above", NULL, "tuf invalid", "SIG-INVALID!", "no role to which" },
	    { "bracket", NULL, "tuf invalid", "FMT-MALFORMED! SIG-INVALID!", "in a form that is read" },
	    { "both-kinds", NULL, "tuf invalid", "FMT-MALFORMED! SIG-INVALID!", "in a form that is read" },
	    { "role-by-stranger", NULL, "tuf untrusted", "SIG-THRESHOLD! SIG-UNTRUSTED!", "role role2: 0 of 1" },
	    { "role-not-in-snapshot", NULL, "tuf invalid", "MEMBER-MISSING! SIG-INVALID!", "does not name the delegated role" },
	    { "role-absent", NULL, "tuf invalid", "MEMBER-MISSING! SIG-INVALID!", "role role2 of version 2 is not there" },
	    { "role-back", NULL, "tuf invalid", "META-ROLLBACK! SIG-INVALID!", "role role2 has version 2, where 3" },
	    { "cycle", NULL, "tuf invalid", "SIG-INVALID!", "no role lists" },
	    { "deep", NULL, "tuf invalid", "FMT-WALK-LIMIT SIG-INVALID!", "one below the other" },
	    { "wide", NULL, "tuf invalid", "FMT-WALK-LIMIT SIG-INVALID!", "more than 32" },
	    { "succinct", NULL, "tuf invalid", "FMT-UNKNOWN-PART SIG-INVALID!", "succinct_roles" });
}

/* Each line of the list: what python-tuf's rule says of one pattern (Python's fnmatch, part by part). */
static void
patterns_match_as_in_python_tuf(void **state)
{
	(void)state;
	struct view lines = rig_made(MADE, "patterns");
	char *text = strndup((const char *)lines.p, lines.n), *rest = text;
	unsigned seen = 0;
	for (char *line; (line = strsep(&rest, "\n")) && *line; seen++) {
		char name[32] = "";
		assert_int_equal(sscanf(line + 2, "%31s", name), 1);
		struct report *r = judge(name, "root.json=root", INSPECT_TUF);
		if ((report_verified(r) > 0) != (line[0] == '1'))
			fail_msg("%s", line);
		report_free(r);
	}
	assert_int_equal(seen, 31);
	free(text);
	rig_drop(lines);
}

/* JSON that two readers may read in two ways is none. */
static void
texts_are_read_strictly(void **state)
{
	(void)state;
	TABLE(INSPECT_TUF, { "text-key-twice", NULL, "tuf invalid", "FMT-MALFORMED! SIG-INVALID!", "duplicate key" },
	    { "text-fraction", NULL, "tuf invalid", "FMT-MALFORMED! SIG-INVALID!", "not an integer" },
	    { "text-big-number", NULL, "tuf invalid", "FMT-MALFORMED! SIG-INVALID!", "too large" },
	    { "text-not-utf-8", NULL, "tuf invalid", "FMT-MALFORMED! SIG-INVALID!", "invalid UTF-8" },
	    { "text-lone-surrogate", NULL, "tuf invalid", "FMT-MALFORMED! SIG-INVALID!", "lone surrogate" },
	    { "text-trailing", NULL, "tuf invalid", "FMT-MALFORMED! SIG-INVALID!", "trailing bytes" },
	    { "text-no-list", NULL, "tuf invalid", "FMT-MALFORMED! SIG-INVALID!", "without a list of signatures" },
	    { "text-version-changed", NULL, "tuf invalid", "SIG-INVALID! SIG-THRESHOLD!", "signatures that do not fit: 1" },
	    { "text-member-added", NULL, "tuf invalid", "SIG-INVALID! SIG-THRESHOLD!", "do not fit: 1" },
	    { "text-of-another-type", NULL, "tuf invalid", "FMT-MALFORMED! SIG-INVALID!", "another type" },
	    { "text-spec-2", NULL, "tuf invalid", "FMT-MALFORMED! SIG-INVALID!", "another specification" },
	    { "text-no-end", NULL, "tuf invalid", "FMT-MALFORMED! SIG-INVALID!", "expires" },
	    { "text-large", NULL, "tuf invalid", "FMT-MALFORMED! SIG-INVALID!", "longer than 16384" },
	    { "text-many-signatures", NULL, "tuf invalid", "FMT-MALFORMED! SIG-INVALID!", "more than 64 signatures" });
}

static void
bundles_are_one_folder(void **state)
{
	(void)state;
	TABLE(INSPECT_TUF,
	    { "two-folders", NULL, "tuf invalid", "FMT-DUPLICATE! SIG-INVALID!", "more than one folder" },
	    { "name-twice", NULL, "tuf invalid", "SIG-INVALID!", "each name is there once" },
	    { "cut", NULL, "tuf invalid", "FMT-MALFORMED! SIG-INVALID!", "no whole tar" },
	    { "empty", NULL, "tuf invalid", "MEMBER-MISSING! SIG-INVALID!", "timestamp.json" },
	    { "uptane-sound", NULL, "tuf invalid", "FMT-DUPLICATE! SIG-INVALID!", "more than one folder" });
}

#define BOTH "director.json=director image.json=root"

static void
two_repositories_must_agree(void **state)
{
	(void)state;
	TABLE(INSPECT_UPTANE, { "uptane-sound", BOTH, UPTANE_VERIFIED, "META-TARGETED", NULL },
	    { "uptane-fleet", BOTH, UPTANE_VERIFIED, "META-TARGETED", NULL },
	    { "uptane-other-ecu", BOTH, UPTANE_VERIFIED, "META-TARGETED", NULL },
	    { "uptane-untargeted", BOTH, UPTANE_VERIFIED, "", NULL },
	    { "uptane-other-hardware", BOTH, "uptane-director untrusted, uptane-image invalid",
	        "FMT-CONFLICT! META-TARGETED SIG-INVALID! SIG-UNTRUSTED!", "does not agree" },
	    { "uptane-image-unlisted", BOTH, "uptane-director untrusted, uptane-image invalid",
	        "FMT-CONFLICT! META-TARGETED SIG-INVALID! SIG-UNTRUSTED!", "does not agree" },
	    { "uptane-image-other", BOTH, "uptane-director untrusted, uptane-image invalid",
	        "FMT-CONFLICT! META-TARGETED SIG-INVALID! SIG-UNTRUSTED!", "does not agree" },
	    { "uptane-other-name", BOTH, "uptane-director untrusted, uptane-image invalid",
	        "FMT-CONFLICT! META-TARGETED SIG-INVALID! SIG-UNTRUSTED!", "does not agree" },
	    { "uptane-director-unlisted", BOTH, "uptane-director invalid, uptane-image untrusted",
	        "FMT-CONFLICT! SIG-INVALID! SIG-UNTRUSTED!", "the director does not order it" },
	    { "uptane-director-delegates", BOTH, "uptane-director invalid, uptane-image untrusted",
	        "FMT-MALFORMED! SIG-INVALID! SIG-UNTRUSTED!", "must not" },
	    { "uptane-director-expired", BOTH, "uptane-director expired, uptane-image untrusted",
	        "META-EXPIRED! SIG-EXPIRED! SIG-UNTRUSTED!", "valid until" },
	    { "uptane-image-expired", BOTH, "uptane-director untrusted, uptane-image expired",
	        "META-EXPIRED! SIG-EXPIRED! SIG-UNTRUSTED!", "does not agree" },
	    { "uptane-ecu-twice", BOTH, "uptane-director invalid, uptane-image untrusted",
	        "FMT-CONFLICT! META-TARGETED SIG-INVALID! SIG-UNTRUSTED!", "ECU-0001 more than one image" },
	    { "uptane-custom-form", BOTH, "uptane-director invalid, uptane-image untrusted",
	        "FMT-MALFORMED! SIG-INVALID! SIG-UNTRUSTED!", "another form" },
	    { "uptane-swapped", BOTH, "uptane-director untrusted, uptane-image untrusted", "SIG-UNTRUSTED!", "pinned" },
	    { "uptane-director-alone", BOTH, "uptane-director untrusted, uptane-image invalid",
	        "MEMBER-MISSING! SIG-INVALID! SIG-UNTRUSTED!", NULL },
	    { "uptane-image-alone", BOTH, "uptane-director invalid, uptane-image untrusted",
	        "MEMBER-MISSING! SIG-INVALID! SIG-UNTRUSTED!", NULL },
	    { "uptane-director-both", BOTH, "uptane-director untrusted, uptane-image untrusted", "SIG-UNTRUSTED!", NULL },
	    /* One pin is never two repositories. */
	    { "uptane-director-both", "director.json=director", "uptane-director untrusted, uptane-image untrusted",
	        "SIG-UNTRUSTED!", NULL },
	    { "uptane-sound", "root.json=root", "uptane-director untrusted, uptane-image untrusted", "SIG-UNTRUSTED!",
	        "begins with \"director\"" });
}

/* Without a profile a tar is evidence, and the operator's pins say of what kind. */
static void
a_tar_is_recognised(void **state)
{
	(void)state;
	TABLE(INSPECT_AUTO, { "plain", NULL, VERIFIED_2, "", NULL },
	    { "uptane-sound", BOTH, UPTANE_VERIFIED, "META-TARGETED", NULL },
	    { "plain", BOTH, "uptane-director invalid, uptane-image invalid", "MEMBER-MISSING! SIG-INVALID!", NULL },
	    { "plain", "", "tuf untrusted", "SIG-UNTRUSTED!", NULL });
}

static void
what_is_claimed_is_told(void **state)
{
	(void)state;
	struct report *r = judge("delegated", "root.json=root", INSPECT_TUF);
	assert_false(r->contents.walked); /* the image itself is plain bytes */
	assert_string_equal(rig_value(r, CONTENTS_FACT_BUILD, 0), "modem/fw-1.2.bin");
	const struct contents_fact *f = counter(r);
	assert_string_equal(f->path, "tuf/targets/role2");
	assert_string_equal(f->value, "2");
	assert_true(f->sure);
	assert_string_equal(rig_value(r, CONTENTS_FACT_SECURITY_COUNTER, 2), "6"); /* timestamp */
	assert_string_equal(r->signatures.result[0].signer.anchor, "root.json");
	report_free(r);
	r = judge("uptane-sound", BOTH, INSPECT_UPTANE);
	assert_string_equal(rig_value(r, CONTENTS_FACT_TARGET, 0), "ECU-0001");
	assert_string_equal(rig_value(r, CONTENTS_FACT_COMPATIBLE, 2), "modem-b");
	report_free(r);
	r = judge("uptane-other-ecu", BOTH, INSPECT_UPTANE); /* the same image for another one, under another name */
	assert_string_equal(rig_value(r, CONTENTS_FACT_TARGET, 1), "ECU-0002");
	report_free(r);
	r = judge("expired-targets", "root.json=root", INSPECT_TUF);
	assert_false(counter(r)->sure);
	report_free(r);
}

/* ---- python-tuf's own repository ---- */

/* A bare ustar header and its member; a tar of a folder as tar(1) makes it is in the story. */
static void
put_member(struct writer *w, const char *name, struct view data)
{
	char head[512] = { 0 };
	unsigned sum = 0;
	snprintf(head, 100, "%s", name);
	snprintf(head + 100, 8, "0000644");
	snprintf(head + 124, 12, "%011zo", data.n);
	snprintf(head + 136, 12, "%011o", 0);
	memset(head + 148, ' ', 8);
	head[156] = '0';
	memcpy(head + 257, "ustar\00000", 8);
	for (size_t i = 0; i < sizeof head; i++)
		sum += (unsigned char)head[i];
	snprintf(head + 148, 8, "%06o", sum);
	writer_bytes(w, view_of(head, sizeof head));
	writer_bytes(w, data);
	for (size_t i = data.n; i % 512; i++)
		writer_u8(w, 0);
}

static void
python_tufs_repository_is_taken_as_python_tuf_takes_it(void **state)
{
	(void)state;
	static const char *const names[] = { "1.root.json", "role1.json", "role2.json", "root.json", "snapshot.json",
		"targets.json", "timestamp.json" };
	static const struct {
		const char *target, *path, *role;
	} rows[] = { { "file1.txt", "file1.txt", "tuf/targets" }, { "file2.txt", "file2.txt", "tuf/targets" },
		{ "file3.txt", "file3.txt", "tuf/targets/role1" } };
	struct writer w, trust;
	char path[96];
	writer_init(&w, TUFPROOF_BUNDLE_MAX);
	writer_init(&trust, TRUSTSET_MAX);
	trustset_begin(&trust);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		snprintf(path, sizeof path, "tuf/repository/metadata/%s", names[i]);
		struct view v = rig_genuine(path);
		if (!v.p) {
			print_message("vectors/tuf: not there\n");
			writer_free(&w);
			writer_free(&trust);
			skip();
		}
		put_member(&w, names[i], v);
		if (i == 0)
			trustset_add(&trust, names[i], TRUST_SCHEME_NONE, v);
		rig_drop(v);
	}
	trustset_end(&trust);
	for (unsigned i = 0; i < 1024; i++)
		writer_u8(&w, 0);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char findings[RIG_TEXT_MAX];
		snprintf(path, sizeof path, "tuf/repository/targets/%s", rows[i].target);
		struct view img = rig_genuine(path);
		struct report *r = judge_at(img, writer_view(&w), writer_view(&trust), INSPECT_TUF, RIG_NOW);
		rig_findings(r, findings);
		/* Its keys lie in python-tuf's tests, for everybody. */
		assert_string_equal(findings, "SIG-KEY-PUBLISHED!");
		assert_int_equal(report_verified(r), 1);
		assert_string_equal(rig_value(r, CONTENTS_FACT_BUILD, 0), rows[i].path);
		assert_string_equal(counter(r)->path, rows[i].role);
		report_free(r);
		r = judge_at(img, writer_view(&w), writer_view(&trust), INSPECT_TUF, INT64_C(1893456000)); /* 2030-01-01 */
		assert_true(report_has(r, FINDING_META_EXPIRED));
		report_free(r);
		rig_drop(img);
	}
	writer_free(&w);
	writer_free(&trust);
}

/* A release with older metadata than the one before it: nobody else has seen that one (T22). */
static void
versions_that_go_back_from_release_to_release_are_told(void **state)
{
	(void)state;
	static const struct {
		const char *now, *before;
		bool back;
	} rows[] = { { "plain", "plain", false }, { "plain", "root-repeated", false }, { "plain", "rotated-twice", true },
		{ "rotated-twice", "plain", false } };
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		static const uint8_t digest[DIGEST_SHA256_LEN] = { 7 };
		struct continuity_mark past;
		struct report *before = judge(rows[i].before, "root.json=root", INSPECT_TUF);
		struct report *now = judge(rows[i].now, "root.json=root", INSPECT_TUF);
		continuity_mark(before, digest, &past);
		continuity_raise(now, &past, 1);
		assert_int_equal(report_has(now, FINDING_CONT_COUNTER_BACK), rows[i].back);
		report_free(before);
		report_free(now);
	}
}

/* No changed byte of a bundle that still verifies is one that says anything. */
static void
every_changed_byte_shows_or_means_nothing(void **state)
{
	(void)state;
	struct view img = rig_made(MADE, "fw.bin"), bundle = rig_made(MADE, "plain.tar"), trust = trust_of("r=root");
	uint8_t *b = rig_bytes(bundle);
	unsigned harmless = 0;
	for (size_t i = 0; i < bundle.n; i += 7) {
		b[i] ^= 0x04;
		struct report *r = judge_at(img, bundle, trust, INSPECT_TUF, RIG_NOW);
		harmless += report_verified(r) > 0;
		report_free(r);
		b[i] ^= 0x04;
	}
	/* Of a tar: owner, time, padding. Of JSON with indents: nothing, a blank with that bit is another byte. */
	if (harmless * 7 > bundle.n)
		fail_msg("%u of %zu changes did not show", harmless, bundle.n / 7);
	for (size_t i = 0; i < img.n; i += 97) {
		rig_bytes(img)[i] ^= 1;
		struct report *r = judge_at(img, bundle, trust, INSPECT_TUF, RIG_NOW);
		assert_int_equal(report_verified(r), 0);
		report_free(r);
		rig_bytes(img)[i] ^= 1;
	}
	for (size_t n = 0; n < bundle.n - 1024; n += 331) {
		struct report *r = judge_at(img, view_of(bundle.p, n), trust, INSPECT_TUF, RIG_NOW);
		assert_int_equal(report_verified(r), 0);
		report_free(r);
	}
	rig_drop(img);
	rig_drop(bundle);
	rig_drop(trust);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sound_repositories_prove_the_image),
		cmocka_unit_test(thresholds_count_different_keys),
		cmocka_unit_test(versions_and_digests_bind_the_files_together),
		cmocka_unit_test(what_is_over_proves_nothing),
		cmocka_unit_test(the_image_must_be_the_one_that_is_listed),
		cmocka_unit_test(delegations_prove_what_was_delegated),
		cmocka_unit_test(patterns_match_as_in_python_tuf),
		cmocka_unit_test(texts_are_read_strictly),
		cmocka_unit_test(bundles_are_one_folder),
		cmocka_unit_test(two_repositories_must_agree),
		cmocka_unit_test(a_tar_is_recognised),
		cmocka_unit_test(what_is_claimed_is_told),
		cmocka_unit_test(python_tufs_repository_is_taken_as_python_tuf_takes_it),
		cmocka_unit_test(versions_that_go_back_from_release_to_release_are_told),
		cmocka_unit_test(every_changed_byte_shows_or_means_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
